"""The phases of an incident, a file each with its own waiting, and what they share: the log, the crew, interruptions."""
