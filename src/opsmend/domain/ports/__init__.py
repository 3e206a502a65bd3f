"""What opsmend needs of the outside, as Protocols that speak our words. Each docstring lists the errors raised.

A port and its adapters share a file name: ports/chat.py, adapters/slack/chat.py, adapters/terminal/chat.py.
"""
