"""Reading applications: those of the actor's company, for its administrators."""

from django.db.models import QuerySet

from gridgate.applications.models import Application
from gridgate.organisations.models import Membership


def applications_of(*, actor: Membership) -> QuerySet[Application]:
    """The company's applications with the group that each reads within; none for who is no administrator."""
    if not actor.is_administrator or actor.ended_at is not None:
        return Application.objects.none()
    return (
        Application.objects.filter(organisation=actor.organisation_id)
        .select_related("group", "organisation")
        .order_by("name", "pk")
    )
