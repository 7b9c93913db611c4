"""How often something may be tried, over all processes: freely at first, then after a wait that grows to a longest one.

Nobody is locked out: whatever was tried before, another try is looked at after the longest wait, which is some minutes
for an account and some seconds for an address, behind which a whole company may sit. A try that has to wait is answered
at once, says how long, and is not counted. Whoever hammers at one account is stopped by the account's wait before the
address's count grows, so that one person behind an address does not slow down the others.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from gridgate.accounts.models import AttemptCount
from gridgate.accounts.security.log import address_of

FIRST_WAIT_BY_ACCOUNT, FIRST_WAIT_BY_ADDRESS = 60, 1
"""Seconds; the next wait is twice as long."""
SCARCE = 4
"""So many times longer are the waits for what is short to guess, and for letters to somebody's mailbox."""
WIDE = 15
"""So many times more may be asked for by an address of what is no guess, and tried in all sessions of an account."""
KEPT = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Limit:
    """What is counted together, and at which pace. Waits are in seconds."""

    name: str
    free: int
    first: float
    longest: float
    forgets: float
    """After how many seconds one try is forgotten."""

    @property
    def key(self) -> str:
        """The name says of whom and from where, which is not for a copy of the registry."""
        return salted_hmac("gridgate.organisations.pace", self.name, algorithm="sha256").hexdigest()

    def left(self, count: float, since: timedelta) -> float:
        return max(0.0, count - since.total_seconds() / self.forgets)

    def wait(self, count: float, since: timedelta) -> float:
        """How long until the next try, so many having been made, the last one `since` ago."""
        over = ceil(self.left(count, since)) - self.free
        if over < 0:
            return 0.0
        return max(0.0, min(self.longest, self.first * 2.0 ** min(over, 30)) - since.total_seconds())


def by_account(name: str, *, scarce: bool = False, wide: bool = False) -> Limit:
    """Of an account, or of an e-mail address that may have none: `name` says of which, and what is tried."""
    environment = settings.ENVIRONMENT
    longest = environment.account_wait_minutes * 60 * (SCARCE if scarce else 1)
    free = environment.account_attempts * (WIDE if wide else 1)
    return Limit(name, free, FIRST_WAIT_BY_ACCOUNT, longest, 2 * longest)


def by_address(what: str, request: HttpRequest, *, wide: bool = False) -> Limit:
    """Of the address that the request came from; of IPv6, of the /64 that one site has."""
    environment = settings.ENVIRONMENT
    many = WIDE if wide else 1
    return Limit(
        f"{what} from {site_of(address_of(request))}",
        environment.address_attempts * many,
        FIRST_WAIT_BY_ADDRESS,
        environment.address_wait_seconds,
        environment.address_wait_seconds / many,
    )


def site_of(address: str | None) -> str:
    """What counts as one address.

    >>> site_of("2001:db8:1:2:a:b:c:d"), site_of("::ffff:192.0.2.7")
    ('2001:db8:1:2::/64', '192.0.2.7')
    """
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "nowhere"
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((found.packed, 64), strict=False))


class Attempt:
    """One try, counted before it is looked at. Not `allowed`, it is not counted, and may be made again after `wait`."""

    def __init__(self, *limits: Limit, now: datetime) -> None:
        self._now = now
        self._counted: list[tuple[Limit, datetime | None]] = []
        self.wait = 0
        if settings.ENVIRONMENT.quotas == "on":
            # In one transaction, which other processes wait for: of any number at once no more are allowed.
            with transaction.atomic():
                self._count(limits)

    @property
    def allowed(self) -> bool:
        return self.wait == 0

    def take_back(self) -> None:
        """It succeeded, and is no longer counted; those before it are, or whoever guesses would begin anew with each
        sign-in of the person.
        """
        with transaction.atomic():
            for limit, before in self._counted:
                row = AttemptCount.objects.select_for_update().filter(key=limit.key).first()
                if row is None:
                    continue
                row.count = max(0.0, row.count - 1)
                if before is not None and row.at == self._now:
                    # The wait of those who come next is the one that the last failure asked for.
                    row.count, row.at = limit.left(row.count, before - self._now), before
                row.save(update_fields=["count", "at"])
        self._counted = []

    def _count(self, limits: tuple[Limit, ...]) -> None:
        rows = {}
        for limit in limits:
            row, made = AttemptCount.objects.select_for_update().get_or_create(
                key=limit.key, defaults={"count": 0.0, "at": self._now}
            )
            wait = 0.0 if made else limit.wait(row.count, self._since(row))
            self.wait = max(self.wait, ceil(wait))
            rows[limit] = row, made
        if not self.allowed:
            return
        for limit, (row, made) in rows.items():
            self._counted.append((limit, None if made else row.at))
            row.count = limit.left(row.count, self._since(row)) + 1
            row.at = self._now
            row.save(update_fields=["count", "at"])

    def _since(self, row: AttemptCount) -> timedelta:
        return max(self._now - row.at, timedelta())


def give_back(limit: Limit) -> None:
    """Count one try less: what an earlier request counted has come to a good end."""
    AttemptCount.objects.filter(key=limit.key, count__gte=1).update(count=F("count") - 1)


def forget(limit: Limit) -> None:
    """Let whoever is counted here begin anew."""
    AttemptCount.objects.filter(key=limit.key).delete()


def forget_old_counts(*, now: datetime) -> int:
    """Delete the counts that slow nobody down any more; returns how many."""
    return AttemptCount.objects.filter(at__lt=now - KEPT).delete()[0]


def in_words(wait: int) -> str:
    """A wait as the pages say it."""
    if wait < 100:
        return _("%(seconds)s secondes") % {"seconds": max(wait, 2)}
    return _("%(minutes)s minutes") % {"minutes": ceil(wait / 60)}
