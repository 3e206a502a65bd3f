"""HTTP in and out: verifies, normalises, hands to the desk, nothing else."""
