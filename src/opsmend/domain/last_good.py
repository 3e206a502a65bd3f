"""Which configuration workloads were seen to run well with: what is kept of a ConfigMap, and when a version of it is good.

A running program says nothing about a ConfigMap that was edited after it started. So a version is good only where every pod
of a healthy workload was created after the ConfigMap had come to hold it.
"""

import hashlib
from datetime import datetime
from typing import Final, Self

from pydantic import AwareDatetime, Field

from opsmend.domain.call_ledger import CallLedger
from opsmend.domain.ports.artifacts import ArtifactRef
from opsmend.domain.record import Record
from opsmend.domain.target import ObjectRef

VERSIONS_KEPT: Final = 5
"""Different versions of one ConfigMap, those seen good last."""


class Content(Record):
    """What is kept of a version of a ConfigMap. Its JSON is an artifact, so that the same content is kept once."""

    data: dict[str, str] = Field(repr=False)
    left_out: dict[str, str] = Field(default_factory=dict)
    """Keys whose value is not kept, each with the reason."""


class Runner(Record):
    """A healthy workload that reads the ConfigMap."""

    workload: ObjectRef
    oldest_pod_at: AwareDatetime
    """Creation of its oldest pod."""


class Sighting(Record):
    """One look at a ConfigMap that healthy workloads read."""

    ref: ObjectRef
    uid: str
    at: AwareDatetime
    content: ArtifactRef
    written_at: AwareDatetime | None = None
    resource_version: str = ""
    by: str = ""
    runners: tuple[Runner, ...] = ()


class GoodVersion(Record):
    """A version that healthy workloads started with, and when they were seen to run with it."""

    content: ArtifactRef
    first_seen: AwareDatetime
    last_seen: AwareDatetime
    workloads: tuple[str, ...]
    resource_version: str = ""
    by: str = ""
    """The field manager that wrote it."""


class ConfigRecord(Record):
    """What is known of one ConfigMap: what it holds, since when for certain, and its good versions, newest seen first."""

    ref: ObjectRef
    uid: str
    looked_at: AwareDatetime
    holds: str
    """sha256 of the content at the last look, good or not."""
    since: AwareDatetime
    """From when on it certainly held that."""
    versions: tuple[GoodVersion, ...] = ()

    def is_about(self, ref: ObjectRef, uid: str) -> bool:
        """Another uid is another object, whatever its name."""
        return (self.ref, self.uid) == (ref, uid)


class LastGoodContent(Record):
    """The good version that was seen last, with its content, and when the ConfigMap was last looked at."""

    looked_at: AwareDatetime
    version: GoodVersion
    content: Content


class GoodValue(Record):
    """A value exactly as it was kept."""

    value: str = Field(repr=False)
    sha256: str

    @classmethod
    def of(cls, value: str) -> Self:
        return cls(value=value, sha256=hashlib.sha256(value.encode()).hexdigest())

    @property
    def intact(self) -> bool:
        """False once something on the way has masked or cut it: then it must not be written back."""
        return GoodValue.of(self.value).sha256 == self.sha256


class LastGoodConfig(Record):
    """What a ConfigMap held when it was last seen good, as far as that differs from what it holds now."""

    first_seen: AwareDatetime
    last_seen: AwareDatetime
    looked_at: AwareDatetime
    """Until when the record was kept up; what was good after that is not known."""
    workloads: tuple[str, ...]
    """That ran well with it, as `Deployment shop/web`."""
    by: str = ""
    values: dict[str, GoodValue] = Field(default_factory=dict)
    """Keys that held something else then than now, or are gone."""
    added: tuple[str, ...] = ()
    """Keys that were not there then."""
    left_out: dict[str, str] = Field(default_factory=dict)
    """Keys of which nothing is known, each with the reason."""


class LastGoodKept(Record):
    """What one look at a namespace came to."""

    namespace: str
    workloads: int = 0
    healthy: int = 0
    config_maps: int = 0
    """ConfigMaps that healthy workloads read and that were looked at."""
    good: int = 0
    """Of these, how many hold a version that is good."""
    unseen: tuple[str, ...] = ()
    api_calls: int = 0
    calls: CallLedger = CallLedger()
    """The same, one by one, those of tries that failed included."""


def noted(record: ConfigRecord | None, sighting: Sighting) -> ConfigRecord:
    """The record after a look. An older look than the last one, a late try, changes nothing."""
    if record is not None and not record.is_about(sighting.ref, sighting.uid):
        record = None
    if record is not None and sighting.at <= record.looked_at:
        return record
    since = _held_since(record, sighting)
    proof = tuple(str(runner.workload) for runner in sighting.runners if runner.oldest_pod_at >= since)
    versions = record.versions if record else ()
    return ConfigRecord(
        ref=sighting.ref,
        uid=sighting.uid,
        looked_at=sighting.at,
        holds=sighting.content.sha256,
        since=since,
        versions=_with(versions, sighting, proof) if proof else versions,
    )


def _held_since(record: ConfigRecord | None, sighting: Sighting) -> datetime:
    """The moment of the write; that of the look where the content changed without any write that is dated."""
    if record is None:
        return sighting.written_at or sighting.at
    if record.holds == sighting.content.sha256:
        return record.since
    dated = sighting.written_at is not None and sighting.written_at > record.looked_at
    return sighting.written_at if sighting.written_at and dated else sighting.at


def _with(versions: tuple[GoodVersion, ...], sighting: Sighting, proof: tuple[str, ...]) -> tuple[GoodVersion, ...]:
    same = next((version for version in versions if version.content.sha256 == sighting.content.sha256), None)
    seen = GoodVersion(
        content=sighting.content,
        first_seen=same.first_seen if same else sighting.at,
        last_seen=sighting.at,
        workloads=proof,
        resource_version=sighting.resource_version,
        by=sighting.by,
    )
    others = [version for version in versions if version is not same]
    return (seen, *others[: VERSIONS_KEPT - 1])
