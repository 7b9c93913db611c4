"""E-mails go out through a real mail server: once, again after a failure, and after a worker's death."""

import asyncio
import email
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import Message

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from pytest_django import Settings

from gridgate.notifications.models import OutgoingEmail
from gridgate.notifications.tasks import LEASE, MOST_ATTEMPTS, claim, send
from tests.forking import Forked
from tests.mail_server import mail_server
from tests.ports import free_port
from tests.real_registry import Registry
from tests.waiting import PATIENCE, until

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class MailServer:
    """Keeps what it is sent; answers as it is told to."""

    def __init__(self) -> None:
        self.port = 0
        self.received: list[Message] = []
        self.answers: list[str] = []
        """What to answer to the next e-mails, one each; afterwards all are taken."""
        self.holding = threading.Event()
        """Set when an e-mail is there that the answer "hold" keeps waiting."""
        self.free = threading.Event()
        """Lets such an e-mail go on."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answers.pop(0) if self.answers else ""
        if answer == "hold":
            self.holding.set()
            await asyncio.get_running_loop().run_in_executor(None, self.free.wait)
        elif answer:
            return answer
        content = envelope.content
        assert isinstance(content, bytes)
        self.received.append(email.message_from_bytes(content))
        return "250 OK"


@pytest.fixture
def server() -> Iterator[MailServer]:
    server = MailServer()
    with mail_server(server) as server.port:
        yield server
        server.free.set()


@pytest.fixture
def smtp(server: MailServer, settings: Settings) -> MailServer:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    return server


def waiting(key: str = "ended:GG-20261125-000001:user-1", **more: object) -> OutgoingEmail:
    facts: dict[str, object] = {
        "recipient": "alice@acme.example",
        "language": "fr",
        "subject": "Fin d’un partage",
        "body": "Résilié.\n",
        "created_at": NOW,
        "due_at": NOW,
    }
    return OutgoingEmail.objects.create(key=key, **{**facts, **more})


def send_due(now: datetime) -> int:
    sent = 0
    while (claimed := claim(now=now)) is not None:
        sent += send(claimed, clock=lambda: now)
    return sent


@pytest.mark.django_db
def test_an_email_goes_out_once_with_its_receipt(smtp: MailServer) -> None:
    waiting(attachment_name="GG-20261125-000001.jws", attachment="e30.e30.AA")
    assert send_due(NOW) == 1
    assert send_due(NOW + timedelta(days=30)) == 0
    (message,) = smtp.received
    subject = email.header.make_header(email.header.decode_header(message["Subject"]))
    assert str(subject) == "Fin d’un partage"
    assert (message["To"], message["From"]) == ("alice@acme.example", "no-reply@127.0.0.1")
    assert (message["Auto-Submitted"], message["Content-Language"]) == ("auto-generated", "fr")
    body, attachment = message.get_payload()
    assert body.get_payload(decode=True).decode().strip() == "Résilié."
    assert (attachment.get_content_type(), attachment.get_filename()) == (
        "application/jose",
        "GG-20261125-000001.jws",
    )
    assert attachment.get_payload(decode=True) == b"e30.e30.AA"
    row = OutgoingEmail.objects.get()
    assert (row.sent_at, row.attempts, row.leased_until, row.failure) == (NOW, 1, None, "")


@pytest.mark.django_db
def test_a_failure_is_tried_again_later_and_later(smtp: MailServer) -> None:
    waiting()
    smtp.answers += ["451 try later", "554 no"]
    assert send_due(NOW) == 0
    row = OutgoingEmail.objects.get()
    assert (row.due_at, row.leased_until, row.sent_at) == (NOW + MINUTE, None, None)
    assert "451" in row.failure
    assert send_due(NOW + MINUTE - timedelta(seconds=1)) == 0
    assert send_due(NOW + MINUTE) == 0
    row.refresh_from_db()
    assert (row.due_at, row.attempts) == (NOW + 3 * MINUTE, 2)
    assert send_due(NOW + 3 * MINUTE) == 1
    row.refresh_from_db()
    assert (row.failure, row.attempts) == ("", 3)
    assert len(smtp.received) == 1


@pytest.mark.django_db
def test_a_mail_server_that_is_not_there_is_a_failure_like_another(settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    waiting()
    assert send_due(NOW) == 0
    assert "ConnectionRefusedError" in OutgoingEmail.objects.get().failure


@pytest.mark.django_db
def test_an_email_that_fails_for_days_is_given_up_and_told(
    smtp: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    waiting()
    smtp.answers += ["554 no"] * MOST_ATTEMPTS
    now = NOW
    for _ in range(MOST_ATTEMPTS):
        assert send_due(now) == 0
        now = OutgoingEmail.objects.get().due_at
    assert timedelta(days=4) < now - NOW < timedelta(days=7)
    assert "the last one" in caplog.text
    assert send_due(now + timedelta(days=1)) == 0
    assert not smtp.answers


@pytest.mark.django_db
@pytest.mark.parametrize(("answer", "sent"), [("552 no such attachments here", 1), ("451 try later", 0)])
def test_one_that_is_refused_for_good_does_not_hold_up_its_thread_for_days(
    smtp: MailServer, answer: str, sent: int
) -> None:
    waiting("a", thread="sharing:1:2")
    waiting("b", thread="sharing:1:2")
    smtp.answers.append(answer)
    assert send_due(NOW) == sent
    assert send_due(NOW + MINUTE) == 2 - sent, "it is tried again all the same"


@pytest.mark.django_db
def test_one_that_fails_does_not_hold_up_the_others(smtp: MailServer) -> None:
    waiting("a")
    waiting("b", due_at=NOW + timedelta(seconds=1))
    smtp.answers.append("554 no")
    assert send_due(NOW + timedelta(seconds=1)) == 1


@pytest.mark.django_db
def test_a_claimed_email_is_nobody_elses_until_its_lease_is_over(smtp: MailServer) -> None:
    waiting()
    assert claim(now=NOW) is not None
    assert claim(now=NOW + LEASE - timedelta(seconds=1)) is None
    again = claim(now=NOW + LEASE)
    assert again is not None
    assert again.attempts == 2


@pytest.mark.django_db
def test_who_lost_the_lease_does_not_write_over_who_has_it(smtp: MailServer) -> None:
    waiting()
    slow = claim(now=NOW)
    fast = claim(now=NOW + LEASE)
    assert slow is not None
    assert fast is not None
    smtp.answers += ["", "554 no"]
    assert send(fast, clock=lambda: NOW)
    assert not send(slow, clock=lambda: NOW)
    assert OutgoingEmail.objects.get().sent_at == NOW


@pytest.mark.django_db
def test_copies_of_one_email_have_one_message_id_and_others_another(smtp: MailServer) -> None:
    waiting("a")
    waiting("b")
    for _ in range(2):
        send_due(NOW)
        OutgoingEmail.objects.update(sent_at=None)
    ids = [message["Message-ID"] for message in smtp.received]
    assert (len(ids), len(set(ids))) == (4, 2)


# --- real workers

WORK = """
from datetime import UTC, datetime
from gridgate.config.worker import run
told = []
def clock():
    if not told:
        told.append(print("at work", flush=True))
    return datetime.now(UTC)
run(environment, clock=clock)
"""
ENQUEUE = """
from datetime import UTC, datetime
from gridgate.notifications.models import OutgoingEmail
now = datetime.now(UTC)
for number in range({count}):
    OutgoingEmail.objects.create(key=f"k{{number}}", recipient="alice@acme.example", language="fr",
                                 subject=f"n{{number}}", body="b", created_at=now, due_at=now)
"""


@pytest.fixture
def start(registry: Registry, server: MailServer) -> Iterator[Callable[[], Forked]]:
    """Start a worker, and return once it listens to signals and looks for e-mails."""
    workers: list[Forked] = []

    def start() -> Forked:
        workers.append(
            registry.start(WORK, GRIDGATE_SMTP_HOST="127.0.0.1", GRIDGATE_SMTP_PORT=str(server.port))
        )
        assert workers[-1].stdout is not None
        assert workers[-1].stdout.readline() == "at work\n"
        return workers[-1]

    yield start
    for worker in workers:
        if worker.poll() is None:
            worker.kill()
        worker.communicate()


def sent(registry: Registry) -> int:
    return int(
        registry.rows("SELECT count(*) FROM notifications_outgoingemail WHERE sent_at IS NOT NULL")[0][0]
    )


def test_several_workers_send_each_email_once(
    registry: Registry, server: MailServer, start: Callable[[], Forked]
) -> None:
    workers = [start(), start()]
    registry.run(ENQUEUE.format(count=30))
    until(lambda: sent(registry) == 30, "30 e-mails sent")
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    assert [worker.wait(PATIENCE) for worker in workers] == [0, 0]
    assert sorted(message["Subject"] for message in server.received) == sorted(
        f"n{number}" for number in range(30)
    )


def test_a_worker_told_to_stop_finishes_the_email_that_it_sends(
    registry: Registry, server: MailServer, start: Callable[[], Forked]
) -> None:
    registry.run(ENQUEUE.format(count=1))
    server.answers.append("hold")
    worker = start()
    assert server.holding.wait(PATIENCE)
    worker.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(timeout=1)
    server.free.set()
    assert worker.wait(PATIENCE) == 0
    assert (sent(registry), len(server.received)) == (1, 1)


def test_what_a_killed_worker_was_sending_the_next_one_sends(
    registry: Registry, server: MailServer, start: Callable[[], Forked]
) -> None:
    registry.run(ENQUEUE.format(count=1))
    server.answers.append("hold")
    worker = start()
    assert server.holding.wait(PATIENCE)
    worker.kill()
    worker.wait(PATIENCE)
    assert sent(registry) == 0
    ((leased, attempts),) = registry.rows("SELECT leased_until, attempts FROM notifications_outgoingemail")
    assert leased is not None
    assert attempts == 1
    registry.rows(
        "UPDATE notifications_outgoingemail SET leased_until = '2000-01-01 00:00:00'"
    )  # five minutes pass
    start()
    until(lambda: sent(registry) == 1, "the e-mail sent by the next worker")
    assert registry.rows("SELECT attempts FROM notifications_outgoingemail") == [(2,)]
