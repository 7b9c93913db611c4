"""*À faire*: what waits for an answer, what is to be completed or sent, what ends soon, what no longer arrives.

What the policy or new terms ask of a person is no line here: no page opens until it is done.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.dataplane.client import Latest
from gridgate.eic.to_act import codes_to_act_on
from gridgate.kyc.to_act import questionnaire_to_act_on
from gridgate.onboarding.operations.join_requests import waiting_to_join
from gridgate.onboarding.queries import invitations_of
from gridgate.organisations.catalogue import BY_CODE, EntitlementCode
from gridgate.organisations.dated import reserved_to_nobody, rights_ending
from gridgate.organisations.last_days import end_of
from gridgate.organisations.models import Membership
from gridgate.organisations.queries import members_of
from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Task, by_urgency
from gridgate.portal.screens.lost_factors.tasks import checks_of
from gridgate.portal.screens.sharing import service_data
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.requests.to_act import ToAct
from gridgate.sharing.operations.requesting import DAYS_TO_ANSWER
from gridgate.sharing.queries.permissions import InForce, in_force, permissions_given
from gridgate.sharing.queries.requests import WAITING, requests_made, requests_to_answer

SOON = timedelta(days=30)
LATE = timedelta(days=2)
LEAVES = timedelta(days=14)
LINK_ENDS = timedelta(days=3)
RIGHT_ENDS = timedelta(days=14)
MOST = 5


def tasks_of(
    *,
    actor: Membership,
    since: Mapping[str, date],
    latest: Mapping[str, Latest] | None,
    received: InForce,
    moment: Moment,
) -> list[Task]:
    """What is due first, first; nothing that the actor is not entitled to act on. `since` says of each point from which
    day the company holds it; `received`, what others permit it.
    """
    tasks = [
        *_requests(actor),
        *_ending(actor, moment),
        *_asked_of_the_operator(actor, moment),
        *_invitations(actor, moment),
        *_asking_to_join(actor, moment),
        *_rights_ending(actor, moment),
        *_leaving(actor, moment),
        *checks_of(actor=actor, now=moment.now),
        *_received(received, moment),
    ]
    if latest is not None:
        tasks += _silent(since, latest, moment)
    tasks += _unanswered(actor)
    return by_urgency(tasks)


def _requests(actor: Membership) -> Iterator[Task]:
    for request in requests_to_answer(actor=actor)[:MOST]:
        name = request.eligible_party.legal_name
        until = request.requested_at + timedelta(days=DAYS_TO_ANSWER)
        yield Task(
            "share",
            _("%(name)s demande un accès") % {"name": name},
            f"{service_data.data(request.service)}\u00a0· {_before(until)}",
            reverse("sharing_request", args=[request.pk]),
            _("Répondre"),
            _("à %(name)s") % {"name": name},
            until,
        )


def _before(instant: datetime) -> str:
    return _("avant le %(day)s") % {"day": formats.long_day(instant)}


def _ending(actor: Membership, moment: Moment) -> Iterator[Task]:
    given = in_force(permissions_given(actor=actor), now=moment.now)
    soon = given.filter(valid_until__lte=moment.now + SOON).order_by("valid_until", "eligible_party", "pk")
    told: set[int] = set()
    for permission in soon[: 4 * MOST]:
        if permission.eligible_party_id in told or len(told) == MOST or permission.valid_until is None:
            continue
        told.add(permission.eligible_party_id)
        party = permission.eligible_party
        yield Task(
            "clock",
            _("Le partage avec %(name)s expire bientôt") % {"name": party.legal_name},
            _("dernier jour : le %(day)s")
            % {"day": formats.long_day(moment.last_day_before(permission.valid_until))},
            reverse("sharing_company", args=[party.siren]),
            _("Voir"),
            party.legal_name,
            permission.valid_until,
        )


def _asked_of_the_operator(actor: Membership, moment: Moment) -> Iterator[Task]:
    for one in codes_to_act_on(actor=actor)[:MOST]:
        title = _("Code EIC « %(name)s »") % {"name": one.title}
        yield _to_complete(one, title, reverse("eic_request", args=[one.number]), moment)
    questionnaire = questionnaire_to_act_on(actor=actor, now=moment.now)
    if questionnaire is None:
        return
    title, ends = _("Questionnaire client"), questionnaire.due_at
    if questionnaire.number:
        url = reverse("kyc_questionnaire", args=[questionnaire.number])
        yield _to_complete(questionnaire, title, url, moment)
    elif ends is not None:
        said = _("a expiré le %(day)s") if ends <= moment.now else _("expire le %(day)s")
        detail = said % {"day": formats.long_day(moment.last_day_before(ends))}
        yield Task("clock", title, detail, reverse("kyc"), _("Renouveler"), title, ends)


def _to_complete(unfinished: ToAct, title: str, url: str, moment: Moment) -> Task:
    """Whoever sent it back waits now; a draft waits for nobody but what it replaces."""
    if unfinished.returned:
        return Task(
            "alert", title, _("un complément vous est demandé"), url, _("Compléter"), title, moment.now
        )
    detail = _("brouillon, pas encore envoyé")
    if unfinished.due_at is not None:
        detail = f"{detail}\u00a0· {_before(unfinished.due_at)}"
    return Task("pen", title, detail, url, _("Terminer"), title, unfinished.due_at)


def _invitations(actor: Membership, moment: Moment) -> Iterator[Task]:
    """Links that nobody used, and that are over or will be: those that are sent again by themselves are nobody's task."""
    if not actor.has(EntitlementCode.USERS):
        return
    soon = moment.now + LINK_ENDS
    ending = invitations_of(actor=actor).unclosed().filter(Q(expires_at__lte=soon) | Q(until__lte=soon))
    waits = ending.filter(Q(resend_until=None) | Q(resend_until__lte=moment.now))
    ends = sorted(one.good_until for one in waits)
    if not ends:
        return
    detail = _("lien expiré le %(day)s") if ends[0] <= moment.now else _("le lien expire le %(day)s")
    yield Task(
        "mail",
        ngettext("%(count)s invitation sans réponse", "%(count)s invitations sans réponse", len(ends))
        % {"count": formats.number(len(ends))},
        detail % {"day": formats.long_day(ends[0])},
        reverse("company_invitations"),
        _("Renvoyer"),
        _("les invitations"),
        ends[0],
    )


def _asking_to_join(actor: Membership, moment: Moment) -> Iterator[Task]:
    for join_request in waiting_to_join(actor=actor, now=moment.now).order_by("expires_at", "pk")[:MOST]:
        yield Task(
            "users",
            _("%(name)s demande à agir pour votre entreprise") % {"name": join_request.user},
            _("jusqu’au %(day)s") % {"day": formats.long_day(join_request.expires_at)},
            reverse("company_join_request", args=[join_request.pk]),
            _("Répondre"),
            _("à %(name)s") % {"name": join_request.user},
            join_request.expires_at,
        )


def _rights_ending(actor: Membership, moment: Moment) -> Iterator[Task]:
    """What ends opens nothing by itself: a service stays reserved, and somebody decides what comes next."""
    for over in reserved_to_nobody(actor=actor, now=moment.now)[:MOST]:
        service = BY_CODE[over.code].label
        yield Task(
            "lock",
            _("« %(service)s » n’est plus à aucun utilisateur") % {"service": service},
            _("il reste réservé à %(group)s, qui ne le donne plus à personne") % {"group": over.group.name},
            reverse("company_group", args=[over.group_id]),
            _("Décider"),
            _("de « %(service)s »") % {"service": service},
            moment.now,
        )
    for right in rights_ending(actor=actor, now=moment.now, before=moment.now + RIGHT_ENDS)[:MOST]:
        day = formats.long_day(moment.last_day_before(right.ends_at))
        detail = _("jusqu’au %(day)s inclus") % {"day": day}
        if right.member is None:
            title = formats.elided(
                _("Le droit de %(group)s à « %(service)s » finit bientôt")
                % {"group": right.group_name, "service": BY_CODE[right.code].label}
            )
            url = reverse("company_service_dates", args=[right.group, right.code])
        else:
            title = _("%(name)s quitte bientôt le groupe « %(group)s »") % {
                "name": right.member.user,
                "group": right.group_name,
            }
            url = reverse("company_place_dates", args=[right.group, right.member.pk])
        yield Task("clock", title, detail, url, _("Voir"), _("les dates"), right.ends_at)


def _leaving(actor: Membership, moment: Moment) -> Iterator[Task]:
    if not actor.has(EntitlementCode.USERS):
        return
    leaving = members_of(actor=actor).filter(until__lte=end_of(moment.today + LEAVES))
    for member in leaving.order_by("until", "pk")[:MOST]:
        yield Task(
            "users",
            formats.elided(_("L’accès de %(name)s prend fin") % {"name": member.user}),
            _("après le %(day)s") % {"day": formats.long_day(member.last_day)},
            reverse("company_user", args=[member.pk]),
            _("Voir"),
            str(member.user),
            member.until,
        )


def _received(received: InForce, moment: Moment) -> Iterator[Task]:
    if received.first is None:
        return
    yield Task(
        "clock",
        ngettext(
            "%(count)s autorisation reçue expire bientôt",
            "%(count)s autorisations reçues expirent bientôt",
            received.soon,
        )
        % {"count": formats.number(received.soon)},
        ngettext("dernier jour : le %(day)s", "dernier jour de la première : le %(day)s", received.soon)
        % {"day": formats.long_day(moment.last_day_before(received.first))},
        reverse("permissions_received"),
        _("Voir"),
        _("les autorisations reçues"),
        received.first,
    )


def _unanswered(actor: Membership) -> Iterator[Task]:
    """What the company asked of holders: nothing to do but to wait, or to remind them."""
    made = requests_made(actor=actor).filter(state__in=WAITING)
    days = list(made.order_by("requested_at").values_list("requested_at", flat=True))
    if not days:
        return
    yield Task(
        "clock",
        ngettext(
            "%(count)s demande d’accès sans réponse", "%(count)s demandes d’accès sans réponse", len(days)
        )
        % {"count": formats.number(len(days))},
        ngettext("depuis le %(day)s", "la plus ancienne depuis le %(day)s", len(days))
        % {"day": formats.long_day(days[0])},
        reverse("permissions_received"),
        _("Voir"),
        _("les demandes en attente"),
    )


def _silent(since: Mapping[str, date], latest: Mapping[str, Latest], moment: Moment) -> Iterator[Task]:
    limit = moment.today - LATE
    last = {point: latest[point].day if point in latest else held for point, held in since.items()}
    silent = [point for point, day in last.items() if day < limit]
    if not silent:
        return
    count = formats.number(len(silent))
    single = len(silent) == 1
    yield Task(
        "plug",
        ngettext("%(count)s compteur sans données", "%(count)s compteurs sans données", len(silent))
        % {"count": count},
        _("depuis plus de 2 jours"),
        reverse("measurements_point", args=silent) if single else reverse("metering_points"),
        _("Voir"),
        ngettext("ce compteur", "les %(count)s compteurs", len(silent)) % {"count": count},
    )
