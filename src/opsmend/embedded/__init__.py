"""`opsmend up`: the real parts as child processes of one, for a laptop, a test cluster or the demo. No container engine."""
