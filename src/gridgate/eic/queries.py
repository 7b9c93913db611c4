"""Reading the register of EIC codes: what everyone may look up, and what the operator's staff see.

Everyone who is signed in looks up the codes of the published types (`eic_form`), as any public register shows them;
of the other types, such as the codes of measurement points, a company sees its own and no other's.
"""

from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import reduce
from operator import add, or_

from django.db.models import Case, Q, QuerySet, Value, When
from django.db.models.functions import Length

from gridgate.audit.models import AuditEvent
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import folded
from gridgate.eic.codes import compact, examine
from gridgate.eic.form import eic_form
from gridgate.eic.models import EicCode, EicType
from gridgate.organisations.authority import require_operator
from gridgate.organisations.folding import company_named_like
from gridgate.organisations.models import Membership, Organisation, User

ENOUGH = 100
"""How many codes that share a word with a name are compared with it letter by letter."""
CLOSE = 0.6
"""How alike two names are, from 0 to 1, that are told to be close."""
_SAYS_LITTLE = frozenset(
    {
        "sa",
        "sas",
        "sasu",
        "sarl",
        "eurl",
        "snc",
        "sca",
        "gie",
        "ag",
        "gmbh",
        "ltd",
        "plc",
        "bv",
        "nv",
        "spa",
        "srl",
    }
    | {"de", "des", "du", "la", "le", "les", "et", "en", "of", "the", "and", "und", "der", "die"}
)
"""Legal forms and little words, which tell no name from another."""


class EicCodeNotFound(GridgateError):
    """Not in the register, or not readable by this actor."""

    def __init__(self, code: str) -> None:
        super().__init__(
            ErrorKind.NOT_FOUND, f"no code {code} in the register", remedy="Check each character."
        )


def organisation_eic_code(organisation: Organisation) -> EicCode | None:
    """The code that the company itself has: active and of type X, the first in alphabetical order of several."""
    return organisation.eic_codes.filter(type=EicType.X, active=True).order_by("code").first()


def codes_of(organisation: Organisation) -> QuerySet[EicCode]:
    """All the codes linked to the company: active ones first, then by type."""
    return organisation.eic_codes.order_by("-active", "type", "display_name", "code")


def codes_readable_by(*, user: User, actor: Membership | None) -> QuerySet[EicCode]:
    """What a person may look up; in no order."""
    if actor is not None and actor.organisation.is_operator:
        return EicCode.objects.all()
    readable = Q(type__in=list(eic_form().published))
    if actor is not None:
        readable |= Q(organisation=actor.organisation_id)
    else:
        readable |= Q(request__requester=user, request__organisation=None)
    return EicCode.objects.filter(readable)


def register_for_staff(*, actor: Membership) -> QuerySet[EicCode]:
    """The whole register with the companies that have codes in it, for the operator's staff."""
    require_operator(actor)
    return EicCode.objects.select_related("organisation")


def code_for_staff(*, actor: Membership, code: str) -> EicCode:
    """One code. Raises `EicCodeNotFound`."""
    found = register_for_staff(actor=actor).filter(pk=compact(code)).first()
    if found is None:
        raise EicCodeNotFound(code)
    return found


def history_of(*, actor: Membership, code: EicCode) -> QuerySet[AuditEvent]:
    """What was done to a code, the latest first; for the operator's staff."""
    require_operator(actor)
    return AuditEvent.objects.filter(subject_kind="eic_code", subject=code.pk).order_by("-at", "-pk")


@dataclass(frozen=True, slots=True)
class EicFilter:
    """What the register is narrowed to; an empty value narrows nothing."""

    text: str = ""
    type: str = ""
    active: bool | None = None
    source: str = ""
    company: str = ""
    """Words of a legal name, or digits of a SIREN."""


def narrow_codes(codes: QuerySet[EicCode], wanted: EicFilter) -> QuerySet[EicCode]:
    """The codes that the filter lets through."""
    codes = codes.filter(_found(wanted.text))
    if wanted.type:
        codes = codes.filter(type=wanted.type)
    if wanted.active is not None:
        codes = codes.filter(active=wanted.active)
    if wanted.source:
        codes = codes.filter(source=wanted.source)
    if wanted.company.strip():
        company = company_named_like(wanted.company, "organisation")
        digits = "".join(wanted.company.split())
        if digits.isdigit():
            company |= Q(organisation__siren__startswith=digits)
        codes = codes.filter(organisation__isnull=False).filter(company)
    return codes


def code_named(display_name: str) -> EicCode | None:
    """The code that has this display name, whatever its case; of several, as other offices may have issued, an active
    one.
    """
    if not display_name.strip():
        return None
    named = EicCode.objects.filter(display_name__iexact=display_name.strip())
    return named.order_by("-active", "code").first()


def similar_codes(codes: QuerySet[EicCode], *names: str, limit: int = 8) -> list[EicCode]:
    """The codes whose names are close to one of these, the closest first.

    Those that share the beginning of a word are found by the registry; of these, the ones that share most, and say
    least besides, are compared letter by letter.
    """
    wanted = [" ".join(words) for name in names if (words := _words(name))]
    stems = sorted({word[:5] for name in wanted for word in name.split()})
    if not stems:
        return []
    has = [Q(search_text__contains=stem) for stem in stems]
    whole = [Q(search_text__contains=folded(name.strip())) for name in names if name.strip()]
    shared = reduce(add, [_one_if(one) for one in has] + [_one_if(one) * len(stems) for one in whole])
    candidates = codes.filter(reduce(or_, has)).annotate(shared=shared)
    likeness = _Likeness(wanted)
    ordered = candidates.order_by("-shared", Length("search_text"), "code")
    scored = [(likeness.of(code), code) for code in ordered[:ENOUGH]]
    close = [pair for pair in scored if pair[0] >= CLOSE]
    close.sort(key=lambda pair: (-pair[0], pair[1].pk))
    return [code for _, code in close[:limit]]


def _one_if(condition: Q) -> Case:
    return Case(When(condition, then=Value(1)), default=Value(0))


def search_text_of(code: str, display_name: str, long_name: str) -> str:
    """What `EicCode.search_text` holds."""
    return folded(f"{code} {display_name} {long_name}")[:120]


def _found(text: str) -> Q:
    """Every word somewhere in code or names; a code may be typed in groups."""
    found = Q()
    for word in folded(text).split():
        found &= Q(search_text__contains=word)
    if examine(text).recordable:
        found |= Q(pk=compact(text))
    return found


def _words(name: str) -> list[str]:
    """The words that tell a name from another."""
    parts = "".join(char if char.isalnum() else " " for char in folded(name)).split()
    telling = [word for word in parts if word not in _SAYS_LITTLE and len(word) > 1]
    return telling or parts


class _Likeness:
    """How alike a code's names and these are, from 0 to 1; a name that holds all words of the other is close."""

    def __init__(self, names: list[str]) -> None:
        self._matchers = {name: SequenceMatcher(None, b=name, autojunk=False) for name in names}

    def of(self, code: EicCode) -> float:
        texts = {" ".join(_words(text)) for text in (code.display_name, code.long_name)} - {""}
        pairs = ((name, text) for name in self._matchers for text in texts)
        return max((self._ratio(name, text) for name, text in pairs), default=0.0)

    def _ratio(self, name: str, text: str) -> float:
        matcher = self._matchers[name]
        ours, theirs = set(name.split()), set(text.split())
        least = CLOSE + 0.2 if ours <= theirs or theirs <= ours else 0.0
        matcher.set_seq1(text)
        # Upper bounds first: most candidates are not close, and the exact figure is dear.
        if matcher.real_quick_ratio() < CLOSE or matcher.quick_ratio() < CLOSE:
            return least
        return max(least, matcher.ratio())
