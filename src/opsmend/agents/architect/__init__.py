"""Architect: turns a diagnosis into a plan of typed actions, keeps the alternatives with reasons, changes nothing."""
