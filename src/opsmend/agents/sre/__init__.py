"""SRE: reads everything, changes nothing. Investigates (rules, memory, model) and later verifies against a baseline."""
