"""What is asked of a code, and what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from gridgate.eic.codes import Examined, examine
from gridgate.eic.form import eic_form
from gridgate.eic.models import EicCode, EicRequest
from gridgate.eic.queries import code_named

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
