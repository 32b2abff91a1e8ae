"""Engines that hand whole persons to a function: one machine here, a cluster beside it."""
