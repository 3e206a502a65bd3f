"""`opsmend doctor`: asks every part that opsmend leans on whether it works, and says what to do when it does not."""
