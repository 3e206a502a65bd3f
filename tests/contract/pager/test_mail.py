"""What is said to a mail server and what stands in the mail."""

from contextlib import AsyncExitStack
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import trustme
from structlog.testing import capture_logs
from tests.builders import NOW
from tests.contract.pager.conftest import RECIPIENTS, MailSide, a_page, an_end
from tests.contract.pager.test_every_pager import HOSTILE
from tests.pager_standin.mail import MailServer, serving

from opsmend.adapters.pager.pagers import pager_of
from opsmend.domain.ports.pager import Pager
from opsmend.errors import PagerRejectedError, PagerUnavailableError

HEADERS = [
    *("From", "To", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted", "Subject"),
    *("Content-Type", "Content-Transfer-Encoding", "MIME-Version"),
]
"""All that a mail of ours has, in their order."""


@pytest.fixture
def pager(mail: MailSide, stack: AsyncExitStack) -> Pager:
    return pager_of(mail.settings, stack)


async def test_each_try_is_the_same_mail_byte_for_byte(pager: Pager, mail: MailSide) -> None:
    for _ in range(2):
        await pager.trigger(a_page())
    first, again = mail.server.mails
    assert first == again


async def test_mails_of_a_run_are_one_thread_and_those_of_the_next_run_another(pager: Pager, mail: MailSide) -> None:
    await pager.trigger(a_page())
    await pager.trigger(a_page(key="undo_failed-2"))
    await pager.resolve(an_end())
    await pager.trigger(a_page(run_id="run-2"))
    mails = [sent.message for sent in mail.server.mails]
    assert len({message["Message-ID"] for message in mails}) == 4
    threads = [message["References"] for message in mails]
    assert threads == [threads[0]] * 3 + [threads[3]]
    assert threads[0] != threads[3]
    assert all(message["In-Reply-To"] == message["References"] for message in mails)
    subjects = [message["Subject"].removeprefix("Re: ") for message in mails]
    assert set(subjects) == {"[opsmend] A person is needed: Deployment shop/web in demo"}


async def test_it_says_who_wrote_it_to_whom_when_and_that_no_person_did(pager: Pager, mail: MailSide) -> None:
    await pager.trigger(a_page())
    (sent,) = mail.server.mails
    assert sent.recipients == RECIPIENTS
    assert (sent.message["From"], sent.message["To"]) == ("opsmend <opsmend@example.com>", ", ".join(RECIPIENTS))
    assert parsedate_to_datetime(sent.message["Date"]) == NOW
    assert sent.message["Auto-Submitted"] == "auto-generated"
    assert sent.raw.isascii()
    first, second, *_ = sent.message.get_content().splitlines()
    assert (first, second) == (a_page().text, a_page().needed)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_no_text_becomes_a_header_or_a_recipient(pager: Pager, mail: MailSide, text: str) -> None:
    target = a_page().target.model_copy(update={"name": text})
    await pager.trigger(a_page(target=target, summary=text, text=text, alerts=(text,), plan=text, cluster=text))
    await pager.resolve(an_end(target=target, summary=text, cluster=text))
    for sent in mail.server.mails:
        assert sent.recipients == RECIPIENTS
        assert sent.message.keys() == HEADERS
        assert sent.message["Subject"].removeprefix("Re: ").startswith("[opsmend] A person is needed: Deployment shop/")
        assert all(len(header) <= 998 for header in sent.raw.splitlines())


# --- what the server answers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["AUTH", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [("450 4.2.0 come again", PagerUnavailableError), ("550 5.1.1 never", PagerRejectedError)],
    ids=["later", "never"],
)
async def test_whatever_a_server_answers_says_whether_to_come_again(
    pager: Pager, mail: MailSide, command: str, answer: str, error: type[Exception]
) -> None:
    mail.server.answers[command] = answer
    with pytest.raises(error, match=answer[:3]):
        await pager.trigger(a_page())
    assert mail.server.mails == []


async def test_a_recipient_who_is_refused_keeps_the_mail_from_no_other(pager: Pager, mail: MailSide) -> None:
    mail.server.answers[RECIPIENTS[0]] = "550 5.1.1 no such user"
    with capture_logs() as logs:
        await pager.trigger(a_page())
    assert [sent.recipients for sent in mail.server.mails] == [RECIPIENTS[1:]]
    assert [(entry["event"], entry["recipient"], entry["code"]) for entry in logs] == [
        ("pager.recipient_refused", RECIPIENTS[0], 550)
    ]


async def test_one_recipient_who_may_be_taken_later_is_reason_to_come_again(pager: Pager, mail: MailSide) -> None:
    mail.server.answers |= {RECIPIENTS[0]: "550 5.1.1 no such user", RECIPIENTS[1]: "452 4.2.2 mailbox full"}
    with pytest.raises(PagerUnavailableError, match="452"):
        await pager.trigger(a_page())


# --- how the connection is made ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("security", ["starttls", "tls", "none"])
async def test_mail_goes_out_each_way_that_a_server_may_want(
    trusting: MailServer, stack: AsyncExitStack, security: str
) -> None:
    trusting.security = security
    async with serving(trusting):
        of = MailSide(trusting).settings.smtp.model_copy(update={"security": security})
        if security == "none":
            of = of.model_copy(update={"username": None, "password": None})
        pager = pager_of(MailSide(trusting).settings.model_copy(update={"smtp": of}), stack)
        assert "takes our mail" in await pager.check()
        await pager.trigger(a_page())
    assert len(trusting.mails) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_server_that_cannot_prove_who_it_is_gets_neither_password_nor_mail(
    trusting: MailServer, stack: AsyncExitStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, security: str
) -> None:
    others = tmp_path / "another-ca.pem"
    trustme.CA().cert_pem.write_to_path(others)
    monkeypatch.setenv("SSL_CERT_FILE", str(others))
    trusting.security = security
    async with serving(trusting):
        settings = MailSide(trusting).settings
        of = settings.smtp.model_copy(update={"security": security})
        with pytest.raises(PagerUnavailableError, match="certificate"):
            await pager_of(settings.model_copy(update={"smtp": of}), stack).trigger(a_page())
    assert (trusting.mails, trusting.logins) == ([], 0)


async def test_a_server_without_starttls_is_not_told_the_password(trusting: MailServer, stack: AsyncExitStack) -> None:
    trusting.security = "none"
    async with serving(trusting):
        with pytest.raises(PagerRejectedError, match="STARTTLS"):
            await pager_of(MailSide(trusting).settings, stack).trigger(a_page())
    assert (trusting.mails, trusting.logins) == ([], 0)


async def test_a_server_that_hangs_after_it_took_the_mail_has_taken_it(pager: Pager, mail: MailSide) -> None:
    mail.server.hangs_up_late = True
    await pager.trigger(a_page())
    assert len(mail.server.mails) == 1


async def test_checking_logs_in_and_sends_nothing(pager: Pager, mail: MailSide) -> None:
    await pager.check()
    assert (mail.server.logins, mail.server.mails) == (1, [])
    mail.server.answers["AUTH"] = "535 5.7.8 wrong"
    with pytest.raises(PagerUnavailableError, match="535"):
        await pager.check()


async def test_a_server_that_dawdles_at_each_step_is_left_in_time(mail: MailSide, stack: AsyncExitStack) -> None:
    mail.server.delay = 0.1  # some two seconds in all, and no step takes one
    settings = mail.settings.model_copy(update={"timeout": timedelta(seconds=1)})
    with pytest.raises(PagerUnavailableError):
        await pager_of(settings, stack).trigger(a_page())
    assert mail.server.mails == []
