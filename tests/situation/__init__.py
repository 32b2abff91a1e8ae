"""One area on one day."""
