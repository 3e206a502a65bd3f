"""A small HTTP service that fails as it is told to. The standard library only: it runs in an image without packages.

Everything is said by environment variables, so that a Deployment's template tells how its pods behave:

PORT              where it listens, 8080 by default
LATENCY_MS        how long each answer takes
WORK_MS           CPU time that each answer burns
MEMORY_MB         memory that it takes and keeps
DEPENDENCY_URL    what it asks for every answer; if that fails it answers 502 and says so in its log
REQUIRED          names of variables that must be set, separated by commas; without one it says which and exits with 1
FAIL_WITH         a sentence: it is written to the log, and the program exits with EXIT_CODE after EXIT_AFTER seconds
EXIT_CODE, EXIT_AFTER
LOAD_URL, LOAD_RPS  instead of serving, ask this URL so many times a second

/metrics has http_requests_total and http_requests_failed_total, /healthz answers 200 as long as the program lives, every other
path does the work.
"""

import os
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COUNTED = {"http_requests_total": 0, "http_requests_failed_total": 0}
COUNTING = threading.Lock()


def setting(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def say(level: str, text: str) -> None:
    print(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), level, text, flush=True)


def count(name: str) -> None:
    with COUNTING:
        COUNTED[name] += 1


def ask(url: str) -> str | None:
    """Why `url` did not answer, None if it did."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return None
    except urllib.error.HTTPError as e:
        return f"GET {url}: {e.code} {e.reason}"
    except (urllib.error.URLError, OSError) as e:
        return f"GET {url}: {getattr(e, 'reason', e)}"


class Service(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/metrics":
            self.answer(200, "".join(f"{name} {value}\n" for name, value in COUNTED.items()))
        elif self.path == "/healthz":
            self.answer(200, "alive\n")
        else:
            self.work()

    def work(self) -> None:
        count("http_requests_total")
        time.sleep(float(setting("LATENCY_MS", "0")) / 1000)
        until = time.thread_time() + float(setting("WORK_MS", "0")) / 1000
        while time.thread_time() < until:
            pass
        dependency = setting("DEPENDENCY_URL")
        failure = ask(dependency) if dependency else None
        if failure:
            count("http_requests_failed_total")
            say("ERROR", f"dependency failed: {failure}")
            self.answer(502, "dependency failed\n")
        else:
            self.answer(200, "ok\n")

    def answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Each probe would be a line; only failures are worth one."""


def load(url: str, per_second: float) -> None:
    """Open loop: a slow answer does not slow the next request down."""
    next_at = time.monotonic()
    while True:
        threading.Thread(target=ask, args=(url,), daemon=True).start()
        next_at += 1 / per_second
        time.sleep(max(0.0, next_at - time.monotonic()))


def fail(sentence: str) -> None:
    time.sleep(float(setting("EXIT_AFTER", "0")))
    say("FATAL", sentence)
    os._exit(int(setting("EXIT_CODE", "1")))


def main() -> None:
    missing = [name for name in setting("REQUIRED").split(",") if name and not setting(name)]
    if missing:
        say("FATAL", f"required environment variable {missing[0]} is not set")
        sys.exit(1)
    if setting("FAIL_WITH"):
        threading.Thread(target=fail, args=(setting("FAIL_WITH"),)).start()
    if setting("LOAD_URL"):
        load(setting("LOAD_URL"), float(setting("LOAD_RPS", "1")))
    kept = bytearray()
    for _ in range(int(setting("MEMORY_MB", "0"))):
        kept += b"\1" * 1_000_000
    port = int(setting("PORT", "8080"))
    say("INFO", f"listening on port {port} with {len(kept)} bytes in memory")
    ThreadingHTTPServer(("", port), Service).serve_forever()


if __name__ == "__main__":
    main()
