"""Drills: a real fault on a real cluster, from the first alert to the closed incident. `make drills`; docs/lab.md."""
