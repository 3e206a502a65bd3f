"""Slack: the one message of an incident (chat), what it says (message, mrkdwn), and what people click and type (inbound)."""
