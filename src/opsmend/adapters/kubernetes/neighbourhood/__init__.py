"""From the API's JSON to the typed snapshot: one module a part of a target's neighbourhood."""
