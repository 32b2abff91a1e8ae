"""The dashboard: one workplace for analysts, agencies and readers, in three languages (`qonys web run`).

`app.create_app` puts it together. `views` holds what pages, downloads, embeds and the interface all show: pure functions of what is asked,
which call the functions of the command line. `frame` turns them into pages, `api` into JSON. `pages` holds what is more than a view: rooms
that run, the register workplace, accounts. `state` keeps people, sessions, work and long runs in SQLite or PostgreSQL, `jobs` does the long
runs in processes of their own, `gate` knows who asks and what they may. There is no analysis here.
"""
