"""Pods that run: containers behave by declared rules about what they are given (image, environment, files, ports, limits)."""
