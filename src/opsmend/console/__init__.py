"""opsmend seen from a terminal: how a running one is found, asked, and shown. Knows the API's contract, nothing behind it."""
