"""Pages that are more than a view: signing in, accounts, rooms that run, the register workplace, studies and their briefs."""
