"""Deployment: the only agent that changes anything, and only the steps of an approved plan."""
