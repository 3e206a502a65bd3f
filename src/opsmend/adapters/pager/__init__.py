"""Pagers: PagerDuty, mail, a signed webhook. Each is one of several that are used side by side."""
