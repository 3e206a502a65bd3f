"""`make mutants`: does a test notice when a line of ours is wrong? See docs/mutants.md."""
