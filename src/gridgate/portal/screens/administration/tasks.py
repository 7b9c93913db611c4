"""*À faire* of the operator's staff: checks to confirm, requests to treat, first administrators whose link ended."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from gridgate.organisations.desk import TO_DO, DeskFilter, desk_rows
from gridgate.organisations.models import InvitationState, Membership
from gridgate.organisations.operator_queries import CompanyFilter, companies
from gridgate.portal import desk
from gridgate.portal.screens.lost_factors.tasks import checks_of
from gridgate.portal.screens.operator import words
from gridgate.portal.shapes import Task, by_urgency

MOST = 5


def tasks_of(*, actor: Membership, now: datetime) -> list[Task]:
    """What is due first, first."""
    return by_urgency([*checks_of(actor=actor, now=now), *_requests(actor, now), *_declarations(actor, now)])


def _requests(actor: Membership, now: datetime) -> Iterator[Task]:
    labels = {one.kind.prefix: str(one.label) for one in desk.DESK}
    kinds = [one.kind for one in desk.DESK]
    rows = desk_rows(kinds=kinds, wanted=DeskFilter(state=TO_DO), actor=actor, now=now)
    for row in rows[:MOST]:
        yield Task(
            "doc",
            row.company or row.requester,
            f"{labels[row.prefix]} · {words.due(row.state, row.due_at, row.decided_at, now).text}",
            reverse("operator_request", args=[row.number]),
            _("Traiter"),
            row.number,
            row.due_at,
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
