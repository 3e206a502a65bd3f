"""`opsmend demo`: the main job on one machine, with an in-memory cluster. Nothing outside this folder knows of it."""
