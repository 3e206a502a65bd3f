"""A Slack workspace over real HTTP, as strict as the original where opsmend touches it.

`SlackStandin` is one; `python -m tests.slack_standin` runs one as a process of its own with a control port.
What it does not know it refuses (`unknown_method`, `invalid_blocks`), never accepts silently.
"""
