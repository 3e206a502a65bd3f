"""Security: reads the plan as an adversary would, changes nothing. Checks, then the policy, then one verdict."""
