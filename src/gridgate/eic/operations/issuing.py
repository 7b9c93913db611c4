"""Accepting a request: the code that it makes."""

from datetime import datetime
from itertools import islice

from django.conf import settings
from django.db import IntegrityError, transaction

from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.eic.codes import EicFault, Examined, bodies_from, code_of
from gridgate.eic.kind import EIC
from gridgate.eic.models import EicCode, EicRequest
from gridgate.eic.queries import code_named, search_text_of
from gridgate.organisations.models import Membership
from gridgate.requests.operations.life import accept_request


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
