"""Plans that policies are asked about."""

from typing import Any

from tests.builders import a_plan, a_ref, a_step

from opsmend.domain.actions.action import BlastRadius
from opsmend.domain.actions.restart_workload import RestartWorkload
from opsmend.domain.plan import Plan


def a_restart_plan(namespace: str = "shop", name: str = "web", pods: int = 2, **changes: Any) -> Plan:
    """Restart one Deployment."""
    ref = a_ref(namespace=namespace, name=name)
    restart = RestartWorkload(target=ref, restarted_at="2026-03-14T15:00:00Z")
    blast = BlastRadius(pods=pods, interrupts=True, objects=(ref,))
    return a_plan(a_step(action=restart, blast_radius=blast), **changes)
