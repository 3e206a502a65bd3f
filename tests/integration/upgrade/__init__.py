"""Data directories of `opsmend up` as releases left them, and what records them."""
