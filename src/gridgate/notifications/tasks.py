"""Rendering what changes ask for, sending the e-mails that wait, and reminding of permissions that will end.

An e-mail is claimed by a conditional UPDATE: whoever changes the row has it, for a while. A worker that
dies leaves its claim to run out, and the next one sends it: at least once, and once when nothing goes
wrong. Copies of one e-mail have the same Message-ID.
"""

import logging
import smtplib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils.crypto import salted_hmac
from django.utils.timezone import get_default_timezone

from gridgate.core.sharing import PermissionState
from gridgate.core.time import civil_day_of
from gridgate.core.unavailability import is_unavailable
from gridgate.notifications import asking, permissions
from gridgate.notifications.letters import Withdrawn, body_of, enqueue
from gridgate.notifications.models import OutgoingEmail
from gridgate.organisations.models import Organisation, User
from gridgate.sharing.models import Permission

_log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
"""Longer than a mail server may take (`EMAIL_TIMEOUT` for each of its answers)."""
AT_ONCE = 100
"""So many changes are told of before the worker looks at its other work."""
MOST_ATTEMPTS = 30
LONGEST_WAIT = timedelta(hours=6)
"""Between two attempts; the first come after 1, 2, 4… minutes. Thirty attempts take about five days."""
REMINDERS = (60, 30, 7)
"""Days before a permission ends."""


def claim(*, now: datetime) -> OutgoingEmail | None:
    """Take an e-mail that is due and that nobody else is sending; None when there is none.

    One of a thread waits until those to the same address before it have left, are given up, or are out of the thread.
    """
    waited_for = OutgoingEmail.objects.exclude(thread="").filter(
        thread=OuterRef("thread"),
        recipient=OuterRef("recipient"),
        pk__lt=OuterRef("pk"),
        sent_at__isnull=True,
        attempts__lt=MOST_ATTEMPTS,
    )
    free = OutgoingEmail.objects.filter(
        Q(thread="") | ~Exists(waited_for),
        Q(leased_until__isnull=True) | Q(leased_until__lte=now),
        sent_at__isnull=True,
        due_at__lte=now,
        attempts__lt=MOST_ATTEMPTS,
    ).exclude(recipient="")
    for pk in free.order_by("due_at", "pk").values_list("pk", flat=True)[:20]:
        if free.filter(pk=pk).update(leased_until=now + LEASE, attempts=F("attempts") + 1):
            return OutgoingEmail.objects.get(pk=pk)
    return None


def write_letters(*, now: datetime) -> int:
    """Render the letters that are asked for (`asking.ask`), in the order of what they tell, and queue them; returns of
    how many changes.

    The letters and that they were asked for change places in one transaction: a death before it leaves the change to the
    next round, and of two workers at once one writes them. One that cannot be rendered holds up no other, and is tried
    again later each time.
    """
    orders = unwritten().filter(due_at__lte=now)
    done = 0
    for order in orders[:AT_ONCE]:
        try:
            letters = asking.letters_of(order, now=now)
        except Exception as error:
            if is_unavailable(error):
                raise
            _log.exception("the letters of %s cannot be written", order.key)
            wait = _wait(order.attempts + 1)
            orders.filter(pk=order.pk).update(
                due_at=now + wait,
                attempts=min(order.attempts + 1, 100),
                failure=f"{type(error).__name__}: {error}",
            )
            continue
        with transaction.atomic():
            if OutgoingEmail.objects.filter(pk=order.pk).delete()[0]:
                if not _reach_their_readers(letters):
                    transaction.set_rollback(True)
                    continue
                enqueue(letters)
        done += 1
    return done


def _reach_their_readers(letters: Sequence[OutgoingEmail]) -> bool:
    """Whether all of the addresses are somebody's still: not when an account was deleted, or got another address, as the
    letters were rendered, which are rendered again then.
    """
    addresses = {letter.recipient for letter in letters}
    people = User.objects.filter(email__in=addresses, is_active=True)
    companies = Organisation.objects.filter(contact_email__in=addresses)
    return addresses <= {
        *people.values_list("email", flat=True),
        *companies.values_list("contact_email", flat=True),
    }


def unwritten() -> QuerySet[OutgoingEmail]:
    """The changes whose letters are asked for and not rendered yet, the oldest first; `failure` says why not."""
    return OutgoingEmail.objects.filter(recipient="", sent_at__isnull=True).order_by("pk")


def send(email: OutgoingEmail, *, clock: Callable[[], datetime]) -> bool:
    """Send a claimed e-mail and write what became of it; returns whether it went out."""
    mine = OutgoingEmail.objects.filter(pk=email.pk, attempts=email.attempts)
    try:
        _message(email).send()
    except Withdrawn:
        mine.update(
            leased_until=None, attempts=MOST_ATTEMPTS, failure="withdrawn: what it carries is no longer good"
        )
        return False
    except Exception as error:  # noqa: BLE001 -- a mail server fails in any way; each means trying again
        mine.update(
            leased_until=None,
            due_at=clock() + _wait(email.attempts),
            failure=f"{type(error).__name__}: {error}",
            # Tried again for days in case, which those after it need not wait for: they may be taken.
            thread="" if _is_of_this_one(error) else email.thread,
        )
        last = email.attempts >= MOST_ATTEMPTS
        _log.log(
            logging.ERROR if last else logging.WARNING,
            "e-mail %s could not be sent, attempt %s%s: %s",
            email.pk,
            email.attempts,
            ", the last one" if last else "",
            error,
        )
        return False
    mine.update(leased_until=None, sent_at=clock(), failure="")
    return True


def remind(*, now: datetime) -> int:
    """Enqueue the reminders of permissions that end in 60, 30 and 7 days; returns how many e-mails are new.

    Each is sent once, and none about a moment before the permission began.
    """
    today = civil_day_of(now, get_default_timezone())
    ending = Permission.objects.filter(
        state=PermissionState.ACTIVE,
        valid_until__gt=now,
        valid_until__lte=now + timedelta(days=max(REMINDERS) + 1),
    )
    new = 0
    for permission in ending.select_related("service", "holder", "eligible_party"):
        assert permission.valid_until is not None
        last_day = civil_day_of(permission.valid_until - timedelta(microseconds=1), get_default_timezone())
        days = (last_day - today).days
        due = [step for step in REMINDERS if days <= step]
        begun = civil_day_of(permission.valid_from, get_default_timezone())
        if due and (last_day - begun).days > due[-1]:
            new += permissions.remind_of_end(permission, last_day=last_day, step=due[-1], now=now)
    return new


def _message(email: OutgoingEmail) -> EmailMessage:
    # Keyed: the notice's own key is made of numbers of the registry, which whoever receives it could work out.
    digest = salted_hmac("gridgate.notifications.message", email.key).hexdigest()[:32]
    message = EmailMessage(
        subject=email.subject,
        body=body_of(email),
        to=[email.recipient],
        headers={
            "Message-ID": f"<{digest}@{settings.ENVIRONMENT.host}>",
            "Auto-Submitted": "auto-generated",
            "Content-Language": email.language,
        },
    )
    if email.attachment:
        kind = "application/jose" if email.attachment_name.endswith(".jws") else "application/json"
        message.attach(email.attachment_name, email.attachment.encode(), kind)
    return message


def _is_of_this_one(error: Exception) -> bool:
    """Whether the mail server refuses for good what it was given, or it cannot be made an e-mail."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPDataError):
        return error.smtp_code >= 500
    return not isinstance(error, OSError)


def _wait(attempts: int) -> timedelta:
    return min(timedelta(minutes=2 ** min(attempts - 1, 10)), LONGEST_WAIT)
