"""What may be done and what may be shown: Cedar policies, redaction, the gate. Local and pure, no network."""
