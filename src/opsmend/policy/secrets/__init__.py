"""What a secret is: by its name, by its value, by its look. Nothing here knows where it stands."""
