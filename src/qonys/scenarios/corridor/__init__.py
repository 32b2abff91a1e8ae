"""A corridor: who is brought home on which train, bus or flight, what binds, and what to do when no plan exists."""
