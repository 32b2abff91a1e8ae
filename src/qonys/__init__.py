"""Qonys: decision support for migration policy, from border record to policy decision."""
