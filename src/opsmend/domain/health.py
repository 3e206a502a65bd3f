"""Is a target well? Judged from a snapshot alone, so that every agent and every test judges alike.

HEALTHY must be proven; INCONCLUSIVE means that it still moves or that a needed part was not seen; anything else is UNHEALTHY.
"""

from datetime import datetime, timedelta
from typing import Final

from opsmend.domain.record import Record
from opsmend.domain.service_routing import Fault, RoutingFault, routing_faults, untold
from opsmend.domain.snapshot import Autoscaler, Container, Node, Pod, Snapshot, Workload
from opsmend.domain.target import Kind
from opsmend.domain.verification import Baseline, Health

STARTING_REASONS: Final = frozenset({"ContainerCreating", "PodInitializing"})
"""Waiting reasons of the kubelet that say 'not yet'; every other waiting reason is a fault."""

START_GRACE: Final = timedelta(minutes=1)
"""How long a new pod may be unready without any fault: twice what a probe with default period and threshold takes."""

STEADY_AT_LEAST: Final = timedelta(seconds=30)
STEADY_AT_MOST: Final = timedelta(minutes=10)
"""A restarted container is steady once it has run twice as long as the run that failed, within these bounds. The upper one
is the kubelet's: after ten minutes of running it forgets the back-off."""

PRESSURES: Final = frozenset({"MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"})


class Judgement(Record):
    """`reasons` say what is not well, `unseen` what could not be looked at."""

    health: Health
    reasons: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()


def assess(snapshot: Snapshot) -> Judgement:
    """How the target of `snapshot` stands."""
    faults: list[str] = []
    moving: list[str] = []
    if not snapshot.exists:
        faults.append(f"{snapshot.target} does not exist")
    else:
        _look_at_target(snapshot, faults, moving)
    health = Health.UNHEALTHY if faults else Health.INCONCLUSIVE if moving else Health.HEALTHY
    return Judgement(health=health, reasons=(*faults, *moving), unseen=snapshot.unseen)


def baseline(snapshot: Snapshot) -> Baseline:
    """How things stand now, to compare with later."""
    workload = snapshot.workload
    return Baseline(
        ready_replicas=_ready(snapshot),
        desired_replicas=workload.desired_replicas if workload else len(snapshot.pods),
        restarts=_restarts(snapshot),
        health=assess(snapshot).health,
    )


def well_at_a_glance(workload: Workload) -> bool:
    """Whether the workload's own status says that all is well: its controller is through and every replica is up to date.

    That is no proof (see assess): it does not say how long its containers have run, nor whether traffic reaches them.
    """
    faults: list[str] = []
    moving: list[str] = []
    _look_at_status(workload, faults, moving)
    return workload.desired_replicas > 0 and not faults and not moving


def worse_than(before: Baseline, snapshot: Snapshot) -> bool:
    """Whether `snapshot` is worse than `before`: fewer ready replicas, crashes where nothing crashed, or well no more.

    What a lost node took along is no work of ours: how it stands cannot be told before the node is back.
    """
    untold = sum(_on_lost_node(pod, snapshot) for pod in snapshot.pods)
    if snapshot.target.kind is not Kind.NODE and _ready(snapshot) + untold < before.ready_replicas:
        return True
    if before.restarts == 0 and _restarts(snapshot) > 0 and _ready(snapshot) + untold <= before.ready_replicas:
        return True
    return before.health is Health.HEALTHY and assess(snapshot).health is Health.UNHEALTHY


def container_fault(container: Container) -> str | None:
    """What is wrong with a container as it stands, in a few words; None when nothing is."""
    if container.waiting_reason and container.waiting_reason not in STARTING_REASONS:
        return f"waits: {container.waiting_reason}"
    if container.terminated and container.terminated.exit_code != 0:
        return f"exited with {container.terminated.exit_code} ({container.terminated.reason or 'no reason'})"
    return None


def is_steady(container: Container, now: datetime) -> bool:
    """Whether a running container has outlived its last failed run enough to believe in it."""
    last = container.last_terminated
    if last is None or last.exit_code == 0 or last.finished_at is None:
        return True
    run = last.finished_at - last.started_at if last.started_at else STEADY_AT_LEAST
    return now - last.finished_at >= min(max(2 * run, STEADY_AT_LEAST), STEADY_AT_MOST)


def node_faults(node: Node) -> tuple[str, ...]:
    """What the node's conditions say is wrong, with their own reasons."""
    ready = next((c for c in node.conditions if c.type == "Ready"), None)
    faults = []
    if ready is None or ready.status != "True":
        detail = f" ({ready.reason}: {ready.message})" if ready and ready.reason else ""
        faults.append(f"node {node.name} is not Ready{detail}")
    faults += [
        f"node {node.name} has {c.type} ({c.reason})" for c in node.conditions if c.type in PRESSURES and c.status == "True"
    ]
    return tuple(faults)


def limited(autoscaler: Autoscaler) -> bool:
    """Whether it wants more replicas than it may have."""
    return any(
        c.type == "ScalingLimited" and c.status == "True" and c.reason == "TooManyReplicas" for c in autoscaler.conditions
    )


def _look_at_target(snapshot: Snapshot, faults: list[str], moving: list[str]) -> None:
    kind = snapshot.target.kind
    if kind is Kind.NODE:
        _look_at_node(snapshot, faults, moving)
        return
    if kind is Kind.SERVICE:
        _look_at_service(snapshot, faults, moving)
    if kind is Kind.HORIZONTAL_POD_AUTOSCALER:
        _look_at_autoscaler(snapshot, faults, moving)
    if snapshot.workload is not None:
        _look_at_workload(snapshot, snapshot.workload, faults, moving)
    elif kind in (Kind.JOB, Kind.CRON_JOB):
        _look_at_job(snapshot, faults, moving)
    elif kind is Kind.POD:
        _look_at_lone_pod(snapshot, faults, moving)
    elif kind is not Kind.SERVICE:
        moving.append(f"{snapshot.target} cannot be judged: its workload was not seen")


def _look_at_node(snapshot: Snapshot, faults: list[str], moving: list[str]) -> None:
    node = next((n for n in snapshot.nodes if n.name == snapshot.target.name), None)
    if node is None:
        moving.append(f"{snapshot.target} was not seen")
    else:
        faults += node_faults(node)


def _look_at_service(snapshot: Snapshot, faults: list[str], moving: list[str]) -> None:
    service = next((s for s in snapshot.services if s.ref == snapshot.target.ref), None)
    if service is None:
        moving.append(f"{snapshot.target} was not seen")
    elif not service.endpoints_seen:
        moving.append(f"the endpoints of {service.ref} were not seen")
    elif service.ready_endpoints == 0 and service.not_ready_endpoints == 0:
        faults.append(f"{service.ref} has no endpoints")
    elif service.ready_endpoints == 0:
        faults.append(f"{service.ref} has no ready endpoint of {service.not_ready_endpoints}")


def _look_at_autoscaler(snapshot: Snapshot, faults: list[str], moving: list[str]) -> None:
    autoscaler = next((a for a in snapshot.autoscalers if a.ref == snapshot.target.ref), None)
    if autoscaler is None:
        moving.append(f"{snapshot.target} was not seen")
    elif limited(autoscaler):
        faults.append(f"{autoscaler.ref} wants more than the {autoscaler.max_replicas} replicas that it may have")
    elif any(c.type == "ScalingActive" and c.status != "True" for c in autoscaler.conditions):
        moving.append(f"{autoscaler.ref} cannot tell how many replicas it wants")
    elif snapshot.workload and autoscaler.desired_replicas > snapshot.workload.desired_replicas:
        # They are read one after the other: the workload may have been seen before it was scaled.
        moving.append(
            f"{autoscaler.ref} wants {autoscaler.desired_replicas} replicas, which {snapshot.workload.ref} has not got"
        )


def _look_at_status(workload: Workload, faults: list[str], moving: list[str]) -> None:
    if workload.observed_generation < workload.generation:
        moving.append(
            f"{workload.ref} is at generation {workload.generation}, its controller saw {workload.observed_generation}"
        )
    if workload.desired_replicas > 0:
        _look_at_rollout(workload, faults, moving)


def _look_at_workload(snapshot: Snapshot, workload: Workload, faults: list[str], moving: list[str]) -> None:
    _look_at_status(workload, faults, moving)
    if workload.desired_replicas == 0:
        _look_at_empty_workload(snapshot, workload, faults, moving)
        return
    if snapshot.glanced:
        return
    # Ended pods (evicted ones, say) stay listed though their controller has replaced them.
    pods = [pod for pod in snapshot.pods if not pod.deleting and pod.phase not in ("Succeeded", "Failed")]
    for pod in pods:
        _look_at_pod(pod, snapshot, faults if _is_current(pod, snapshot) else moving, moving)
    ready = sum(pod.ready for pod in pods)
    if ready < workload.desired_replicas and not faults:
        moving.append(f"{ready} of {workload.desired_replicas} pods were seen ready")
    for fault in routing_faults(snapshot):
        if fault.certain:
            faults.append(_routing_reason(fault))
    for service in untold(snapshot):
        moving.append(f"{service.ref} selects none of the pods, and its endpoints were not seen")


def _look_at_empty_workload(snapshot: Snapshot, workload: Workload, faults: list[str], moving: list[str]) -> None:
    waiting = [str(s.ref) for s in snapshot.services] + [str(a.ref) for a in snapshot.autoscalers if a.min_replicas > 0]
    if waiting:
        faults.append(f"{workload.ref} runs no pods while {', '.join(waiting)} expects some")
    else:
        moving.append(f"{workload.ref} runs no pods, as asked: nothing shows that this is well")


def _look_at_rollout(workload: Workload, faults: list[str], moving: list[str]) -> None:
    stuck = next((c for c in workload.conditions if c.type == "Progressing" and c.status == "False"), None)
    if stuck:
        faults.append(f"the rollout of {workload.ref} is stuck ({stuck.reason})")
    failed = next((c for c in workload.conditions if c.type == "ReplicaFailure" and c.status == "True"), None)
    if failed:
        faults.append(f"{workload.ref} cannot create its pods ({failed.reason})")
    if workload.paused:
        moving.append(f"{workload.ref} is paused")
    counts = {"updated": workload.updated_replicas, "ready": workload.ready_replicas, "available": workload.available_replicas}
    for name, count in counts.items():
        if count < workload.desired_replicas:
            moving.append(f"{count} of {workload.desired_replicas} replicas are {name}")
    if workload.replicas > workload.updated_replicas:
        moving.append(f"{workload.replicas - workload.updated_replicas} replicas of an older revision are left")


def _look_at_pod(pod: Pod, snapshot: Snapshot, faults: list[str], moving: list[str]) -> None:
    for container in pod.containers:
        fault = container_fault(container)
        if fault:
            faults.append(f"container {container.name} of pod {pod.name} {fault}")
        elif container.running and not is_steady(container, snapshot.taken_at):
            moving.append(
                f"container {container.name} of pod {pod.name} was restarted just now ({container.restarts} times in all)"
            )
    if _on_lost_node(pod, snapshot):
        moving.append(f"pod {pod.name} runs on node {pod.node}, which is lost: how it is cannot be told")
    elif not pod.ready and not any(container_fault(c) for c in pod.containers):
        young = _is_young(pod, snapshot.taken_at)
        (moving if young else faults).append(f"pod {pod.name} is {pod.phase} and not ready")


def unready_for_no_reason_of_its_own(pod: Pod, now: datetime) -> bool:
    """Its containers say that they are well, or have had their time to start: whether its node is lost has to be looked at."""
    if pod.ready or not pod.node or any(container_fault(c) for c in pod.containers):
        return False
    return all(c.ready for c in pod.containers if not c.init) or not _is_young(pod, now)


def _is_young(pod: Pod, now: datetime) -> bool:
    return pod.created_at is not None and now - pod.created_at < START_GRACE


def _look_at_lone_pod(snapshot: Snapshot, faults: list[str], moving: list[str]) -> None:
    pod = next((p for p in snapshot.pods if p.name == snapshot.target.name), None)
    if pod is None:
        moving.append(f"{snapshot.target} was not seen")
    elif pod.phase != "Succeeded":
        _look_at_pod(pod, snapshot, faults, moving)


def _look_at_job(snapshot: Snapshot, faults: list[str], moving: list[str]) -> None:
    """By the Job's own word where it has one, else by its newest pod."""
    job = snapshot.job
    if job is not None and (job.well or job.given_up):
        if job.given_up:
            faults.append(f"{job.ref} failed ({job.failed_reason})")
        return
    if not snapshot.pods:
        moving.append(f"no pod of {snapshot.target} was seen")
        return
    newest = max(snapshot.pods, key=lambda pod: (pod.created_at or snapshot.taken_at, pod.name))
    if newest.phase == "Failed":
        faults.append(f"pod {newest.name} failed")
    elif newest.phase != "Succeeded":
        _look_at_pod(newest, snapshot, faults, moving)
        moving.append(f"pod {newest.name} is {newest.phase}")


def _is_current(pod: Pod, snapshot: Snapshot) -> bool:
    """Whether the pod is of the newest revision; pods that cannot be told count as such."""
    if not pod.revision_hash or not snapshot.revisions:
        return True
    name = snapshot.revisions[0].name
    return name == pod.revision_hash or name.endswith(f"-{pod.revision_hash}")


def _routing_reason(fault: RoutingFault) -> str:
    if fault.fault is Fault.SELECTOR:
        return f"{fault.service.ref} selects none of the pods"
    target = fault.port.target_port if fault.port else ""
    return f"{fault.service.ref} sends to port {target}, which no container declares"


def _on_lost_node(pod: Pod, snapshot: Snapshot) -> bool:
    """Kubernetes takes a pod for not ready once nothing is heard of its node; its containers may run well all the while."""
    node = next((n for n in snapshot.nodes if n.name == pod.node), None)
    return not pod.ready and node is not None and not node.ready


def _ready(snapshot: Snapshot) -> int:
    return snapshot.workload.ready_replicas if snapshot.workload else sum(pod.ready for pod in snapshot.pods)


def _restarts(snapshot: Snapshot) -> int:
    return sum(container.restarts for pod in snapshot.pods for container in pod.containers)
