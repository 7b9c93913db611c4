"""What a change of rights does to people and to programs, in sentences: read before it is made."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice

from django.http import HttpRequest
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.applications.queries import applications_of
from gridgate.core.time import civil_day_of
from gridgate.metering.queries.points import names_of_points, points_of_company, points_readable_by
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.company_rights import CompanyRights, Program, company_rights
from gridgate.organisations.models import Membership
from gridgate.organisations.rights_changes import Change, Difference, Ease, newly
from gridgate.portal.kit import formats
from gridgate.portal.screens.company.terms import last_day

POINTS_NAMED = 50
"""How many points of a sentence are named one by one."""
SPOKEN = 5
"""How many sentences of a service stand on the page; the others are a click away."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """Who loses or gains the service on which points; the names that it counts."""

    text: str
    names: tuple[str, ...]
    """Everybody, when the sentence names the first one only."""
    points: tuple[str, ...]
    """The first ones."""
    more_points: int

    @property
    def has_more(self) -> bool:
        return bool(self.names or self.points)


@dataclass(frozen=True, slots=True)
class Consequence:
    """One service: what becomes of it, and of whom. `when`: from which day on, where that was not said before."""

    when: str
    service: str
    becomes: str
    sentences: tuple[Sentence, ...]
    others: tuple[Sentence, ...]
    """Those that a click shows."""
    takes: bool
    """Somebody or something loses it somewhere."""


def present_rights(*, actor: Membership) -> CompanyRights:
    """The rights of the actor's company with its points and programs, in six statements whatever its size."""
    programs = {
        application.pk: Program(
            application.name,
            application.group_id,
            gone=application.group_id is not None and application.group is None,
        )
        for application in applications_of(actor=actor)
    }
    return company_rights(actor=actor, held=points_of_company(actor=actor), programs=programs)


def consequences(changes: Sequence[Change], *, actor: Membership) -> list[Consequence]:
    """Points are named to administrators only: who composes groups may be restricted to some."""
    told = newly(changes)
    names = _names_of(told, actor) if actor.is_administrator else {}
    dated = any(change.at for change in changes)
    worth_saying: list[Consequence] = []
    became: dict[str, str] = {}
    last_heading = None
    for change, new in zip(changes, told, strict=True):
        when, becomes = from_when(change), _becomes(change)
        again = became.get(change.entry.code) == becomes
        became[change.entry.code] = becomes
        heading = when if dated and when != last_heading else ""
        consequence = _consequence(new, names, "" if again else becomes, heading)
        if consequence.becomes or consequence.sentences:
            worth_saying.append(consequence)
            last_heading = when
    return worth_saying


def from_when(change: Change) -> str:
    if change.at is None:
        return _("Dès maintenant")
    if change.by_end:
        return _("Après le %(day)s") % {"day": last_day(change.at)}
    return _("À partir du %(day)s") % {"day": formats.day(change.at)}


def losses(changes: Sequence[Change]) -> str:
    """Who loses what, for the message after a change; empty when nobody does."""
    return " ".join(
        _at_once_or_later(change, _who_on_what(difference, change, _losing))
        for change in newly(changes)
        for difference in (*change.losses, *_programs(change.programs_lose))[:SPOKEN]
    )


def _at_once_or_later(change: Change, text: str) -> str:
    return text if change.at is None else formats.said(from_when(change), text)


def is_confirmed(request: HttpRequest, changes: Sequence[Change], also: Sequence[str] = ()) -> bool:
    """Whether what asks to be read first was read as it is; so does whatever is said in `also`."""
    asks = bool(also) or any(change.asks_to_confirm for change in changes)
    return not asks or request.POST.get("seen", "") == fingerprint(changes, also)


def fingerprint(changes: Sequence[Change], also: Sequence[str] = ()) -> str:
    """Differs when the consequences do, or what else the page says: what was read and confirmed must be what happens."""
    read = [
        (
            change.entry.code.value,
            change.at,
            change.groups_after,
            [
                [(one.names, sorted(one.points), one.whole, one.everywhere) for one in differences]
                for differences in (
                    change.losses,
                    change.gains,
                    change.programs_lose,
                    change.programs_gain,
                )
            ],
        )
        for change in changes
    ]
    return sha256(repr((read, list(also))).encode()).hexdigest()[:16]


def _consequence(change: Change, names: dict[str, str], becomes: str, when: str) -> Consequence:
    sentences = [
        *(
            _sentence(difference, change, _losing, names)
            for difference in (*change.losses, *_programs(change.programs_lose))
        ),
        *(
            _sentence(difference, change, _gaining, names)
            for difference in (*change.gains, *_programs(change.programs_gain))
        ),
        *(_sentence(one.difference, change, _EASING[one.ease], names) for one in change.eased),
        *(
            _sentence(told, change, _EASING[difference.ease], names)
            for difference in change.programs_eased
            for told in _programs([difference.difference])
        ),
    ]
    return Consequence(
        when=when,
        service=change.entry.label,
        becomes=becomes,
        sentences=tuple(sentences[:SPOKEN]),
        others=tuple(sentences[SPOKEN:]),
        takes=bool(change.losses or change.programs_lose),
    )


def _sentence(
    difference: Difference,
    change: Change,
    verb: Callable[[int], str],
    names: dict[str, str],
) -> Sentence:
    points = () if difference.whole and difference.everywhere else sorted(difference.points)
    shown = tuple(names[point] for point in islice(points, POINTS_NAMED)) if names else ()
    return Sentence(
        text=_who_on_what(difference, change, verb),
        names=difference.names if len(difference.names) > 1 else (),
        points=shown,
        more_points=max(0, len(points) - POINTS_NAMED) if names else 0,
    )


def _who_on_what(difference: Difference, change: Change, verb: Callable[[int], str]) -> str:
    """`Bob et 5 autres perdent « Visualiser les mesures » sur 3 points.`"""
    others = len(difference.names) - 1
    return verb(others) % {
        "name": difference.names[0],
        "count": formats.number(others),
        "service": change.entry.label,
        "where": _where(difference),
    }


def _losing(others: int) -> str:
    if not others:
        return _("%(name)s perd « %(service)s »%(where)s.")
    return ngettext(
        "%(name)s et %(count)s autre perdent « %(service)s »%(where)s.",
        "%(name)s et %(count)s autres perdent « %(service)s »%(where)s.",
        others,
    )


def _gaining(others: int) -> str:
    if not others:
        return _("%(name)s gagne « %(service)s »%(where)s.")
    return ngettext(
        "%(name)s et %(count)s autre gagnent « %(service)s »%(where)s.",
        "%(name)s et %(count)s autres gagnent « %(service)s »%(where)s.",
        others,
    )


def _having_again(others: int) -> str:
    if not others:
        return _("%(name)s a de nouveau « %(service)s »%(where)s.")
    return ngettext(
        "%(name)s et %(count)s autre ont de nouveau « %(service)s »%(where)s.",
        "%(name)s et %(count)s autres ont de nouveau « %(service)s »%(where)s.",
        others,
    )


def _having_anyway(others: int) -> str:
    if not others:
        return _("%(name)s a « %(service)s »%(where)s, avec ou sans ce changement.")
    return ngettext(
        "%(name)s et %(count)s autre ont « %(service)s »%(where)s, avec ou sans ce changement.",
        "%(name)s et %(count)s autres ont « %(service)s »%(where)s, avec ou sans ce changement.",
        others,
    )


def _having_no_more(others: int) -> str:
    if not others:
        return _("%(name)s n’a plus « %(service)s »%(where)s.")
    return ngettext(
        "%(name)s et %(count)s autre n’ont plus « %(service)s »%(where)s.",
        "%(name)s et %(count)s autres n’ont plus « %(service)s »%(where)s.",
        others,
    )


def _not_having_either(others: int) -> str:
    if not others:
        return _("%(name)s n’a plus « %(service)s »%(where)s, avec ou sans ce changement.")
    return ngettext(
        "%(name)s et %(count)s autre n’ont plus « %(service)s »%(where)s, avec ou sans ce changement.",
        "%(name)s et %(count)s autres n’ont plus « %(service)s »%(where)s, avec ou sans ce changement.",
        others,
    )


_EASING = {
    Ease.AGAIN: _having_again,
    Ease.NEITHER: _not_having_either,
    Ease.ANYWAY: _having_anyway,
    Ease.NO_MORE: _having_no_more,
}


def _where(difference: Difference) -> str:
    """Nothing for the service as a whole, wherever it may be used."""
    count = len(difference.points)
    if difference.whole and (difference.everywhere or not count):
        return ""
    if not count:
        return _(" sur les points à venir")
    if difference.everywhere:
        text = ngettext(
            " sur %(points)s point et sur ceux à venir", " sur %(points)s points et sur ceux à venir", count
        )
    else:
        text = ngettext(" sur %(points)s point", " sur %(points)s points", count)
    return text % {"points": formats.number(count)}


def _programs(differences: Iterable[Difference]) -> list[Difference]:
    """Programs read under their own names, which may be a person's."""
    return [
        Difference(
            tuple(_("%(name)s (programme)") % {"name": name} for name in program.names),
            program.keys,
            program.points,
            program.whole,
            program.everywhere,
        )
        for program in differences
    ]


def _names_of(changes: Iterable[Change], actor: Membership) -> dict[str, str]:
    """What the points that are named are called, as the company knows them, in one statement."""
    wanted: set[str] = set()
    for change in changes:
        eased = (one.difference for one in (*change.eased, *change.programs_eased))
        people = (*change.losses, *change.gains, *eased)
        for one in (*people, *change.programs_lose, *change.programs_gain):
            if not (one.whole and one.everywhere):
                wanted.update(islice(sorted(one.points), POINTS_NAMED))
    today = civil_day_of(datetime.now(UTC), get_default_timezone())
    mine = points_readable_by(actor=actor, service=EntitlementCode.METERS, today=today)
    named = names_of_points(mine.filter(pk__in=wanted)) if wanted else {}
    return {key: f"{named[key]} ({key})" if key in named else key for key in wanted}


def _becomes(change: Change) -> str:
    groups = change.groups_after
    if change.opens:
        return _("Plus aucun groupe ne l’a : il redevient ouvert à tous vos utilisateurs.")
    if change.closes:
        return _("Plus aucun groupe ne l’a : seuls vos administrateurs le gardent.")
    if change.reserves:
        return ngettext(
            "Il était ouvert à tous vos utilisateurs ; il devient réservé à %(count)s groupe.",
            "Il était ouvert à tous vos utilisateurs ; il devient réservé à %(count)s groupes.",
            groups,
        ) % {"count": formats.number(groups)}
    if groups > change.groups_before:
        return ngettext(
            "Il est désormais réservé à %(count)s groupe.",
            "Il est désormais réservé à %(count)s groupes.",
            groups,
        ) % {"count": formats.number(groups)}
    if groups == change.groups_before:
        return ""
    return ngettext(
        "Il reste réservé à %(count)s groupe.", "Il reste réservé à %(count)s groupes.", groups
    ) % {"count": formats.number(groups)}
