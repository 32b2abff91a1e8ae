"""Rooms in words and pictures: what a command prints beside its table, and what a folder of results holds."""
