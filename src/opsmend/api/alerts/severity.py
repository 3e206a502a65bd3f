"""How bad, in our three words, whatever a monitoring system calls it."""

from typing import Final

from opsmend.domain.alert import Severity

_CRITICAL: Final = frozenset({"critical", "crit", "page", "emergency", "fatal", "error", "high", "p1", "p2", "sev1", "sev2"})
_INFO: Final = frozenset({"info", "informational", "none", "low", "success", "notice", "debug", "p4", "p5", "sev4", "sev5"})


def severity_of(word: str) -> Severity:
    """WARNING for what is not known: neither slept through nor paged for."""
    normal = word.strip().lower()
    if normal in _CRITICAL:
        return Severity.CRITICAL
    return Severity.INFO if normal in _INFO else Severity.WARNING
