"""What of *À faire* waits for a second person: checks of identity."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse
from django.utils.translation import gettext as _

from gridgate.accounts.operations.lost_factors import checks_to_confirm
from gridgate.organisations.models import Membership
from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Task

MOST = 5


def checks_of(*, actor: Membership, now: datetime) -> Iterator[Task]:
    """Those that the actor may confirm: the operator's clerks at their desk, administrators for their company."""
    page = "operator_lost_factors" if actor.organisation.is_operator else "company_lost_factors"
    for lost in checks_to_confirm(actor=actor, now=now).order_by("expires_at", "pk")[:MOST]:
        yield Task(
            "key",
            _("%(name)s a perdu ses seconds facteurs") % {"name": lost.user},
            _("à confirmer jusqu’au %(at)s") % {"at": formats.moment(lost.expires_at)},
            reverse(page),
            _("Vérifier"),
            str(lost.user),
            lost.expires_at,
        )
