"""What a log request asks for, and the cut that it gets."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsmend_cluster.objects.clock import now, parse_time, precise
from opsmend_cluster.objects.status import bad_request

LogLine = tuple[datetime, str]


@dataclass(frozen=True)
class LogOptions:
    container: str = ""
    previous: bool = False
    follow: bool = False
    timestamps: bool = False
    tail_lines: int | None = None
    limit_bytes: int | None = None
    since: datetime | None = None

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> "LogOptions":
        """Raises:
        ApiError: 400, a number or a time that is none.
        """
        try:
            since = parse_time(query["sinceTime"]) if "sinceTime" in query else None
            if "sinceSeconds" in query:
                since = now() - timedelta(seconds=int(query["sinceSeconds"]))
            return cls(
                container=query.get("container", ""), previous=query.get("previous") == "true",
                follow=query.get("follow") == "true", timestamps=query.get("timestamps") == "true",
                tail_lines=int(query["tailLines"]) if "tailLines" in query else None,
                limit_bytes=int(query["limitBytes"]) if "limitBytes" in query else None, since=since,
            )  # fmt: skip
        except ValueError as error:
            raise bad_request(f"invalid PodLogOptions: {error}") from error

    def cut(self, lines: list[LogLine]) -> str:
        chosen = [line for line in lines if self.since is None or line[0] >= self.since]
        if self.tail_lines is not None:
            chosen = chosen[-self.tail_lines :] if self.tail_lines else []
        text = "".join(f"{precise(moment)} {line}\n" if self.timestamps else f"{line}\n" for moment, line in chosen)
        return text if self.limit_bytes is None else text.encode()[: self.limit_bytes].decode(errors="ignore")
