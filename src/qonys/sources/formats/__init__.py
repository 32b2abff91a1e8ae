"""Formats of official statistics: each module makes a staged table of an opened file; which publisher it is, it does not know."""
