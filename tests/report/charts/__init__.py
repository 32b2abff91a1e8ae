"""Charts of the dashboard, one file a family."""
