"""*À faire* of the operator's staff: checks to confirm, requests to treat, first administrators whose link ended."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from gridgate.onboarding.models import InvitationState
from gridgate.organisations.models import Membership
from gridgate.portal import request_kinds
from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Task, by_urgency
from gridgate.portal.screens.lost_factors.tasks import checks_of
from gridgate.portal.screens.operator import deadlines
from gridgate.portal.screens.operator.reads import CompanyFilter, companies
from gridgate.portal.shell.context import operator
from gridgate.requests.desk import TO_DO, DeskFilter, DeskRow, desk_rows

MOST = 5


def tasks_of(*, actor: Membership, now: datetime) -> list[Task]:
    """What is due first, first."""
    return by_urgency(
        [
            *checks_of(actor=actor, now=now),
            *_requests(actor, now),
            *_declarations(actor, now),
            *_nobody_to_ask(),
        ]
    )


def _requests(actor: Membership, now: datetime) -> Iterator[Task]:
    labels = {one.kind.prefix: str(one.label) for one in request_kinds.DESK}
    kinds = [one.kind for one in request_kinds.DESK]
    rows = desk_rows(kinds=kinds, wanted=DeskFilter(state=TO_DO), actor=actor, now=now)
    for row in rows[:MOST]:
        yield Task(
            "doc",
            row.company or row.requester,
            "\u00a0· ".join(filter(None, (labels[row.prefix], _by_when(row, now)))),
            reverse("operator_request", args=[row.number]),
            _("Traiter"),
            row.number,
            row.due_at,
        )


def _by_when(row: DeskRow, now: datetime) -> str:
    if row.due_at is None:
        return ""
    late = row.late_by(now)
    if late is not None:
        return _("en retard de %(duration)s") % {"duration": deadlines.lasting(late)}
    if row.due_at - now <= deadlines.SOON:
        return _("à traiter avant le %(at)s") % {"at": formats.moment(row.due_at)}
    return _("à traiter avant le %(day)s") % {"day": formats.long_day(row.due_at)}


def _nobody_to_ask() -> Iterator[Task]:
    """Pages that say whom to ask for help name no address."""
    if operator().has_contact:
        return
    yield Task(
        "help",
        _("Aucune adresse n’est indiquée pour demander de l’aide"),
        _("réglages GRIDGATE_CONTACT_EMAIL, GRIDGATE_CONTACT_PHONE ou GRIDGATE_CONTACT_URL"),
        reverse("help") + "#contact",
        _("Voir"),
        _("la page d’aide"),
    )


def _declarations(actor: Membership, now: datetime) -> Iterator[Task]:
    wanted = CompanyFilter(declared=InvitationState.EXPIRED)
    for company in companies(actor=actor, wanted=wanted, now=now)[:MOST]:
        yield Task(
            "users",
            company.legal_name,
            _("premier administrateur : lien expiré sans réponse"),
            reverse("operator_company", args=[company.siren]),
            _("Relancer"),
            company.legal_name,
        )
