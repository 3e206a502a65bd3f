"""The HTTP face: the Kubernetes API, and beside it `/opsmend-demo/` for rules, faults, nodes and the audit log."""
