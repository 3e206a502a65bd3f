"""All settings, read from the environment once, at an entry point.

The variables that other people's tools rely on keep their own names (see `alias`); all others are
`OPSMEND_<GROUP>__<FIELD>`, e.g. `OPSMEND_APPROVAL__REMIND_AFTER=30m` (or ISO 8601, or 00:30:00).
An empty variable is an unset one. `environment.py` reads them and says what is wrong with one.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from opsmend.domain.mentions import MentionRule, read_mentions
from opsmend.setting_types import (
    SAYS_WHY,
    Count,
    CountOrZero,
    Duration,
    DurationOrZero,
    Expected,
    HostAndPort,
    KubernetesName,
    KubernetesNames,
    MilvusAddress,
    Money,
    Port,
    Token,
    WebAddress,
)


class TemporalSettings(BaseModel):
    """Where Temporal is."""

    ui_url: WebAddress = "http://127.0.0.1:8233"
    """Base of links to the Temporal UI."""
    retention: Annotated[Duration, Field(ge=timedelta(hours=1)), Expected("an hour or more", "30d")] = timedelta(days=30)
    """How long the embedded server keeps the history of an incident that has closed. A server of yours has its own."""
    rpc_timeout: Duration = timedelta(seconds=5)
    """How long a webhook waits for Temporal before it answers 503. Alertmanager itself gives up after 10 s by default."""


class KubernetesSettings(BaseModel):
    """The cluster that is watched; credentials come from KUBECONFIG or the pod's service account."""

    cluster: str | None = None
    """The name of the watched cluster. Set, it is the only one: an alert whose labels name another is looked into by nobody
    and escalated at once, for acting on it here would change the wrong cluster. Unset, every name is taken for this one."""
    context: str | None = None
    request_timeout: Duration = timedelta(seconds=10)
    concurrency: Count = 6
    """Reads in flight at once for one snapshot."""
    executor: KubernetesName | None = None
    """The ServiceAccount that changes what is in its namespace (`opsmend-executor` in deploy/rbac): for each change, a token of
    it that lives for ten minutes is asked for. Unset, changes are made with the rights of the kubeconfig."""
    executor_namespace: KubernetesName = "opsmend"
    """Where the ServiceAccount `<executor>-nodes` is, which cordons nodes."""

    @property
    def name(self) -> str:
        """What the cluster is called in the ids of incidents whose alerts do not name it."""
        return self.cluster or "default"


class ApprovalSettings(BaseModel):
    """How long a question stands. Defaults: domain.incident.Patience."""

    remind_after: Duration = timedelta(minutes=30)
    escalate_after: Duration = timedelta(hours=2)
    expire_after: Duration = timedelta(days=3)


class IncidentSettings(BaseModel):
    """The tempo of an incident. Defaults: domain.incident.Patience."""

    intake_window: DurationOrZero = timedelta(seconds=5)
    verify_interval: Duration = timedelta(seconds=10)
    verify_checks: Count = 3
    verify_deadline: Duration = timedelta(minutes=10)
    finish_within: Duration = timedelta(seconds=10)
    lock_deadline: Duration = timedelta(minutes=30)
    quiet_after: Duration = timedelta(hours=12)
    look_again_after: Duration = timedelta(minutes=15)
    """Until a target that was found well, or that nobody could look at, is looked at again while its alert fires on."""


class BudgetSettings(BaseModel):
    """Hard limits of one incident. Defaults: domain.budget.Budget."""

    tool_calls: Count = 2000
    tokens: CountOrZero = 200_000
    cost_usd: Money = 2.0


def _mentions(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return read_mentions(value)
    except ValueError as e:
        raise PydanticCustomError(SAYS_WHY, "{why}", {"why": str(e)}) from e


class LimitsSettings(BaseModel):
    """How much is changed before people must look. Defaults: domain.change_control.ChangeLimits."""

    per_namespace: Count = 20
    """Changes in one namespace within an hour."""
    per_cluster: Count = 60
    """Changes in the cluster within an hour."""
    remedies_per_target: Count = 3
    """Plans that change one object within 24 hours. After that it is held for people until `opsmend release`."""


class StormSettings(BaseModel):
    """What is bounded when many alerts come at once."""

    investigations_at_once: Count = 10
    """Looks that one worker of SRE takes at once: for investigations, at a fix, at good configurations. Others wait: grave ones
    before harmless ones, begun ones before new ones."""
    new_messages_per_minute: Count = 20
    """First messages of incidents in Slack. Others wait, and one digest tells of them meanwhile. Calls do not wait. Slack
    itself takes about one message a second in a channel."""


class SlackSettings(BaseModel):
    """Slack is used when `bot_token` and `channel` are set; `app_token` switches from HTTP to Socket Mode."""

    bot_token: SecretStr | None = None
    signing_secret: SecretStr | None = None
    app_token: SecretStr | None = None
    channel: str | None = None
    escalation_channel: str | None = None
    """Where all calls but a question and its reminder are made as well. Unset, they are made in `channel` only."""
    mentions: Annotated[
        tuple[MentionRule, ...], NoDecode, BeforeValidator(_mentions), Expected("rules", "critical=S0123456789")
    ] = ()
    """Whom a call mentions, such as `*=here; critical=S0123456789; shop/critical=U0123456789,U0123456790`: domain.mentions."""
    api_url: WebAddress = "https://slack.com/api/"


def _split(value: object) -> object:
    return tuple(filter(None, map(str.strip, value.split(",")))) if isinstance(value, str) else value


class IntakeSettings(BaseModel):
    """What is made of the alerts that come in."""

    heartbeats: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ("Watchdog", "InfoInhibitor", "DeadMansSwitch")
    """Names of alerts, separated by commas, that are acknowledged and open nothing: heartbeats and helpers."""
    heartbeat_severities: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = ("none",)
    """Severities that say the same, whatever the alert is called. kube-prometheus gives `none` to no other alerts."""
    grafana_secret: SecretStr | None = None
    """The HMAC secret of Grafana's contact point. Set, its webhooks must be signed with it, and carry the API token as well."""


class MilvusSettings(BaseModel):
    """Vector memory. `opsmend up` starts Milvus Lite and sets `uri` itself when unset."""

    uri: MilvusAddress | None = None
    token: SecretStr | None = None
    collection: str = "opsmend_postmortems"
    timeout: Duration = timedelta(seconds=5)


MailAddress = Annotated[
    str, Field(max_length=254, pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$")
]
"""An address without a name, in ASCII (RFC 5321, without quoted local parts): nothing in it can begin another header."""


class PagerDutySettings(BaseModel):
    """Used when `routing_key` is set."""

    routing_key: SecretStr | None = None
    """The integration key of an *Events API v2* integration of the service to page."""
    url: WebAddress = "https://events.pagerduty.com/v2/enqueue"
    """https://events.eu.pagerduty.com/v2/enqueue for accounts of the EU region."""


class SmtpSettings(BaseModel):
    """Mail is sent when `host`, `sender` and `recipients` are set."""

    host: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.:-]{1,253}$")
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    """`tls` from the first byte (port 465). `none` only without a password: for a relay beside opsmend."""
    username: str | None = None
    password: SecretStr | None = None
    sender: MailAddress | None = None
    recipients: Annotated[tuple[MailAddress, ...], NoDecode, BeforeValidator(_split)] = ()
    """Addresses, separated by commas."""


class WebhookSettings(BaseModel):
    """Used when `url` and `secret` are set."""

    url: SecretStr | None = None
    """Secret, because many receivers take whoever knows the address."""
    secret: SecretStr | None = None
    """`whsec_` and 24 to 64 bytes in base64, as https://www.standardwebhooks.com has it."""


class PagerSettings(BaseModel):
    """The second channel. Each kind that is set up is used."""

    timeout: Annotated[Duration, Field(le=timedelta(seconds=25)), Expected("a duration up to 25s", "15s")] = timedelta(
        seconds=15
    )
    """For one try of one pager. agents.patience.NOTIFY gives a whole activity 30 s."""
    pagerduty: PagerDutySettings = PagerDutySettings()
    smtp: SmtpSettings = SmtpSettings()
    webhook: WebhookSettings = WebhookSettings()


class LastGoodSettings(BaseModel):
    """The record of good configurations, kept while workloads run well with them."""

    namespaces: Annotated[KubernetesNames, NoDecode] = ()
    """Watched namespaces, separated by commas. None by default: values of ConfigMaps go to disk only where somebody said so."""
    interval: Annotated[Duration, Field(ge=timedelta(seconds=1)), Expected("a second or more", "5m")] = timedelta(minutes=5)
    """Between two looks. Each is four lists a namespace and a call a ConfigMap that its healthy workloads read."""
    steady_after: DurationOrZero = timedelta(seconds=30)
    """How old a workload's youngest pod must be before its configuration counts as good: domain.health.STEADY_AT_LEAST."""


class PolicySettings(BaseModel):
    """Where the Cedar policies are; the ones shipped with opsmend when unset."""

    directory: Path | None = None


class MetricsSettings(BaseModel):
    """Where a worker serves /metrics for Prometheus. The API serves its own on its own port."""

    port: Port | None = None
    """Unset, a worker serves none; `opsmend up` takes a free one. Two workers on one machine need two."""
    host: str = "127.0.0.1"
    """The address to listen on; 0.0.0.0 in a container."""


class Settings(BaseSettings):
    """The whole configuration."""

    model_config = SettingsConfigDict(
        env_prefix="OPSMEND_", env_nested_delimiter="__", env_ignore_empty=True, extra="ignore", populate_by_name=True
    )

    api_token: Token | None = None
    """Bearer token of the webhooks. Without it the API does not start (`opsmend demo` makes one up)."""
    operator_token: Token | None = None
    """Bearer token of decisions over HTTP."""
    prometheus_url: WebAddress | None = None
    data_dir: Path = Path(".opsmend")
    """Embedded state: Temporal's database, Milvus Lite, artifacts, the record of good configurations."""
    temporal_address: HostAndPort | None = Field(default=None, validation_alias="TEMPORAL_ADDRESS")
    """Set = no embedded Temporal server."""
    temporal_namespace: str = Field(default="default", validation_alias="TEMPORAL_NAMESPACE")

    langsmith_tracing: bool = False
    """Whether runs of the agents' graphs go to LangSmith as its own variables (LANGSMITH_…) say. Off, those export nothing."""

    instance: str | None = None
    """Told at /healthz, so that whoever started an API knows that it is this one that answers. `opsmend up` makes it up."""

    temporal: TemporalSettings = TemporalSettings()
    kubernetes: KubernetesSettings = KubernetesSettings()
    approval: ApprovalSettings = ApprovalSettings()
    incident: IncidentSettings = IncidentSettings()
    budget: BudgetSettings = BudgetSettings()
    intake: IntakeSettings = IntakeSettings()
    limits: LimitsSettings = LimitsSettings()
    storm: StormSettings = StormSettings()
    slack: SlackSettings = SlackSettings()
    pager: PagerSettings = PagerSettings()
    milvus: MilvusSettings = MilvusSettings()
    policy: PolicySettings = PolicySettings()
    last_good: LastGoodSettings = LastGoodSettings()
    metrics: MetricsSettings = MetricsSettings()
