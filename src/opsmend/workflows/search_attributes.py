"""What the Temporal UI can filter incidents by; all Keyword. `NAMES` is what a server must know (see deploy/)."""

from typing import Final

from temporalio.common import SearchAttributeKey

TARGET: Final = SearchAttributeKey.for_keyword("OpsmendTarget")
STATUS: Final = SearchAttributeKey.for_keyword("OpsmendStatus")
OUTCOME: Final = SearchAttributeKey.for_keyword("OpsmendOutcome")
SEVERITY: Final = SearchAttributeKey.for_keyword("OpsmendSeverity")
AUTONOMY: Final = SearchAttributeKey.for_keyword("OpsmendAutonomy")
SOURCE: Final = SearchAttributeKey.for_keyword("OpsmendSource")
TIER: Final = SearchAttributeKey.for_keyword("OpsmendTier")

ALL: Final = (TARGET, STATUS, OUTCOME, SEVERITY, AUTONOMY, SOURCE, TIER)

CONTINUED: Final = "continued"
"""The status of a run whose incident goes on in the next one. No incident has it, so that each is counted once."""
