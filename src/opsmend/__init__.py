"""opsmend: alerts in, verified fixes out."""
