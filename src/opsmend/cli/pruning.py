"""`opsmend prune`: deleting artifacts that no history and no record refers to any more."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import TypeAdapter, ValidationError

from opsmend.adapters.artifacts.pruning import Pruned, kept_as_good, prune
from opsmend.adapters.temporal.connection import TEMPORAL_HERE, connect
from opsmend.adapters.temporal.kept_histories import oldest_start
from opsmend.cli.output import show, waiting_for
from opsmend.console.connection import read_connection
from opsmend.console.layout import counted, say
from opsmend.environment import read_settings
from opsmend.errors import SettingsError
from opsmend.setting_types import Duration
from opsmend.settings import Settings

commands = typer.Typer()

MARGIN: Final = timedelta(days=30)
"""What was kept less than this before the oldest run that Temporal still has began stays: a run that continues an earlier one
may refer to what that one kept, and an incident hardly lives for a month."""


@commands.command(name="prune")
def prune_artifacts(
    older_than: Annotated[str, typer.Option(help="Delete what was last kept so long ago.")] = "90d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be deleted.")] = False,
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="The data directory of opsmend.")] = None,
) -> None:
    """Delete old artifacts that no history of Temporal and no record of a good configuration refers to."""
    settings = read_settings()
    if data_dir:
        settings = settings.model_copy(update={"data_dir": data_dir})
    try:
        age = TypeAdapter(Duration).validate_python(older_than)
    except ValidationError as e:
        raise typer.BadParameter(f"expected a length of time such as 90d; got {older_than!r}", param_hint="--older-than") from e
    before = waiting_for("Temporal", _deletable_before(settings, datetime.now(UTC) - age))
    try:
        pruned = prune(settings.data_dir / "artifacts", before, kept_as_good(settings.data_dir / "last-good"), dry_run=dry_run)
    except OSError as e:
        raise SettingsError(f"{settings.data_dir / 'artifacts'} cannot be pruned: {e.strerror}.") from e
    show(say(_told(pruned, before, dry_run=dry_run)))


async def _deletable_before(settings: Settings, wished: datetime) -> datetime:
    """`wished`, or earlier where a history is kept that began before it or not long after."""
    left = read_connection(settings.data_dir)
    address = settings.temporal_address or (left and left.temporal_address) or TEMPORAL_HERE
    client = await connect(address, settings.temporal_namespace)
    oldest = await oldest_start(client, wished + MARGIN)
    return wished if oldest is None else min(wished, oldest - MARGIN)


def _told(pruned: Pruned, before: datetime, *, dry_run: bool) -> str:
    what = f"{counted(pruned.files, 'artifact')} ({pruned.bytes / 1e6:.1f} MB)"
    return f"{what} from before {before:%Y-%m-%d}{' would be' if dry_run else ''} deleted."
