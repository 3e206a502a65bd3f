"""The log of a part is cut under its process, which goes on writing to it."""

import subprocess
import sys
from pathlib import Path

from opsmend.embedded.log_files import KEPT, put_aside

LARGEST = 1000


def sizes(log: Path) -> dict[str, int]:
    return {path.name: path.stat().st_size for path in log.parent.iterdir()}


def test_what_was_said_is_kept_aside_and_the_process_goes_on_in_an_empty_file(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with log.open("ab") as ours:
        writer = subprocess.Popen(
            [sys.executable, "-uc", "import sys\nfor line in sys.stdin: print(line, end='')"],
            stdin=subprocess.PIPE,
            stdout=ours,
            text=True,
        )
    assert writer.stdin is not None
    said = [f"line {number} {'x' * 100}\n" for number in range(40)]
    for number, line in enumerate(said):
        writer.stdin.write(line)
        writer.stdin.flush()
        while not log.read_text().endswith(line):
            pass
        if number % 4 == 3:
            put_aside(log, LARGEST)
    writer.stdin.close()
    writer.wait()
    kept = [log.with_name(f"worker.log.{number}") for number in range(KEPT, 0, -1)]
    whole = "".join(path.read_text() for path in [*kept, log])
    assert whole == "".join(said[-len(whole.splitlines()) :])
    assert len(sizes(log)) == KEPT + 1
    assert max(sizes(log).values()) <= 2 * LARGEST


def test_a_small_log_and_one_that_is_not_there_are_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    put_aside(log, LARGEST)
    log.write_text("x" * LARGEST)
    put_aside(log, LARGEST)
    assert sizes(log) == {"worker.log": LARGEST}


def test_only_the_end_of_a_flood_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    log.write_text("old" * LARGEST + "new" * LARGEST)
    put_aside(log, LARGEST)
    assert sizes(log) == {"worker.log": 0, "worker.log.1": 2 * LARGEST}
    assert set((tmp_path / "worker.log.1").read_text()) == set("new")
