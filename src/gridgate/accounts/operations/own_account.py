"""What a person does with their own account: who they say they are, what they keep at hand, and closing it.

No actor: an account is nobody else's, and whoever calls has checked that the person is signed in to it.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from gridgate.accounts.events import account_deleted
from gridgate.accounts.models import Favourite
from gridgate.accounts.personal_data import kept_of_people
from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import line
from gridgate.organisations.authority import require_other_administrator
from gridgate.organisations.events import leaves, membership_changed
from gridgate.organisations.models import Membership, User
from gridgate.organisations.nobody import DELETED_NAME, nobodys_address
from gridgate.organisations.operations.members import end_lapsed
from gridgate.organisations.queries import memberships_of

MOST_FAVOURITES = 50
"""For one company; a list that is longer is no longer at hand."""
LONGEST_PATH, LONGEST_LABEL = 200, 120


class TooManyFavourites(GridgateError):
    """A person keeps a limited number of pages at hand for each company."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.CONFLICT,
            f"{MOST_FAVOURITES} favourites are kept at most",
            remedy="Take one away first.",
        )


class InvalidFavourite(GridgateError):
    """What is to be kept is not a page of this portal."""

    def __init__(self, path: str) -> None:
        super().__init__(ErrorKind.INVALID, f"{path!r} is not the address of a page here")


def update_profile(*, user: User, full_name: str, language: str, time_zone: str | None = None) -> None:
    """Change what a person says of themselves. `time_zone` empty: the network's own; None: as it is."""
    user.full_name, user.language = line(full_name), language
    if time_zone is not None:
        user.time_zone = time_zone
    user.save(update_fields=["full_name", "language", "time_zone"])


def add_favourite(
    *, user: User, membership: Membership | None, path: str, label: str, now: datetime
) -> Favourite:
    """Keep a page at hand for the company that the person acts for, or for none; keeping it again changes its label.

    Raises `InvalidFavourite`, and `TooManyFavourites`.
    """
    if not path.startswith("/") or path.startswith("//") or "\\" in path or len(path) > LONGEST_PATH:
        raise InvalidFavourite(path)
    label = " ".join(label.split())[:LONGEST_LABEL] or path
    with transaction.atomic():
        # The row of the person is the queue in which two browsers wait, so that neither goes past the limit.
        User.objects.select_for_update().get(pk=user.pk)
        mine = Favourite.objects.filter(user=user, membership=membership)
        known = mine.filter(path=path).first()
        if known is not None:
            known.label = label
            known.save(update_fields=["label"])
            return known
        if mine.count() >= MOST_FAVOURITES:
            raise TooManyFavourites
        return Favourite.objects.create(
            user=user, membership=membership, path=path, label=label, created_at=now
        )


def remove_favourite(*, user: User, membership: Membership | None, path: str) -> None:
    """Keep a page at hand no longer; one that was not kept is nothing to tell."""
    Favourite.objects.filter(user=user, membership=membership, path=path).delete()


def delete_account(*, user: User, now: datetime) -> None:
    """End an account for good: its rights at once, its sessions at their next request, and what names the person.

    The row stays without a name, because requests, imports and general terms accepted refer to it; the audit and the
    access log keep the name that the person had. The address may open a new account afterwards. Deleting twice does
    nothing more. Raises `LastAdministrator` while a company would be left without an administrator.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        if user.deleted_at is not None:
            return
        end_lapsed(user.memberships.all(), now=now)
        memberships = list(memberships_of(user=user))
        for membership in memberships:
            require_other_administrator(membership)
        rooms = kept_of_people()
        for room in rooms:
            room.end(user, now)
        _record_deletion(user, memberships, now)
        former = {"email": user.email, "full_name": user.full_name, "language": user.language}
        for membership in memberships:
            _end(membership, now)
        for room in rooms:
            room.forget(user, now)
        user.email, user.full_name = nobodys_address(user), DELETED_NAME
        user.time_zone, user.tell_of_sign_ins = "", False
        user.is_active, user.deleted_at, user.last_login = False, now, None
        user.set_unusable_password()
        user.save()
        companies = [membership.organisation.legal_name for membership in memberships]
        account_deleted.send(User, user=user, **former, companies=companies, now=now)


def _record_deletion(user: User, memberships: Iterable[Membership], now: datetime) -> None:
    """In each company's audit, while the person still has a name; in the instance's own when there is no company."""
    subject = Subject("user", str(user.pk), user.email)
    for membership in memberships:
        record(
            "account.deleted",
            subject=subject,
            organisation=membership.organisation_id,
            actor=membership,
            before={"role": str(membership.role), "external": membership.external},
            now=now,
        )
    if not memberships:
        record("account.deleted", subject=subject, organisation=None, user=user, now=now)


def _end(membership: Membership, now: datetime) -> None:
    membership.ended_at = now
    membership.save(update_fields=["ended_at"])
    leaves.send(Membership, membership=membership, actor=membership, now=now)
    membership.groups.all().delete()
    membership_changed.send(Membership, membership=membership, now=now)
