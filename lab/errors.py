"""What can go wrong with the lab itself; the message is a sentence for whoever typed the command."""


class LabError(Exception):
    """The lab did not come up, or a command of it failed."""
