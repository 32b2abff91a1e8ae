"""Long runs: studies and rooms, each done by a process of its own (`python -m qonys.web.jobs HOME JOB`) with limits of memory and time.

`work` does what was asked by the functions the command line uses, `worker` is the process around it, `runner` starts and watches the
processes from the server, `asked` reads and checks what people hand in, `files` keeps the tables they upload, `shown` says what a result
shows, `fields` turns the numbers of a TOML into a form and back.
"""
