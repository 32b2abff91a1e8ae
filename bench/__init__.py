"""Benchmarks: ratios of our steps to a peer and to the physical bound, within one run."""
