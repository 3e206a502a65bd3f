"""Mail to whoever is on call, by SMTP."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final, TypeVar

import aiosmtplib
import structlog

from opsmend.domain.ports.pager import Page, Paged, PageOver
from opsmend.domain.record import digest
from opsmend.errors import PagerRejectedError, PagerUnavailableError
from opsmend.policy.outgoing import line
from opsmend.settings import SmtpSettings

log = structlog.get_logger(__name__)

NAME: Final = "smtp"
_LASTING: Final = 500
"""SMTP's codes from here on are final, those below pass (RFC 5321, 4.2.1)."""
_MAIL: Final = SMTP.clone(max_line_length=998)
"""RFC 5322's own limit. A subject that is folded at 78 begins with an empty line."""
_TO_SAY_GOODBYE: Final = timedelta(seconds=2)

T = TypeVar("T")


class SmtpPager:
    """Each try of one event is the same mail, byte for byte, and mail clients show the mails of one run as one thread."""

    def __init__(self, settings: SmtpSettings, sender: str, timeout: timedelta) -> None:
        """`settings` has host, sender and recipients; `sender` is the same one. `timeout` is for all of one mail."""
        self._settings = settings
        self._sender = Address("opsmend", addr_spec=sender)
        self._timeout = timeout

    async def trigger(self, page: Page) -> Paged:
        mail = self._mail(page, "trigger", page.key)
        mail["Subject"] = _subject(page)
        mail.set_content(_told(page), cte="quoted-printable")
        return await self._send(mail)

    async def resolve(self, over: PageOver) -> Paged:
        mail = self._mail(over, "resolve")
        mail["Subject"] = f"Re: {_subject(over)}"
        mail.set_content(_told_over(over), cte="quoted-printable")
        return await self._send(mail)

    async def check(self) -> str:
        await self._connected(aiosmtplib.SMTP.noop)
        return f"{self._who} takes our mail."

    def _mail(self, about: Page | PageOver, *event: str) -> EmailMessage:
        thread = self._id(about.incident_id, about.run_id)
        mail = EmailMessage(policy=_MAIL)
        mail["From"] = self._sender
        mail["To"] = [Address(addr_spec=recipient) for recipient in self._settings.recipients]
        mail["Date"] = about.at
        mail["Message-ID"] = self._id(about.incident_id, about.run_id, *event)
        mail["In-Reply-To"] = mail["References"] = thread  # no mail has this id, and none has to
        mail["Auto-Submitted"] = "auto-generated"
        return mail

    def _id(self, *about: str) -> str:
        return f"<{digest(about)[:40]}@{self._sender.domain}>"

    async def _send(self, mail: EmailMessage) -> Paged:
        sender, recipients = self._sender.addr_spec, self._settings.recipients
        refused, _ = await self._connected(lambda server: server.sendmail(sender, recipients, mail.as_bytes()))
        for recipient, answer in refused.items():
            log.error("pager.recipient_refused", recipient=recipient, code=answer.code, detail=line(answer.message, 200))
        return Paged(by=(NAME,))

    async def _connected(self, work: Callable[[aiosmtplib.SMTP], Awaitable[T]]) -> T:
        """Raises PagerUnavailableError, PagerRejectedError."""
        server = self._client()
        try:
            with self._translated():
                async with asyncio.timeout(self._timeout.total_seconds()):
                    await server.connect()
                    result = await work(server)
            with suppress(aiosmtplib.SMTPException):  # what was accepted is theirs by now
                await server.quit(timeout=_TO_SAY_GOODBYE.total_seconds())
        finally:
            server.close()
        return result

    def _client(self) -> aiosmtplib.SMTP:
        of = self._settings
        return aiosmtplib.SMTP(
            hostname=of.host,
            port=of.port,
            use_tls=of.security == "tls",
            start_tls=of.security == "starttls",
            username=of.username,
            password=of.password.get_secret_value() if of.password else None,
            # The library's own default asks the DNS, and may wait for it.
            local_hostname=self._sender.domain,
            timeout=self._timeout.total_seconds(),
        )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as e:
            raise self._refusal(e) from e
        except (OSError, TimeoutError) as e:  # SMTPConnectError, SMTPServerDisconnected and SMTPTimeoutError among them
            raise PagerUnavailableError(f"{self._who} did not answer: {type(e).__name__} {line(str(e), 200)}".rstrip()) from e
        except aiosmtplib.SMTPException as e:
            raise PagerRejectedError(f"{self._who}: {line(e.message, 200)}") from e

    def _refusal(
        self, error: aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPResponseException
    ) -> PagerUnavailableError | PagerRejectedError:
        """All recipients were refused, or the mail was. One that may be taken later is reason enough to try again."""
        answers = error.recipients if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else [error]
        said = "; ".join(f"{answer.code} {line(answer.message, 200)}" for answer in answers[:3])
        lasting = all(answer.code >= _LASTING for answer in answers)
        return (PagerRejectedError if lasting else PagerUnavailableError)(f"{self._who} answered {said}")

    @property
    def _who(self) -> str:
        return f"Mail server {self._settings.host}:{self._settings.port}"


def _subject(about: Page | PageOver) -> str:
    """The same for a whole incident, or mail clients would show another thread."""
    subject = f"[opsmend] A person is needed: {line(str(about.target), 150)} in {line(about.cluster, 60)}"
    # An encoded word would be decoded into what it hides: another header, in a Python without the fix of CVE-2024-6923.
    return subject.replace("=?", "= ?")


def _told(page: Page) -> str:
    facts = {
        "Severity": page.severity.value,
        "Problem": page.summary,
        "Plan": page.plan,
        "Alerts": ", ".join(page.alerts),
        "Incident": page.incident_id,
        "Read on": page.temporal_ui,
    }
    return _text(f"{page.text}\n{page.needed}", facts)


def _told_over(over: PageOver) -> str:
    facts = {"Outcome": over.outcome or "", "Why": over.summary, "Incident": over.incident_id, "Read on": over.temporal_ui}
    return _text("Nobody is needed any more.", facts)


def _text(opening: str, facts: Mapping[str, str]) -> str:
    lines = (f"{name}: {line(fact, 600)}" for name, fact in facts.items() if fact)
    return "\n".join((opening, "", *lines, ""))
