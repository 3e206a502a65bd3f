"""`make bench`: opsmend beside bare Temporal, on one machine, in one run. README.md says what is measured and how."""
