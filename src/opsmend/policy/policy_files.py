"""Reads a folder of Cedar policies and refuses a broken one with its file and line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import cedarpy

from opsmend.errors import SettingsError

SCHEMA_FILE: Final = "schema.cedarschema"


class Policies(NamedTuple):
    """Parsed and valid. `ids` are the `@id`s in the order of files and lines."""

    policy_set: cedarpy.PolicySet
    schema: cedarpy.Schema
    ids: tuple[str, ...]


def shipped_policies() -> Path:
    """The folder that comes with opsmend: deploy/policies of a checkout, else the copy inside the installed package."""
    checkout = Path(__file__).parents[3] / "deploy" / "policies"
    return checkout if (checkout / SCHEMA_FILE).is_file() else Path(__file__).parent / "policies"


def read_policies(directory: Path) -> Policies:
    """All `*.cedar` files of `directory`, not of folders below it, checked against the shipped schema.

    Raises:
        SettingsError: nothing is there, or a policy does not parse, does not fit the schema, or lacks an `@id` of its own.
    """
    schema = cedarpy.Schema.from_str((shipped_policies() / SCHEMA_FILE).read_text(encoding="utf-8"))
    files = sorted(directory.glob("*.cedar"))
    if not files:
        raise SettingsError(f"OPSMEND_POLICY__DIRECTORY: {directory} holds no *.cedar file, so nothing would be permitted.")
    texts = [_read(file) for file in files]
    ids: dict[str, str] = {}
    for file, text in zip(files, texts, strict=True):
        _check(file, text, schema)
        for name, place in _ids(file, text):
            if name in ids:
                raise SettingsError(f'{place}: @id("{name}") is already used at {ids[name]}.')
            ids[name] = place
    return Policies(cedarpy.PolicySet.from_str("\n".join(texts)), schema, tuple(ids))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise SettingsError(f"{file}: cannot be read: {e}") from e


def _check(file: Path, text: str, schema: cedarpy.Schema) -> None:
    try:
        cedarpy.PolicySet.from_str(text)
    except ValueError as e:
        raise SettingsError(f"{file}:{_first_broken_line(text)}: {e}") from e
    for error in cedarpy.validate_policies(text, schema).errors:
        raise SettingsError(f"{file}:{_line_of(text, error.policy_id)}: {error.error}")


def _ids(file: Path, text: str) -> Iterator[tuple[str, str]]:
    """Each policy's `@id` and its place."""
    policies = cedarpy.policies_to_pst(text).static_policies
    # Cedar numbers policies as they stand in the file: policy0, policy1, …
    for number in range(len(policies)):
        place = f"{file}:{_line_of(text, f'policy{number}')}"
        name = policies[f"policy{number}"].annotations.get("id")
        if not name:
            raise SettingsError(f'{place}: this policy has no @id("…"), so no decision could name it.')
        yield name, place


def _first_broken_line(text: str) -> int:
    """Cedar does not say where a file stops parsing; the policy after the longest prefix that does parse is where."""
    good = max((end for end, _ in _parsed_prefixes(text)), default=0)
    return _next_code_line(text, good)


def _line_of(text: str, policy_id: str) -> int:
    number = int(policy_id.removeprefix("policy"))
    return _next_code_line(text, max((end for end, count in _parsed_prefixes(text) if count <= number), default=0))


def _parsed_prefixes(text: str) -> Iterator[tuple[int, int]]:
    """Number of lines and of policies in each prefix that ends with a policy and parses."""
    lines = text.splitlines()
    for end in (number for number, line in enumerate(lines, start=1) if line.partition("//")[0].rstrip().endswith(";")):
        try:
            yield end, len(cedarpy.policies_to_pst("\n".join(lines[:end])).static_policies)
        except ValueError:
            continue


def _next_code_line(text: str, after: int) -> int:
    lines = text.splitlines()
    code = (
        number
        for number in range(after + 1, len(lines) + 1)
        if lines[number - 1].strip() and not _is_comment(lines[number - 1])
    )
    return next(code, max(after, 1))


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("//")
