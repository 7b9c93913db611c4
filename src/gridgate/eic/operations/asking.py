"""Asking for an EIC code, and the code that accepting makes.

Whoever asks says that none of the codes with close names will do: `submit_eic_request` is given those they have
compared, and refuses when the register has others.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.eic.codes import (
    EicFault,
    Examined,
    bodies_from,
    code_of,
    examine,
)
from gridgate.eic.form import eic_form
from gridgate.eic.models import EicCode, EicRequest
from gridgate.eic.queries import (
    code_named,
    codes_readable_by,
    search_text_of,
    similar_codes,
)
from gridgate.organisations.authority import NotAllowed
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership, User
from gridgate.requests.kinds import RequestChanged, RequestKind, RequestNotFound
from gridgate.requests.models import RequestState
from gridgate.requests.operations.life import RequestNotOpen, accept_request, submit

EIC = RequestKind(
    EicRequest,
    "EIC",
    "eic",
    contents=(
        "type",
        "display_name",
        "long_name",
        "parent",
        "responsible_party",
        "justification",
        "details",
    ),
)

CHANGEABLE = (RequestState.DRAFT, RequestState.RETURNED)
LONGEST_JUSTIFICATION = 2000


class AskedFault(StrEnum):
    """What is wrong with one thing that a request says."""

    MISSING = "missing"
    TOO_LONG = "too_long"
    CHARACTERS = "characters"
    """A name, or an answer, with characters that it may not have."""
    NOT_OFFERED = "not_offered"
    """A type that this office does not issue."""
    TAKEN = "taken"
    """A code has the display name already."""
    NOT_A_CODE = "not_a_code"
    NOT_A_PARTY = "not_a_party"
    """The responsible party's code is not of type X."""
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Wrong:
    """A fault, of which field, and what helps to say it."""

    where: str
    """The name of the field, `details.<name>` for a configured one."""
    fault: AskedFault
    code: EicCode | None = None
    """The code that has the name already."""
    examined: Examined | None = None
    """What is wrong with the code given."""
    longest: int = 0


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


class EicCodeTaken(GridgateError):
    """The register has the code, or the display name, already."""

    def __init__(self, code: str, *, by: str = "") -> None:
        self.code = code
        what = f"{code} is in the register already" if not by else f"the code {by} has the name {code}"
        super().__init__(ErrorKind.CONFLICT, what, remedy="Choose another.")


class InvalidEicBody(GridgateError):
    """The 12 characters chosen make no code."""

    def __init__(self, examined: Examined) -> None:
        self.examined = examined
        said = {
            EicFault.LENGTH: "12 characters are chosen, no more and no fewer",
            EicFault.CHARACTERS: f"a code has no {' '.join(examined.strange)}",
            EicFault.NO_CHECK: "the check character would be a hyphen",
        }
        assert examined.fault is not None
        super().__init__(
            ErrorKind.INVALID,
            said.get(examined.fault, "these characters make no code"),
            remedy="Choose others: digits, capitals and hyphens.",
            where="body",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EicAsked:
    """What a request says."""

    type: str = ""
    display_name: str = ""
    long_name: str = ""
    parent: str = ""
    responsible_party: str = ""
    justification: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, request: EicRequest, **changed: str) -> "EicAsked":
        """What a request says, but for what is changed."""
        said = cls(
            type=request.type,
            display_name=request.display_name,
            long_name=request.long_name,
            parent=request.parent,
            responsible_party=request.responsible_party,
            justification=request.justification,
            details=request.details,
        )
        return replace(said, **changed)  # type: ignore[arg-type]


def may_request(actor: Membership | None) -> bool:
    """Whether somebody may ask the operator for something: for themselves, acting for no company, or for theirs."""
    if actor is None:
        return True
    return not actor.organisation.is_operator and actor.has(EntitlementCode.REQUESTS)


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


def unfit(asked: EicAsked) -> list[Wrong]:
    """What cannot even be kept in a draft."""
    faults = []
    if asked.type and asked.type not in eic_form().types:
        faults.append(Wrong("type", AskedFault.NOT_OFFERED))
    for where, columns in (
        ("display_name", 16),
        ("long_name", 70),
        ("parent", 16),
        ("responsible_party", 16),
        ("justification", LONGEST_JUSTIFICATION),
    ):
        if len(getattr(asked, where)) > columns:
            faults.append(Wrong(where, AskedFault.TOO_LONG, longest=columns))
    faults += [
        Wrong(f"details.{one.name}", AskedFault.TOO_LONG, longest=one.longest)
        for one in eic_form().fields
        if one.is_too_long(asked.details.get(one.name) or "")
    ]
    return faults


def faults_of(asked: EicAsked) -> list[Wrong]:
    """Everything that keeps a request from being sent; none when it is complete."""
    form = eic_form()
    faults = unfit(asked)
    told = {wrong.where for wrong in faults}
    faults += [wrong for wrong in _name_faults(asked) if wrong.where not in told]
    if not asked.type:
        return [Wrong("type", AskedFault.MISSING), *faults]
    for where, rule in form.by_type.items():
        if where in told:
            continue
        text = getattr(asked, where) if asked.type in rule.asked else ""
        if not text:
            faults += [Wrong(where, AskedFault.MISSING)] if asked.type in rule.required else []
        elif where in ("parent", "responsible_party"):
            faults += _code_faults(where, text)
    for one in form.fields_of(asked.type):
        answer = asked.details.get(one.name)
        where = f"details.{one.name}"
        if not answer:
            faults += [Wrong(where, AskedFault.MISSING)] if one.required else []
        elif where not in told and not one.takes(answer):
            faults.append(Wrong(where, AskedFault.ANSWER))
    return faults


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


def propose_body(request: EicRequest) -> str:
    """Twelve characters made of the display name that give a code which is free and ends well."""
    bodies = bodies_from(request.display_name)
    while some := list(islice(bodies, 20)):
        codes = {body: code_of(_office(), request.type, body) for body in some}
        taken = set(
            EicCode.objects.filter(pk__in=[made.code for made in codes.values()]).values_list("pk", flat=True)
        )
        for body, made in codes.items():
            if made.valid and made.code not in taken:
                return body
    return ""


def accept_eic_request(
    *, request: EicRequest, body: str, seen: str | None = None, actor: Membership, now: datetime
) -> EicRequest:
    """Issue the code that these 12 characters make, to whoever asked. Raises `InvalidEicBody`, `EicCodeTaken`,
    `RequestChanged` when it was sent again since `seen`, and `RequestNotOpen` when it is decided already.
    """
    made = code_of(_office(), request.type, body)
    if not made.valid:
        raise InvalidEicBody(made)

    def issue(row: EicRequest) -> None:
        row.code = _issue(row, made.code, actor=actor, now=now)

    return accept_request(EIC, request, seen=seen, actor=actor, now=now, effect=issue)


def _issue(request: EicRequest, code: str, *, actor: Membership, now: datetime) -> EicCode:
    """Two who issue the same code at once: the primary key lets one of them, the other is told."""
    if namesake := code_named(request.display_name):
        raise EicCodeTaken(request.display_name, by=namesake.pk)
    issued = EicCode(
        code=code,
        type=request.type,
        display_name=request.display_name,
        long_name=request.long_name,
        search_text=search_text_of(code, request.display_name, request.long_name),
        organisation=request.organisation,
        parent=request.parent,
        responsible_party=request.responsible_party,
        details=request.details,
        source=EicCode.Source.ISSUED,
        issued_at=now,
    )
    try:
        with transaction.atomic():
            issued.save(force_insert=True)
    except IntegrityError:
        raise EicCodeTaken(code) from None
    record(
        "eic.issued",
        subject=Subject("eic_code", code, f"{code} {request.display_name}"),
        organisation=request.organisation_id,
        actor=actor,
        after={
            "code": code,
            "display_name": request.display_name,
            "long_name": request.long_name,
            "request": request.number,
        },
        now=now,
    )
    return issued


def _office() -> str:
    office: str = settings.ENVIRONMENT.eic_office
    return office


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


def _name_faults(asked: EicAsked) -> list[Wrong]:
    form = eic_form()
    faults = []
    for where, limits in (("display_name", form.display_name), ("long_name", form.long_name)):
        text: str = getattr(asked, where)
        if not text:
            faults.append(Wrong(where, AskedFault.MISSING))
        elif len(text) > limits.longest:
            faults.append(Wrong(where, AskedFault.TOO_LONG, longest=limits.longest))
        elif not limits.allows(text):
            faults.append(Wrong(where, AskedFault.CHARACTERS))
        elif where == "display_name" and (namesake := code_named(text)):
            faults.append(Wrong(where, AskedFault.TAKEN, code=namesake))
    return faults


def _code_faults(where: str, text: str) -> list[Wrong]:
    """A code of another office whose check character fails is taken when the register has it so."""
    if not text:
        return []
    examined = examine(text)
    known = examined.recordable and (examined.valid or EicCode.objects.filter(pk=examined.code).exists())
    if not known:
        return [Wrong(where, AskedFault.NOT_A_CODE, examined=examined)]
    if where == "responsible_party" and examined.code[2] != "X":
        return [Wrong(where, AskedFault.NOT_A_PARTY, examined=examined)]
    return []
