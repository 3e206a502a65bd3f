"""opsmend and its cluster as other people's programs meet them: processes, HTTP and files; nothing here imports opsmend."""
