"""A mail server (aiosmtpd, so SMTP is the real one) that wants TLS and a password, and keeps what it took."""

import asyncio
import email.policy
import secrets
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from typing import Any, Final

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

NAME: Final = "localhost"
"""What its certificate is made out to."""


@dataclass(frozen=True)
class Mail:
    """One mail that was taken, to whom by the envelope, and word for word."""

    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.raw, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class MailServer:
    """`mails` has all that it took. `answers` replaces its reply to a command (`RCPT`, `DATA`, `AUTH`), or to the RCPT of one
    address."""

    security: str = "starttls"
    username: str = "opsmend"
    password: str = field(default_factory=lambda: secrets.token_hex(12))
    mails: list[Mail] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    loses_answers: int = 0
    """So many mails are taken, and the connection breaks before the 250."""
    hangs_up_late: bool = False
    """Says nothing to QUIT."""
    delay: float = 0
    """Seconds before each thing that it says."""
    logins: int = 0
    """How often somebody tried a password."""
    port: int = 0
    authority: trustme.CA = field(default_factory=trustme.CA)
    _server: asyncio.Server | None = None

    @property
    def by_id(self) -> dict[str, Mail]:
        """What a mail client shows: a mail a Message-ID, in the order in which it first came."""
        return {str(mail.message["Message-ID"]): mail for mail in self.mails}

    async def start(self) -> None:
        tls = None if self.security == "none" else self._tls()
        upgraded = {"tls_context": tls, "require_starttls": True} if self.security == "starttls" else {}
        login = {} if self.security == "none" else {"authenticator": self._authenticate, "auth_required": True}
        loop = asyncio.get_running_loop()

        def session() -> SMTP:
            starttls = self.security == "starttls"
            with warnings.catch_warnings(action="ignore"):  # it does not see the TLS that was there from the first byte
                return _Slow(self, loop=loop, hostname=NAME, auth_require_tls=starttls, **upgraded, **login)

        wrapped = tls if self.security == "tls" else None
        self._server = await loop.create_server(session, "127.0.0.1", self.port, ssl=wrapped)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """From now on connections are refused."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def _tls(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(NAME).configure_cert(context)
        return context

    def _authenticate(self, _: SMTP, __: Session, ___: Envelope, ____: str, given: Any) -> AuthResult:
        self.logins += 1
        if "AUTH" in self.answers:
            return AuthResult(success=False, handled=False, message=self.answers["AUTH"])
        fits = isinstance(given, LoginPassword) and (given.login, given.password) == (
            self.username.encode(),
            self.password.encode(),
        )
        return AuthResult(success=fits, handled=False)

    # --- what aiosmtpd asks its handler ---

    async def handle_QUIT(self, _: SMTP, __: Session, ___: Envelope) -> str:
        if self.hangs_up_late:
            await asyncio.Event().wait()
        return "221 Bye"

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        answer = self.answers.get(address, self.answers.get("RCPT", "250 OK"))
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:
        if "DATA" in self.answers:
            return self.answers["DATA"]
        assert isinstance(envelope.content, bytes)
        self.mails.append(Mail(tuple(envelope.rcpt_tos), envelope.content))
        if self.loses_answers:
            self.loses_answers -= 1
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 OK"


class _Slow(SMTP):
    """Thinks for `delay` before it speaks."""

    def __init__(self, mail: MailServer, **options: Any) -> None:
        super().__init__(mail, **options)
        self._mail = mail

    async def push(self, status: Any) -> None:
        await asyncio.sleep(self._mail.delay)
        await super().push(status)


@asynccontextmanager
async def serving(server: MailServer) -> AsyncIterator[MailServer]:
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
