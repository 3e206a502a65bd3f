"""Language models. None yet: the seat is taken by an adapter that says so."""
