"""Reading applications: those of the actor's company, for its administrators; and how a program is called."""

from collections.abc import Collection

from django.db.models import QuerySet

from gridgate.applications.models import Application
from gridgate.organisations.models import Membership


def applications_of(*, actor: Membership) -> QuerySet[Application]:
    """The company's applications with the group that each reads within; none for who is no administrator."""
    if not actor.is_administrator or not actor.is_present():
        return Application.objects.none()
    return (
        Application.objects.filter(organisation=actor.organisation_id)
        .select_related("group", "organisation")
        .order_by("name", "pk")
    )


def names_of(client_ids: Collection[str]) -> dict[str, str]:
    """How the programs are called that the caller may read of, by client id; those that are gone are absent."""
    if not client_ids:
        return {}
    return dict(Application.objects.filter(client_id__in=client_ids).values_list("client_id", "name"))
