"""Who may do what on which point, as a list: one line for each person, service and point."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gridgate.core.roles import Answer, Why
from gridgate.core.time import civil_day_of
from gridgate.metering.queries.points import names_of_points, points_of_company, points_readable_by
from gridgate.organisations.catalogue import CatalogueEntry, EntitlementCode
from gridgate.organisations.company_rights import CompanyRights, company_rights
from gridgate.organisations.last_days import last_day
from gridgate.organisations.models import Membership
from gridgate.organisations.queries import groups_of, members_of
from gridgate.portal.guards.access import MemberRequest, administrator_required
from gridgate.portal.kit.spreadsheet import table_response
from gridgate.portal.screens.company.access import reason
from gridgate.portal.shell.time_zone import readers_zone

Row = list[object]


@require_safe
@administrator_required
def export(request: MemberRequest) -> HttpResponseBase:
    """The rights as they are and as they are set to become, written while they are read."""
    actor = request.membership
    day = civil_day_of(timezone.now(), readers_zone(request))
    name = f"droits-{actor.organisation.siren}-{day}.csv"
    return table_response(
        request, name, header(), rows(actor=actor, language=get_language() or "fr"), sheet=_("Qui peut quoi")
    )


def header() -> Row:
    return [
        _("Personne"),
        _("Adresse e-mail"),
        _("Rôle"),
        _("Rattachement"),
        _("Agit jusqu’au"),
        _("Service"),
        _("Point de comptage"),
        _("Nom du point"),
        _("Points à venir"),
        _("Accordé par"),
        _("À partir du"),
        _("Jusqu’au"),
    ]


def rows(*, actor: Membership, language: str) -> Iterator[Row]:
    """What each person may use, now and from a later day on, in seven statements whatever the size of the company; who
    may nothing has one line too.

    The request is over when they are written: words are made in `language`.
    """
    rights = company_rights(actor=actor, held=points_of_company(actor=actor))
    names = _names_of_points(actor)
    groups = dict(groups_of(actor=actor).values_list("pk", "name"))
    for member in members_of(actor=actor).iterator(chunk_size=500):
        if member.pk not in rights.people:
            continue  # came in between two statements
        with override(language):
            person = _person(member)
            services = [
                (entry, str(entry.label), reason(_why(spell.rights, member.pk, entry, groups)), spell)
                for entry in rights.services
                for spell in spells(rights, member.pk, entry)
            ]
            yes, no, nothing = _("oui"), _("non"), _("aucun service")
        for entry, service, why, spell in services:
            later = (yes if spell.to_come else no) if entry.by_point else ""
            first = spell.begins and civil_day_of(spell.begins, timezone.get_default_timezone())
            for point, ends in spell.points:
                last = ends and last_day(ends)
                yield [*person, service, point, names.get(point, ""), later, why, first, last]
        if not services:
            yield [*person, nothing, "", "", "", "", "", ""]


@dataclass(frozen=True, slots=True)
class Spell:
    """What of a service a member comes to have at the instant of `rights`, or has by another reason from then on."""

    rights: CompanyRights
    begins: datetime | None
    """None: they have it now."""
    points: list[tuple[str, datetime | None]]
    """Each with its end, where one is set, be it that it is then had otherwise; one empty for a service that is not by
    point, or when there are only points to come.
    """
    to_come: bool
    """It is on those too."""


@dataclass(frozen=True, slots=True)
class _Had:
    """What a line says of a point beside its dates: when that changes, another line begins."""

    to_come: bool
    groups: tuple[int, ...]
    """By which it is given; none when the service is open to all, or the member an administrator."""


def spells(rights: CompanyRights, member: int, entry: CatalogueEntry) -> Iterator[Spell]:
    """What the member has of the service now, then what is so from later days on."""
    steps = rights.from_now_on(member, entry)
    reached = [_reached(step, member, entry) for step in steps]
    before: dict[str, _Had] = {}
    for place, (step, here) in enumerate(zip(steps, reached, strict=True)):
        came = sorted(point for point, had in here.items() if before.get(point) != had)
        before = here
        if not came:
            continue
        ahead = list(zip(steps, reached, strict=True))[place + 1 :]
        points = [
            (point, next((then.at for then, there in ahead if there.get(point) != here[point]), None))
            for point in came
        ]
        yield Spell(step, step.at if place else None, points, here[came[0]].to_come)


def _reached(rights: CompanyRights, member: int, entry: CatalogueEntry) -> dict[str, _Had]:
    """By point or, where there are none to name, under no name."""
    extent = rights.reach(member, entry)
    if extent is None:
        return {}
    by = () if rights.people[member].administrator else tuple(sorted(rights.giving(member, entry)))
    had = _Had(extent.everything, by)
    if extent.everything:
        return dict.fromkeys(rights.held if entry.by_point and rights.held else {""}, had)
    return dict.fromkeys(extent.points & rights.held, had)


def _person(member: Membership) -> Row:
    return [
        member.user.full_name or member.user.email,
        member.user.email,
        _("Administrateur") if member.is_administrator else _("Utilisateur"),
        _("externe") if member.external else _("interne"),
        member.last_day,
    ]


def _why(rights: CompanyRights, member: int, entry: CatalogueEntry, groups: dict[int, str]) -> Answer:
    """By what the member has a service that they have."""
    if rights.people[member].administrator:
        return Answer(Why.ADMINISTRATOR)
    if not rights.reserving(entry):
        return Answer(Why.OPEN_TO_ALL)
    mine = rights.giving(member, entry)
    return Answer(Why.GIVEN, tuple(sorted(groups.get(key, "") for key in mine)))


def _names_of_points(actor: Membership) -> dict[str, str]:
    """What the company calls its points; a number says itself."""
    today = civil_day_of(datetime.now(UTC), timezone.get_default_timezone())
    return names_of_points(points_readable_by(actor=actor, service=EntitlementCode.METERS, today=today))
