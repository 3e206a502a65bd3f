"""A real Kubernetes node on one Linux machine, without a container engine, and the drills that run on it.

`make lab-up`, `make drills`, `make lab-down`. docs/lab.md says what it is made of. Nothing of opsmend imports it.
"""
