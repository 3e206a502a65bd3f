"""Which lines of a crashed program's log blame its configuration, and what they name.

No program's wording is known here. A line counts by what it has: a place (a file that is mounted from a ConfigMap or Secret,
a line number, a word of the configuration in quotes) and a complaint (a severity, a parser's vocabulary). A log is written by
whoever can talk to the program, so this is only asked about containers whose process ended, and about the end of their log.
"""

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Final

import yaml

from opsmend.agents.sre.reading.mounts import MountedFile
from opsmend.domain.record import Record
from opsmend.domain.snapshot import CONFIG_VALUE_KEPT

TAIL: Final = 30
"""Lines from the end that may tell why a process ended, stack frames not counted."""

LINE_LIMIT: Final = 1000
"""Characters of a line that are looked at, so that one endless line costs no more than others."""

ConfigKey = tuple[str, str]
"""Name of a ConfigMap and one of its keys."""

ENOUGH: Final = 5
"""Points (see `_judge`) from which a line is believed: a mounted file with a complaint or a line number about it."""

_FRAME: Final = re.compile(
    r"^\s+at\s|^\s*File \"[^\"]+\.pyc?\", line|^\s*\.\.\. \d+ (more|common frames)|^goroutine \d|^\s+\S+\.go:\d+"
)
_CALM: Final = re.compile(
    r"(?i)\blevel=\"?(info|debug|trace|notice)\b|\"(level|severity|lvl)\":\s*\"(info|debug|trace|notice)\"|\[(info|debug|trace|notice)\]"
    r"|^\S*[\d:., TZ-]*\s*(INFO|DEBUG|TRACE|NOTICE)\b|\s(INFO|DEBUG|TRACE)\s|^[IDV]\d{4}\s"
)
_REQUEST: Final = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) \S+( HTTP/\d|\s+\d{3}\b)")
_SEVERE: Final = re.compile(
    r"(?i)\b(emerg(ency)?|alert|crit(ical)?|fatal|panic|severe|err(or)?|exception|failed|failure|cannot|can't|could ?n[o']t"
    r"|unable|aborting|fehler|erreur|errore|erro)\b|^E\d{4}\s|(Error|Exception)\b"
)
_COMPLAINT: Final = re.compile(
    r"(?i)\b(pars(e|er|ing)|syntax|unknown|unrecogni[sz]ed|invalid|illegal|malformed|unexpected|unsupported|unterminated|undefined"
    r"|duplicate|deprecated|missing|expect(ed|ing)|required|not (allowed|valid|defined|found|supported|a (valid )?\w+)|bad"
    r"|wrong|mapping values|no such|ambiguous|(type )?mismatch|could not (find|resolve)"
    r"|cannot (unmarshal|convert|parse|decode|bind)|failed to (load|bind|parse|apply|decode|unmarshal))\b"
    r"|(Scanner|Parser?|Parsing|Syntax|Decode|Validation|Config\w*|Yaml|YAML|Json|JSON|TOML|Toml|Format|Value)(Error|Exception)"
)
_ABOUT_CONFIG: Final = re.compile(
    r"(?i)\b(conf(ig\w*)?|directive|setting|option|parameter|property|properties|keyword|field|stanza|section|placeholder)s?\b"
    r"|konfig|yaml|toml|json|\bini\b"
)
_LINE_NUMBER: Final = re.compile(
    r"(?i)\b(?:(?:at )?line|zeile|ligne|l[ií]nea|riga|linha|строк\w+|position|offset|column)s?[ :#]*(\d+)"
    r"|\.(?!go\b|py\b|java\b|js\b|mjs\b|ts\b|rs\b|rb\b|cc?\b|cpp\b|cs\b|php\b)[a-z]\w{0,9}[:(](\d+)"
)
"""A number that a line is called by, or one after the name of a file that is no source code (nor a host with its port)."""
_ABOUT_NETWORK: Final = re.compile(
    r"(?i)connection (refused|reset|timed out)|time(d )?-?out|no route|unreachable|dial (tcp|udp)|ECONN\w+|ETIMEDOUT"
    r"|reset by peer|no such host|name resolution|\bEOF\b|deadline exceeded|\b\d{1,3}(\.\d{1,3}){3}\b"
)
_QUOTED: Final = re.compile(
    r"\"([^\"\n]{2,80})\"|'([^'\n]{2,80})'|`([^`\n]{2,80})`|«([^»\n]{2,80})»|»([^«\n]{2,80})«|“([^”\n]{2,80})”"
)
_AFTER_COMPLAINT: Final = re.compile(
    r"(?i)(?:unknown|invalid|unrecogni[sz]ed|unexpected|unsupported|illegal|duplicate|undefined|bad)\s+"
    r"(?:\w+\s+){0,2}?(?:directive|setting|option|parameter|property|keyword|field|key|value|token|command)s?:?\s+([\w.\-/]{3,60})"
    r"|\b(?:field|key|option|property|setting)s?:?\s+([\w.\-/]{3,60})\s+(?:is\s+)?(?:not|unknown|invalid|unsupported|deprecated)"
)
_VARIABLE: Final = re.compile(r"(?<![\w$./-])\$?\{?([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\}?(?![\w/-])")
_IS_MISSING: Final = re.compile(
    r"(?i)\b(missing|required|not (set|defined|found|provided|present|specified)|unset|undefined|must (be|not be|have)|is empty"
    r"|needs? to be|no value|absent|fehlt|manquant|KeyError)|KeyError|environment variable|env(ironment)? var"
)


_PARSERS: Final[dict[str, Callable[[str], object]]] = {
    ".json": json.loads,
    ".toml": tomllib.loads,
    ".yaml": lambda text: list(yaml.safe_load_all(text)),
    ".yml": lambda text: list(yaml.safe_load_all(text)),
}


class ConfigComplaint(Record):
    """Lines that blame the configuration. `file` is None when no mounted file is named.

    The word that they object to stands in the configuration: it counts, and is told nowhere but in the log's own line.
    """

    excerpt: str
    file: MountedFile | None = None
    line_number: str = ""
    score: int


def find_complaint(log: str, files: tuple[MountedFile, ...], data: dict[ConfigKey, str]) -> ConfigComplaint | None:
    """The best founded complaint near the end of `log`, the latest among equals.

    `data` holds the values of ConfigMaps, to tell whether a quoted word comes from there and whether a parser would refuse it.
    """
    lines = _tail(log)
    best: ConfigComplaint | None = None
    for index in range(len(lines)):
        complaint = _judge(_passage(lines, index), files, data)
        if complaint and (best is None or complaint.score >= best.score):
            best = complaint
    return best


def find_missing_variable(log: str) -> tuple[str, str] | None:
    """The environment variable that the end of `log` says is not there, with the line that says so."""
    for line in reversed(_tail(log)):
        if _CALM.search(line) or _REQUEST.search(line) or not _IS_MISSING.search(line):
            continue
        variable = _VARIABLE.search(line)
        if variable:
            return variable.group(1), line
    return None


def is_malformed(key: str, value: str) -> bool:
    """Whether `value` does not parse as what the name of its key promises. Cut or masked values and templates say nothing."""
    read = _PARSERS.get(PurePosixPath(key).suffix.lower())
    if read is None or not value or "{{" in value or "[redacted:" in value or len(value) >= CONFIG_VALUE_KEPT:
        return False
    try:
        read(value)
    except (ValueError, yaml.YAMLError, RecursionError):
        return True
    return False


def _tail(log: str) -> list[str]:
    lines = [line[:LINE_LIMIT] for line in log.splitlines()[-10 * TAIL :]]
    return [line for line in lines if line.strip() and not _FRAME.search(line)][-TAIL:]


def _passage(lines: list[str], index: int) -> list[str]:
    """The line with what belongs to it: what goes on in the next lines by indentation, quotation or a colon at the end."""
    if _CALM.search(lines[index]) or _REQUEST.search(lines[index]):
        return []
    passage = [lines[index]]
    for line in lines[index + 1 : index + 6]:
        goes_on = (
            line[:1].isspace() or line.startswith((">>>", "***", "Caused by", "---", "^")) or passage[-1].rstrip().endswith(":")
        )
        banner = passage[-1].startswith((">>>", "***")) or (_SEVERE.search(passage[-1]) and _ABOUT_CONFIG.search(line))
        if not (goes_on or banner) or _CALM.search(line) or _REQUEST.search(line):
            break
        passage.append(line)
    return passage


def _judge(passage: list[str], files: tuple[MountedFile, ...], data: dict[ConfigKey, str]) -> ConfigComplaint | None:
    text = "\n".join(passage)
    file, place = _named_file(text, files)
    token, owner = _named_token(
        text, data if file is None else {k: v for k, v in data.items() if k == (file.ref.name, file.key)}
    )
    if file is None and owner is not None:
        file = next((f for f in files if (f.ref.name, f.key) == owner), None)
    complains = bool(_COMPLAINT.search(text))
    if file is None and complains and _ABOUT_CONFIG.search(text):
        file = next((f for f in files if is_malformed(f.key, data.get((f.ref.name, f.key), ""))), None)
        place = 3 if file else 0
    number = _LINE_NUMBER.search(text)
    if _ABOUT_NETWORK.search(text) and not (place and number):
        return None
    score = (
        place
        + 2 * bool(token)
        + 2 * bool(number)
        + 2 * complains
        + bool(_SEVERE.search(text))
        + bool(_ABOUT_CONFIG.search(text))
    )
    founded = place or token or (number and complains and _ABOUT_CONFIG.search(text))
    if not founded or score < ENOUGH or not (complains or _SEVERE.search(text) or (place and number)):
        return None
    line_number = next(filter(None, number.groups())) if number else ""
    return ConfigComplaint(excerpt=text, file=file, line_number=line_number, score=score)


def _named_file(text: str, files: tuple[MountedFile, ...]) -> tuple[MountedFile | None, int]:
    """The mounted file that `text` names: 3 points by its whole path, 2 by its name alone, 2 by the folder of unknown keys."""
    for file in files:
        if file.key and re.search(rf"{re.escape(file.path)}(?![\w-])", text):
            return file, 3
    for file in files:
        name = PurePosixPath(file.path).name
        if file.key and "." in name and re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text):
            return file, 2
    for file in files:
        folder = file.path if not file.key else str(PurePosixPath(file.path).parent)
        if len(folder) > 1 and re.search(rf"{re.escape(folder)}/[\w.-]+", text):
            return file, 2
    return None, 0


def _named_token(text: str, data: dict[ConfigKey, str]) -> tuple[str, ConfigKey | None]:
    """A word in quotes, or right after the complaint, that stands in the configuration, and the (name, key) where it stands."""
    quoted = [next(group for group in match.groups() if group) for match in _QUOTED.finditer(text)]
    for token in [*quoted, *(match.group(match.lastindex or 1) for match in _AFTER_COMPLAINT.finditer(text))]:
        word = token.strip().rstrip(".,;:")
        # A YAML file holds `server:` and `port:` where the program says server.port.
        for spelling in dict.fromkeys((word, word.rpartition(".")[2])):
            for owner, value in data.items():
                if len(spelling) >= 3 and re.search(rf"(?<![\w-]){re.escape(spelling)}(?![\w-])", value):
                    return word, owner
    return "", None
