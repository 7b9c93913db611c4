"""Giving access back to somebody who lost every second factor, at the operator's desk: never one person alone.

A clerk records how they made sure of who the person is. The person is written to at once, at the address they sign in
with, and may object until somebody else confirms: another clerk, or an administrator of a company the person acts for.
Only then are the factors removed. Each step stands in the history of those companies and in the operator's.

Clerks can make companies, and people who act for them: whoever confirms acted for theirs before the check, and so did
the person for the administrator's. After an objection a clerk is not enough: an administrator confirms. Nor does what
somebody became after the check count: an administrator confirms who was one before, and a person who has since come to
act for another company, or to administer one, is checked anew.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import IntegrityError, transaction
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery

from gridgate.accounts.events import lost_factor_recorded
from gridgate.accounts.models import LostFactor, LostFactorState
from gridgate.accounts.security.factors import factors_of, forget_factors
from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import line
from gridgate.organisations.authority import NotAllowed, require_operator
from gridgate.organisations.handles import handle_of, number_of
from gridgate.organisations.models import Membership, User, present
from gridgate.organisations.queries import memberships_of
from gridgate.organisations.reach import is_present

LONGEST_NOTE = 300
OBJECTION_DAYS = 30
"""How long after an objection a new check of the same person is confirmed by an administrator only."""
_KIND = "lost_factor"


class NothingLost(GridgateError):
    """The person has no second factor, and signs in with a password."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.CONFLICT, "this person has no second factor to remove")


class AlreadyOpen(GridgateError):
    """A check of this person waits for its confirmation."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.CONFLICT, "a check of this person's identity waits to be confirmed")


class LostFactorClosed(GridgateError):
    """It was objected to, cancelled, confirmed, has expired, or cannot be confirmed yet: `state` says which."""

    def __init__(self, state: LostFactorState) -> None:
        self.state = state
        super().__init__(ErrorKind.CONFLICT, f"the check of identity is {state.value}")


class LostFactorNotFound(GridgateError):
    """None that the actor may see."""

    def __init__(self) -> None:
        super().__init__(ErrorKind.NOT_FOUND, "no such check of identity")


def record_check(*, user: User, how: str, note: str, actor: Membership, now: datetime) -> LostFactor:
    """Write down who a clerk made sure of, and how. The person is told; nothing is removed.

    Raises `NotAllowed`, also to clerks about themselves, `NothingLost` and `AlreadyOpen`.
    """
    require_operator(actor)
    if user.pk == actor.user_id:
        raise NotAllowed("nobody checks their own identity")
    note = line(note)
    if how not in LostFactor.How.values or not note or len(note) > LONGEST_NOTE:
        raise GridgateError(ErrorKind.INVALID, "how the identity was checked is missing or too long")
    with transaction.atomic():
        if not factors_of(user=user).strong:
            raise NothingLost
        _open_ones().filter(user=user, expires_at__lte=now).update(cancelled_at=now)
        environment = settings.ENVIRONMENT
        try:
            with transaction.atomic():
                lost = LostFactor.objects.create(
                    user=user,
                    how=how,
                    note=note,
                    checked_by=actor,
                    created_at=now,
                    confirmable_at=now + timedelta(minutes=environment.lost_factor_wait_minutes),
                    expires_at=now + timedelta(hours=environment.lost_factor_hours),
                )
        except IntegrityError:
            raise AlreadyOpen from None
        _record("account.identity_checked", lost, actor=actor, after={"identity": how}, note=note, now=now)
        companies = [one.organisation_id for one in memberships_of(user=user)]
        administrators = (
            Membership.objects.present(now)
            .filter(organisation__in=companies, role=Membership.Role.ADMINISTRATOR, user__is_active=True)
            .exclude(user=user)
        )
        lost_factor_recorded.send(
            LostFactor,
            lost=lost,
            administrators=list(administrators.select_related("user", "organisation").order_by("pk")),
            now=now,
        )
    return lost


def confirm(*, pk: int, actor: Membership, now: datetime) -> LostFactor:
    """Remove the person's factors and end their sessions, as a second person. Raises `LostFactorNotFound` for one that
    the actor may not see, `NotAllowed` to whoever is no second person for it, and `LostFactorClosed`.
    """
    with transaction.atomic():
        lost = _locked(pk, actor)
        if not vars(lost)["by_actor"]:
            raise NotAllowed("somebody else confirms")
        _require(lost, LostFactorState.TO_CONFIRM, now=now)
        lost.confirmed_by, lost.done_at = actor, now
        lost.save(update_fields=["confirmed_by", "done_at"])
        _record("account.identity_confirmed", lost, actor=actor, now=now)
        forget_factors(user=lost.user, actor=actor, now=now)
    return lost


def cancel(*, pk: int, actor: Membership, now: datetime) -> LostFactor:
    """End it without removing anything. Raises `LostFactorNotFound` and `LostFactorClosed`."""
    with transaction.atomic():
        lost = _locked(pk, actor)
        _require(lost, LostFactorState.WAITING, LostFactorState.TO_CONFIRM, now=now)
        lost.cancelled_at = now
        lost.save(update_fields=["cancelled_at"])
        _record("account.identity_check_cancelled", lost, actor=actor, now=now)
    return lost


def object_to(*, token: str, now: datetime) -> LostFactor:
    """Say that it was not the person, by the link they were sent. Twice is once. Raises what `read_token` and
    `LostFactorClosed` say.
    """
    with transaction.atomic():
        lost = LostFactor.objects.select_for_update(of=("self",)).get(pk=read_token(token).pk)
        if lost.objected_at is not None:
            return lost
        _require(lost, LostFactorState.WAITING, LostFactorState.TO_CONFIRM, now=now)
        lost.objected_at = now
        lost.save(update_fields=["objected_at"])
        _record("account.identity_check_objected", lost, user=lost.user, now=now)
    return lost


# --- reads ------------------------------------------------------------------------------------------------


def checks_seen_by(*, actor: Membership) -> QuerySet[LostFactor]:
    """All of them for the operator's clerks; for a company's administrator those of people who act for it and did when
    they were checked; none for anybody else. The latest first.

    Each has `by_actor`, whether the actor is a second person for it; `by_present`, whether who checked still acts for
    the operator; `outgrown`, whether the person may do more since; and `objected_before`, when the person objected to
    an earlier check, not long before.
    """
    rows = _told_apart(actor).order_by("-created_at", "-pk")
    if not is_present(actor):
        return rows.none()
    if actor.organisation.is_operator:
        return rows
    if not actor.is_administrator:
        return rows.none()
    theirs = Membership.objects.present().filter(
        organisation=actor.organisation_id,
        user=OuterRef("user"),
        created_at__lt=OuterRef("created_at"),
    )
    return rows.filter(Exists(theirs))


def checks_to_confirm(*, actor: Membership, now: datetime) -> QuerySet[LostFactor]:
    """Those that wait for the actor: open, and the actor a second person for them."""
    return checks_seen_by(actor=actor).filter(
        Q(by_actor=True), objected_at=None, cancelled_at=None, done_at=None, expires_at__gt=now
    )


def _told_apart(actor: Membership) -> QuerySet[LostFactor]:
    rows = LostFactor.objects.select_related(
        "user", "checked_by__user", "checked_by__organisation", "confirmed_by__user"
    )
    earlier = LostFactor.objects.filter(
        user=OuterRef("user"),
        objected_at__lt=OuterRef("created_at"),
        objected_at__gt=OuterRef("created_at") - timedelta(days=OBJECTION_DAYS),
    )
    more_since = Membership.objects.filter(
        Q(created_at__gte=OuterRef("created_at")) | Q(administrator_since__gte=OuterRef("created_at")),
        present(),
        user=OuterRef("user"),
    )
    there = present(of="checked_by__") & Q(checked_by__user__is_active=True)
    second = ~Q(user=actor.user_id) & ~Q(checked_by__user=actor.user_id) & Q(created_at__gt=actor.created_at)
    as_administrator = (
        Q(created_at__gt=actor.administrator_since) if actor.administrator_since else Q(pk=None)
    )
    second &= (
        as_administrator | Q(objected_before=None) if actor.organisation.is_operator else as_administrator
    )
    return rows.annotate(
        objected_before=Subquery(earlier.order_by("-objected_at").values("objected_at")[:1]),
        outgrown=Exists(more_since),
        by_present=ExpressionWrapper(there, output_field=BooleanField()),
    ).annotate(by_actor=ExpressionWrapper(there & second & Q(outgrown=False), output_field=BooleanField()))


def token_of(lost: LostFactor) -> str:
    """What stands in the address of the link by which the person objects."""
    return _signer().sign(handle_of(_KIND, lost.pk))


def read_token(token: str) -> LostFactor:
    """Raises `LostFactorNotFound` unless this instance made it."""
    try:
        number = number_of(_KIND, _signer().unsign(token))
    except BadSignature:
        number = None
    found = None if number is None else LostFactor.objects.select_related("user").filter(pk=number).first()
    if found is None:
        raise LostFactorNotFound
    return found


def _signer() -> Signer:
    return Signer(sep=".", salt="gridgate.organisations.lost_factor")


def _open_ones() -> QuerySet[LostFactor]:
    return LostFactor.objects.filter(objected_at=None, cancelled_at=None, done_at=None)


def _locked(pk: int, actor: Membership) -> LostFactor:
    found = checks_seen_by(actor=actor).select_for_update(of=("self",)).filter(pk=pk).first()
    if found is None:
        raise LostFactorNotFound
    return found


def _require(lost: LostFactor, *states: LostFactorState, now: datetime) -> None:
    state = lost.state(now)
    if state not in states:
        raise LostFactorClosed(state)


def _record(
    action: str,
    lost: LostFactor,
    *,
    actor: Membership | None = None,
    user: User | None = None,
    after: Mapping[str, object] | None = None,
    note: str = "",
    now: datetime,
) -> None:
    """In the history of each company that the person acts for, and in the operator's: only there with the note."""
    operator = lost.checked_by.organisation_id
    companies = {one.organisation_id for one in memberships_of(user=lost.user)}
    for company in sorted(companies | {operator}):
        record(
            action,
            subject=Subject("user", str(lost.user_id), lost.user.email),
            organisation=company,
            actor=actor,
            user=user,
            after={**(after or {}), "note": note} if note and company == operator else after,
            now=now,
        )
