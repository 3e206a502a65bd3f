"""What opsmend talks about: pure models and ports. No I/O, no vendor types, nothing from the layers above."""
