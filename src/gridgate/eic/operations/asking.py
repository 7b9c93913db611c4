"""Asking for a code: a draft, what stands in its way, sending it."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.eic.asked import EicAsked, Wrong, faults_of, unfit
from gridgate.eic.form import eic_form
from gridgate.eic.kind import CHANGEABLE, EIC, may_request
from gridgate.eic.models import EicCode, EicRequest
from gridgate.eic.queries import codes_readable_by, similar_codes
from gridgate.organisations.authority import NotAllowed
from gridgate.organisations.models import Membership, User
from gridgate.requests.kinds import RequestChanged, RequestNotFound
from gridgate.requests.operations.life import RequestNotOpen, submit


class InvalidEicRequest(GridgateError):
    """The request cannot be sent as it is: `faults` says why."""

    def __init__(self, faults: Collection[Wrong]) -> None:
        self.faults = list(faults)
        first = self.faults[0]
        said = ", ".join(f"{wrong.where} {wrong.fault.value.replace('_', ' ')}" for wrong in self.faults)
        super().__init__(ErrorKind.INVALID, f"the request is not complete: {said}", where=first.where)


class SimilarCodesUnseen(GridgateError):
    """The register has codes with close names that whoever asks has not compared yet."""

    def __init__(self, codes: Collection[EicCode]) -> None:
        self.codes = list(codes)
        names = ", ".join(code.pk for code in self.codes)
        super().__init__(
            ErrorKind.CONFLICT,
            f"codes with close names are in the register: {names}",
            remedy="Compare them first.",
        )


def begin_eic_request(*, asked: EicAsked, user: User, actor: Membership | None, now: datetime) -> EicRequest:
    """A draft, for the company that the actor acts for, or for the person themselves. Raises `NotAllowed`."""
    if not may_request(actor):
        raise NotAllowed("making requests asks the entitlement “requests”")

    def make(number: str) -> EicRequest:
        request = EicRequest(
            number=number,
            requester=user,
            organisation=None if actor is None else actor.organisation,
            created_at=now,
        )
        _write(request, asked)
        request.save(force_insert=True)
        return request

    return EIC.numbered(make, now=now)


def change_eic_request(
    *,
    request: EicRequest,
    asked: EicAsked,
    seen: str | None = None,
    user: User,
    actor: Membership | None,
) -> EicRequest:
    """Keep what was typed so far, complete or not, while the request is a draft or was returned.

    `seen`: the fingerprint of what is changed, None to ask nothing. Raises `RequestNotFound` for another's,
    `RequestNotOpen`, and `RequestChanged` when somebody else wrote something that would be undone.
    """
    with transaction.atomic():
        row = EIC.of(user=user, actor=actor).select_for_update(of=("self",)).filter(pk=request.pk).first()
        if row is None or not may_request(actor):
            raise RequestNotFound(request.number)
        if row.state not in CHANGEABLE:
            raise RequestNotOpen(row, "changed")
        before = EIC.fingerprint(row)
        _write(row, asked)
        if seen not in (None, before) and EIC.fingerprint(row) != before:
            raise RequestChanged(row)
        row.save()
    return row


def codes_to_compare(asked: EicAsked, *, user: User, actor: Membership | None) -> list[EicCode]:
    """The codes with close names that whoever asks may look up."""
    return similar_codes(codes_readable_by(user=user, actor=actor), asked.display_name, asked.long_name)


def submit_eic_request(
    *,
    request: EicRequest,
    compared: Collection[str],
    seen: str | None = None,
    user: User,
    actor: Membership | None,
    now: datetime,
) -> EicRequest:
    """Send it to the desk. `compared`: the codes with close names that whoever asks has seen; `seen`: the fingerprint
    of what they have read, None to ask nothing.

    Raises `InvalidEicRequest`, `SimilarCodesUnseen`, `RequestChanged`, `RequestNotFound` and `RequestNotOpen`.
    """
    with transaction.atomic():
        row = EIC.one_of(request.number, user=user, actor=actor)
        if row.state not in CHANGEABLE:
            raise RequestNotOpen(row, "submitted")
        EIC.require_read(row, seen)
        asked = EicAsked.of(row)
        if faults := faults_of(asked):
            raise InvalidEicRequest(faults)
        unseen = [one for one in codes_to_compare(asked, user=user, actor=actor) if one.pk not in compared]
        if unseen:
            raise SimilarCodesUnseen(unseen)
        _leave_out(row)
        return submit(EIC, row, user=user, actor=actor, now=now)


def _write(request: EicRequest, asked: EicAsked) -> None:
    """Keep what was typed, even what the type does not ask: it may be changed yet. Raises `InvalidEicRequest` for
    what the columns cannot hold.
    """
    if faults := unfit(asked):
        raise InvalidEicRequest(faults)
    request.type = asked.type
    request.display_name = asked.display_name
    request.long_name = asked.long_name
    request.parent = asked.parent
    request.responsible_party = asked.responsible_party
    request.justification = asked.justification
    known = {one.name for one in eic_form().fields}
    request.details = {name: answer for name, answer in asked.details.items() if name in known and answer}


def _leave_out(request: EicRequest) -> None:
    """What a code of its type does not ask is no part of the request that is sent."""
    form = eic_form()
    for where, rule in form.by_type.items():
        if request.type not in rule.asked:
            setattr(request, where, "")
    names = {one.name for one in form.fields_of(request.type)}
    request.details = {name: answer for name, answer in request.details.items() if name in names}
    request.save()
