"""How a command that runs on is told to end."""

import asyncio
import signal


def told_to_end() -> asyncio.Event:
    """Set when SIGTERM or SIGINT comes. To be asked for in a running loop."""
    event = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, event.set)
    return event
