"""Who may do what on which point, as a list: one line for each person, service and point."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gridgate.core.roles import Answer, Why
from gridgate.core.time import civil_day_of
from gridgate.metering.queries import names_of_points, points_of_company, points_readable_by
from gridgate.organisations.catalogue import CatalogueEntry
from gridgate.organisations.company_rights import CompanyRights, Extent, company_rights
from gridgate.organisations.models import EntitlementCode, Membership
from gridgate.organisations.queries import groups_of, members_of
from gridgate.portal.access import MemberRequest, administrator_required
from gridgate.portal.screens.company.access import reason
from gridgate.portal.spreadsheet import table_response
from gridgate.portal.time_zone import readers_zone

Row = list[object]


@require_safe
@administrator_required
def export(request: MemberRequest) -> HttpResponseBase:
    """The rights as they are now, written while they are read."""
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
        _("Jusqu’au"),
    ]


def rows(*, actor: Membership, language: str) -> Iterator[Row]:
    """What each person may use, in seven statements whatever the size of the company; who may nothing has one line too.

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
                (
                    entry,
                    extent,
                    str(entry.label),
                    reason(_why(rights, member.pk, entry, groups)),
                    _last_day(rights, member.pk, entry),
                )
                for entry in rights.services
                if (extent := rights.reach(member.pk, entry)) is not None
            ]
            yes, no, nothing = _("oui"), _("non"), _("aucun service")
        for entry, extent, service, why, last in services:
            later = (yes if extent.everything else no) if entry.by_point else ""
            for point in _points(rights, entry, extent):
                yield [*person, service, point, names.get(point, ""), later, why, last]
        if not services:
            yield [*person, nothing, "", "", "", "", ""]


def _points(rights: CompanyRights, entry: CatalogueEntry, extent: Extent) -> list[str]:
    """The points of an extent; of a service that is not by point, and of one on points to come alone, one empty line."""
    if not entry.by_point:
        return [""]
    found = sorted(rights.held if extent.everything else extent.points & rights.held)
    return found or ([""] if extent.everything else [])


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


def _last_day(rights: CompanyRights, member: int, entry: CatalogueEntry) -> date | None:
    """Of what the member has now; None when no end is set."""
    ends = rights.until_when(member, entry)
    return ends and civil_day_of(ends - timedelta(microseconds=1), timezone.get_default_timezone())


def _names_of_points(actor: Membership) -> dict[str, str]:
    """What the company calls its points; a number says itself."""
    today = civil_day_of(datetime.now(UTC), timezone.get_default_timezone())
    return names_of_points(points_readable_by(actor=actor, service=EntitlementCode.METERS, today=today))
