"""What pagers talk to, over the wire and as strict as the originals: PagerDuty, a mail server, a receiver of webhooks.

Each keeps what it was told. What it does not know it refuses, never accepts silently.
"""
