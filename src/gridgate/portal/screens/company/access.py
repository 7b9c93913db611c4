"""What one member may do, service by service, and why: the answer of `metering.rights.explain`, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.core.roles import Answer, Why
from gridgate.metering.rights import explain, points_by_service
from gridgate.organisations.catalogue import offered_to
from gridgate.organisations.models import Membership
from gridgate.portal.kit import formats
from gridgate.portal.screens.company.terms import last_day, until

NAMED = 3
"""How many groups an answer names; the others are counted."""


@dataclass(frozen=True, slots=True)
class AccessLine:
    """One service: may the member use it, why (not), on how many points."""

    code: str
    label: str
    help: str
    allowed: bool
    begins: str
    """From which day on, of what is not yet allowed and will be."""
    why: str
    points: int | None
    """None for a service that is not by point, or not allowed."""
    by_point: bool


def access_lines(member: Membership, *, point: str | None = None) -> list[AccessLine]:
    """Every service that the company is offered. With `point`, the answers for that point alone."""
    points = points_by_service(member=member)
    lines = []
    for entry in offered_to(member.organisation.beneficiary_roles):
        answer = explain(member=member, service=entry.code, point=point)
        lines.append(
            AccessLine(
                code=entry.code,
                label=entry.label,
                help=str(entry.help),
                allowed=answer.allowed,
                begins=formats.day(answer.turns_at) if answer.why is Why.NOT_YET else "",
                why=reason(answer),
                points=points.get(entry.code) if answer.allowed else None,
                by_point=entry.by_point,
            )
        )
    return lines


def reason(answer: Answer) -> str:
    """Why, in words that an administrator acts on."""
    sentence = _reason(answer)
    ends, begins = answer.reason_ends, answer.later_from
    if answer.allowed and ends is not None:
        sentence = _("%(reason)s, %(until)s") % {"reason": sentence, "until": until(ends)}
    if begins is None or not answer.later:
        return sentence
    values = {"reason": sentence, "groups": _on_points(answer), "dates": _from_to(begins, answer.later_until)}
    if ends is not None and ends <= begins:
        return _("%(reason)s ; puis par %(groups)s %(dates)s") % values
    return _("%(reason)s ; aussi par %(groups)s %(dates)s") % values


def _on_points(answer: Answer) -> str:
    """The groups to come and, where one has it on some points only, on how many."""
    groups, count = named(answer.later), answer.later_points
    if count is None:
        return groups
    return ngettext("%(groups)s, sur %(count)s point,", "%(groups)s, sur %(count)s points,", count) % {
        "groups": groups,
        "count": formats.number(count),
    }


def _from_to(begins: datetime, ends: datetime | None) -> str:
    first = formats.day(begins)
    if ends is None:
        return _("à partir du %(day)s") % {"day": first}
    return _("du %(first)s au %(last)s inclus") % {"first": first, "last": last_day(ends)}


def _reason(answer: Answer) -> str:
    groups = named(answer.groups)
    match answer.why:
        case Why.ADMINISTRATOR:
            return _("administrateur")
        case Why.OPEN_TO_ALL:
            return _("ouvert à tous les utilisateurs")
        case Why.GIVEN:
            return _("par %(groups)s") % {"groups": groups}
        case Why.ENDED:
            return _("n’agit plus pour l’entreprise")
        case Why.NOT_OFFERED:
            return _("n’est pas proposé à votre entreprise")
        case Why.GIVEN_TO_NOBODY:
            return _("aucun groupe ne l’a")
        case Why.RESERVED:
            return _("réservé à %(groups)s") % {"groups": groups}
        case Why.OUTSIDE_PERIMETER:
            return formats.elided(_("hors du périmètre de %(groups)s") % {"groups": groups})
        case Why.NOT_YET:
            day = formats.day(answer.turns_at)
            return _("par %(groups)s, à partir du %(day)s") % {"groups": groups, "day": day}
        case Why.NO_LONGER:
            day = last_day(answer.turns_at) if answer.turns_at else formats.NONE
            return _("par %(groups)s, mais seulement jusqu’au %(day)s") % {"groups": groups, "day": day}
        case Why.NOT_HELD:
            return _("votre entreprise n’est pas titulaire de ce point, et ne l’a pas été")


def named(groups: Sequence[str]) -> str:
    """`Énergie, Site de Lyon, Siège et 2 autres`."""
    left = len(groups) - NAMED
    if left <= 0:
        return ", ".join(groups)
    more = ngettext("et %(count)s autre", "et %(count)s autres", left) % {"count": formats.number(left)}
    return f"{', '.join(groups[:NAMED])} {more}"
