"""How the tables came to be what they are: a file a step, run by `Database.migrate`."""
