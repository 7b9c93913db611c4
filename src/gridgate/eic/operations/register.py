"""Codes of the local register: adding, linking, ending and bringing back."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import line
from gridgate.eic.codes import Examined, examine, why
from gridgate.eic.models import EicCode
from gridgate.eic.operations.issuing import EicCodeTaken
from gridgate.eic.queries import search_text_of
from gridgate.organisations.authority import require_operator
from gridgate.organisations.models import Membership, Organisation
from gridgate.requests.operations.life import ReasonMissing

LONGEST_NAMES = {"display_name": 16, "long_name": 70}


class InvalidEicCode(GridgateError):
    """The text is no code, whoever issued it, or it lacks its names."""

    def __init__(self, message: str, *, where: str, examined: Examined | None = None) -> None:
        self.examined = examined
        super().__init__(ErrorKind.INVALID, message, where=where)


def add_eic_code(
    *,
    code: str,
    display_name: str,
    long_name: str,
    organisation: Organisation | None = None,
    parent: str = "",
    responsible_party: str = "",
    actor: Membership | None,
    now: datetime,
) -> EicCode:
    """Record a code that was issued elsewhere, or by this office before this register was kept, and link it to a
    company.

    Raises `InvalidEicCode` for what is no code, and `EicCodeTaken` when the register has it.
    """
    require_operator(actor)
    examined = examine(code)
    if not examined.recordable_by(_office()):
        raise InvalidEicCode(f"{examined.code} is no EIC: {why(examined)}", where="code", examined=examined)
    for where, other in (("parent", parent), ("responsible_party", responsible_party)):
        if other and (wrong := fault_of_reference(other)):
            raise InvalidEicCode(f"{wrong.code} is no EIC: {why(wrong)}", where=where, examined=wrong)
    names = {"display_name": line(display_name), "long_name": line(long_name)}
    for name, longest in LONGEST_NAMES.items():
        if not 0 < len(names[name]) <= longest:
            raise InvalidEicCode(f"1 to {longest} characters", where=name)
    with transaction.atomic():
        if EicCode.objects.filter(pk=examined.code).exists():
            raise EicCodeTaken(examined.code)
        added = EicCode(
            code=examined.code,
            type=examined.code[2],
            **names,
            search_text=search_text_of(examined.code, **names),
            organisation=organisation,
            parent=parent,
            responsible_party=responsible_party,
            source=_source_of(examined),
            valid=examined.valid,
            issued_at=now,
        )
        added.save(force_insert=True)
        after = {"code": added.pk, **names, "valid": added.valid} | company_said(organisation)
        record_code("eic.recorded", added, organisation, actor=actor, after=after, now=now)
    return added


def fault_of_reference(text: str) -> Examined | None:
    """What keeps a code from being named as another's parent or responsible party; None when nothing does."""
    examined = examine(text)
    if examined.recordable_by(_office()):
        return None
    known = examined.recordable and EicCode.objects.filter(pk=examined.code).exists()
    return None if known else examined


def deactivate_eic_code(*, code: EicCode, reason: str, actor: Membership | None, now: datetime) -> EicCode:
    """The code stays in the register, and is no longer to be used. Raises `ReasonMissing`."""
    return _set_active(code, False, reason, actor=actor, now=now)


def reactivate_eic_code(*, code: EicCode, reason: str, actor: Membership | None, now: datetime) -> EicCode:
    """The code may be used again. Raises `ReasonMissing`."""
    return _set_active(code, True, reason, actor=actor, now=now)


def link_eic_code(
    *, code: EicCode, organisation: Organisation | None, actor: Membership | None, now: datetime
) -> EicCode:
    """Say which company has the code; None: no company here."""
    require_operator(actor)
    with transaction.atomic():
        row = EicCode.objects.select_for_update().get(pk=code.pk)
        former = row.organisation
        if former == organisation:
            return row
        row.organisation = organisation
        row.save(update_fields=["organisation"])
        # Each company reads of its own side only: neither learns of the other.
        if former is not None:
            left = company_said(former)
            record_code(
                "eic.unlinked", row, former, actor=actor, before=left, after=company_said(None), now=now
            )
        if organisation is not None:
            record_code(
                "eic.linked", row, organisation, actor=actor, after=company_said(organisation), now=now
            )
    return row


def _source_of(examined: Examined) -> str:
    """A sound code that begins with this office's number is this office's."""
    ours = examined.valid and examined.code.startswith(_office())
    return EicCode.Source.ISSUED if ours else EicCode.Source.IMPORTED


def _office() -> str:
    office: str = settings.ENVIRONMENT.eic_office
    return office


def _set_active(
    code: EicCode, active: bool, reason: str, *, actor: Membership | None, now: datetime
) -> EicCode:
    require_operator(actor)
    if not reason.strip():
        raise ReasonMissing
    with transaction.atomic():
        row = EicCode.objects.select_for_update().select_related("organisation").get(pk=code.pk)
        if row.active == active:
            return row
        row.active, row.deactivated_at = active, None if active else now
        row.save(update_fields=["active", "deactivated_at"])
        verb = "eic.reactivated" if active else "eic.deactivated"
        after = {"active": active, "reason": reason.strip()}
        record_code(
            verb, row, row.organisation, actor=actor, before={"active": not active}, after=after, now=now
        )
    return row


def company_said(organisation: Organisation | None) -> dict[str, Any]:
    return {"company": None if organisation is None else organisation.legal_name}


def record_code(
    action: str,
    code: EicCode,
    organisation: Organisation | None,
    *,
    actor: Membership | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any],
    now: datetime,
) -> None:
    record(
        action,
        subject=Subject("eic_code", code.pk, f"{code.pk} {code.display_name}"),
        organisation=None if organisation is None else organisation.pk,
        actor=actor,
        before=before,
        after=after,
        now=now,
    )
