"""A procedure with queues, calendars and a legal clock: how long it takes, who waits where, and how often the deadline is kept."""
