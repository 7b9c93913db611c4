"""*À faire*: what waits for an answer, what ends soon, what no longer arrives."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.dataplane.client import Latest
from gridgate.organisations.models import Membership
from gridgate.portal import formats
from gridgate.portal.screens.sharing import words
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.sharing import queries

SOON = timedelta(days=30)
LATE = timedelta(days=2)
MOST = 5


@dataclass(frozen=True, slots=True)
class Task:
    """One line: what, the detail, and the link with its hidden end."""

    icon: str
    title: str
    detail: str
    url: str
    link: str
    about: str


def tasks_of(
    *, actor: Membership, since: Mapping[str, date], latest: Mapping[str, Latest] | None, moment: Moment
) -> list[Task]:
    """In order of urgency; nothing that the actor is not entitled to act on. `since` says of each point from which day
    the company holds it.
    """
    found = [*_requests(actor), *_ending(actor, moment)]
    if latest is not None:
        found += _silent(since, latest, moment)
    return found


def _requests(actor: Membership) -> Iterator[Task]:
    for request in queries.requests_to_answer(actor=actor)[:MOST]:
        name = request.eligible_party.legal_name
        yield Task(
            "share",
            _("%(name)s demande un accès") % {"name": name},
            words.data(request.service),
            reverse("sharing_request", args=[request.pk]),
            _("Répondre"),
            _("à %(name)s") % {"name": name},
        )


def _ending(actor: Membership, moment: Moment) -> Iterator[Task]:
    given = queries.in_force(queries.permissions_given(actor=actor), now=moment.now)
    soon = given.filter(valid_until__lte=moment.now + SOON).order_by("valid_until", "eligible_party", "pk")
    told: set[int] = set()
    for permission in soon[: 4 * MOST]:
        if permission.eligible_party_id in told or len(told) == MOST or permission.valid_until is None:
            continue
        told.add(permission.eligible_party_id)
        party = permission.eligible_party
        yield Task(
            "clock",
            _("%(name)s expire bientôt") % {"name": party.legal_name},
            _("le %(day)s") % {"day": formats.long_day(moment.last_day_before(permission.valid_until))},
            reverse("sharing_company", args=[party.siren]),
            _("Voir"),
            party.legal_name,
        )


def _silent(since: Mapping[str, date], latest: Mapping[str, Latest], moment: Moment) -> Iterator[Task]:
    limit = moment.today - LATE
    last = {point: latest[point].day if point in latest else held for point, held in since.items()}
    silent = [point for point, day in last.items() if day < limit]
    if not silent:
        return
    count = formats.number(len(silent))
    one = len(silent) == 1
    yield Task(
        "plug",
        ngettext("%(count)s compteur sans données", "%(count)s compteurs sans données", len(silent))
        % {"count": count},
        _("depuis plus de 2 jours"),
        reverse("measurements_point", args=silent) if one else reverse("metering_points"),
        _("Voir"),
        ngettext("ce compteur", "les %(count)s compteurs", len(silent)) % {"count": count},
    )
