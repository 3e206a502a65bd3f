"""Thin side effects of the workflows that are no graph nodes: a method each, ports injected, domain in, domain out."""
