"""Deterministic Temporal workflows. No I/O, no clock, no randomness: see tests/replay."""
