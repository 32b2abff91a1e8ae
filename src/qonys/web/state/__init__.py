"""What the pages must remember: people, sessions, failed sign-ins, the audit trail, jobs and register work, in SQLite or PostgreSQL.

A `Database` is opened once; the functions of each module take it, or a connection inside its `begin()` to act in one transaction.
"""
