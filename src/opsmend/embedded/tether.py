"""Becomes another program that ends when its parent ends: `python -I -S tether.py PARENT_PID COMMAND [ARG …]` (Linux).

A program of its own rather than code between fork and exec: a parent with threads (gRPC's, for one) may not run Python there.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        sys.exit("the parent has ended already")
    os.execvp(command[0], command)  # noqa: S606 - becoming that program is the point


if __name__ == "__main__":
    main()
