"""Each pager against what it talks to, seen from outside by one and the same set of words."""

import ssl
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import SecretStr
from tests.builders import NOW, a_ref
from tests.pager_standin.http import FaultyServer
from tests.pager_standin.mail import Mail, MailServer, serving
from tests.pager_standin.pagerduty import PagerDutyStandin
from tests.pager_standin.webhook import WebhookReceiver
from tests.slack_standin.faults import Fault, Mode
from tests.slack_standin.server import listening

from opsmend.adapters.pager.pagers import pager_of
from opsmend.domain.ports.pager import Page, PageOver, Pager
from opsmend.settings import PagerDutySettings, PagerSettings, SmtpSettings, WebhookSettings

INCIDENT: Final = "incident:demo:shop:deployment:web"
RECIPIENTS: Final = ("oncall@example.com", "sre@example.com")


def a_page(**changes: Any) -> Page:
    defaults: dict[str, Any] = {
        "incident_id": INCIDENT,
        "run_id": "run-1",
        "key": "undo_failed-1",
        "reason": "rolled_back",
        "severity": "warning",
        "cluster": "demo",
        "target": a_ref(),
        "summary": "revision 2 crashes",
        "text": "The fix did not help and was undone.",
        "needed": "On-call has to take over: the problem is still there.",
        "alerts": ("KubePodCrashLooping",),
        "plan": "Roll Deployment shop/web back to revision 1",
        "at": NOW,
        "temporal_ui": "http://127.0.0.1:8233/namespaces/default/workflows/x/run-1/history",
    }
    return Page(**(defaults | changes))


def an_end(**changes: Any) -> PageOver:
    defaults: dict[str, Any] = {
        "incident_id": INCIDENT,
        "run_id": "run-1",
        "cluster": "demo",
        "target": a_ref(),
        "outcome": "self_resolved",
        "summary": "every alert resolved by itself",
        "at": NOW + timedelta(hours=1),
    }
    return PageOver(**(defaults | changes))


class OtherSide(ABC):
    """What a pager talks to, and what reaches a person there."""

    @property
    @abstractmethod
    def settings(self) -> PagerSettings:
        """Complete, for this pager alone."""

    @property
    @abstractmethod
    def wrong_credential(self) -> PagerSettings: ...

    @property
    @abstractmethod
    def rings(self) -> int:
        """How often somebody was called, repetitions that their phone can tell left out."""

    @property
    @abstractmethod
    def over(self) -> int:
        """How often somebody was told that it is over."""

    @abstractmethod
    def shown(self) -> str:
        """All texts of the newest page."""

    @abstractmethod
    async def go_down(self) -> None: ...

    @abstractmethod
    async def come_back(self) -> None: ...

    @abstractmethod
    def loses_the_next_answer(self) -> None: ...

    @abstractmethod
    def is_busy(self) -> None:
        """Says to try again later."""

    @abstractmethod
    def refuses(self) -> None: ...

    @abstractmethod
    def dawdles(self) -> None:
        """Answers after the pager's patience."""


class _OverHttp(OtherSide):
    server: FaultyServer

    async def go_down(self) -> None:
        await self.server.listener.stop()

    async def come_back(self) -> None:
        await self.server.listener.start()

    def loses_the_next_answer(self) -> None:
        self.server.faults.active.append(Fault(Mode.CONNECTION_LOST, times=1))

    def is_busy(self) -> None:
        self.server.faults.active.append(Fault(Mode.RATE_LIMITED, seconds=90))

    def refuses(self) -> None:
        self.server.faults.active.append(Fault(Mode.REFUSED, code="not for you"))

    def dawdles(self) -> None:
        self.server.faults.active.append(Fault(Mode.SLOW, seconds=2))


class PagerDutySide(_OverHttp):
    def __init__(self) -> None:
        self.standin = PagerDutyStandin()
        self.server = self.standin.server

    def _with(self, key: str) -> PagerSettings:
        return PagerSettings(pagerduty=PagerDutySettings(url=self.server.url, routing_key=SecretStr(key)))

    @property
    def settings(self) -> PagerSettings:
        return self._with(self.standin.routing_key)

    @property
    def wrong_credential(self) -> PagerSettings:
        return self._with("f" * 32)

    @property
    def rings(self) -> int:
        return len(self.standin.incidents)

    @property
    def over(self) -> int:
        return len([incident for incident in self.standin.incidents if incident.status == "resolved"])

    def shown(self) -> str:
        return self.standin.incidents[-1].triggers[-1].model_dump_json()


class WebhookSide(_OverHttp):
    def __init__(self) -> None:
        self.receiver = WebhookReceiver()
        self.server = self.receiver.server

    def _with(self, secret: str) -> PagerSettings:
        return PagerSettings(webhook=WebhookSettings(url=SecretStr(self.server.url), secret=SecretStr(secret)))

    @property
    def settings(self) -> PagerSettings:
        return self._with(self.receiver.secret)

    @property
    def wrong_credential(self) -> PagerSettings:
        return self._with(f"whsec_{'A' * 43}=")

    def _events(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.receiver.events.values() if event["event"] == kind]

    @property
    def rings(self) -> int:
        return len(self._events("trigger"))

    @property
    def over(self) -> int:
        return len(self._events("resolve"))

    def shown(self) -> str:
        return str(self._events("trigger")[-1])


class MailSide(OtherSide):
    def __init__(self, server: MailServer) -> None:
        self.server = server

    def _with(self, password: str) -> PagerSettings:
        smtp = SmtpSettings(
            host="localhost",
            port=self.server.port,
            username=self.server.username,
            password=SecretStr(password),
            sender="opsmend@example.com",
            recipients=RECIPIENTS,
        )
        return PagerSettings(smtp=smtp, timeout=timedelta(seconds=1))

    @property
    def settings(self) -> PagerSettings:
        return self._with(self.server.password)

    @property
    def wrong_credential(self) -> PagerSettings:
        return self._with("hunter2hunter2")

    def mails(self, *, replies: bool = False) -> list[Mail]:
        return [mail for mail in self.server.by_id.values() if mail.message["Subject"].startswith("Re: ") is replies]

    @property
    def rings(self) -> int:
        return len(self.mails())

    @property
    def over(self) -> int:
        return len(self.mails(replies=True))

    def shown(self) -> str:
        message = self.mails()[-1].message
        return f"{message['Subject']}\n{message.get_content()}"

    async def go_down(self) -> None:
        await self.server.stop()

    async def come_back(self) -> None:
        await self.server.start()

    def loses_the_next_answer(self) -> None:
        self.server.loses_answers = 1

    def is_busy(self) -> None:
        self.server.answers["DATA"] = "451 4.3.2 try again later"

    def refuses(self) -> None:
        self.server.answers["DATA"] = "554 5.7.1 not for you"

    def dawdles(self) -> None:
        self.server.delay = 2


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> MailServer:
    """A mail server whose certificate this process trusts."""
    server = MailServer()
    certificates = tmp_path / "ca.pem"
    server.authority.cert_pem.write_to_path(certificates)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates))
    assert ssl.get_default_verify_paths().cafile == str(certificates)
    return server


@pytest.fixture
async def mail(trusting: MailServer) -> AsyncIterator[MailSide]:
    async with serving(trusting) as server:
        yield MailSide(server)


@pytest.fixture
async def pagerduty(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PagerDutySide]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    side = PagerDutySide()
    async with listening(side.server.listener):
        yield side


@pytest.fixture
async def webhook(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WebhookSide]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    side = WebhookSide()
    async with listening(side.server.listener):
        yield side


@pytest.fixture(params=["pagerduty", "smtp", "webhook"])
def other_side(request: pytest.FixtureRequest, pagerduty: PagerDutySide, mail: MailSide, webhook: WebhookSide) -> OtherSide:
    sides: dict[str, OtherSide] = {"pagerduty": pagerduty, "smtp": mail, "webhook": webhook}
    return sides[request.param]


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as opened:
        yield opened


@pytest.fixture
def pager(other_side: OtherSide, stack: AsyncExitStack) -> Pager:
    return pager_of(other_side.settings.model_copy(update={"timeout": timedelta(seconds=1)}), stack)
