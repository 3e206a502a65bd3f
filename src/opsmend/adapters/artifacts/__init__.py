"""Large things by reference, kept as content-addressed files."""
