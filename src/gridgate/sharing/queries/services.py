"""The catalogue of data services, as the actor may see it."""

from django.db.models import Q, QuerySet

from gridgate.core.sharing import LegalBasis
from gridgate.organisations.beneficiaries import names_none, names_one
from gridgate.organisations.models import Membership
from gridgate.sharing.models import DataService
from gridgate.sharing.queries.permissions import permissions_given
from gridgate.sharing.queries.reach import entitled, readable_one

_TERMINABLE = [basis.value for basis in LegalBasis if basis.terminable]


def services_readable_by(*, actor: Membership) -> QuerySet[DataService]:
    """The catalogue: what others offer to companies with a role of the actor's, what its company has or had, what the
    operator must do.
    """
    if not entitled(actor):
        return DataService.objects.none()
    known = permissions_given(actor=actor).values("service")
    visible = _offered_to(actor) | Q(pk__in=known) | Q(pk__in=regulatory().values("pk"))
    return DataService.objects.filter(visible).select_related("provider").order_by("name", "pk")


def services_offered_to(*, actor: Membership) -> QuerySet[DataService]:
    """What the actor's company may subscribe to."""
    return services_readable_by(actor=actor).filter(_offered_to(actor))


def service_readable_by(*, actor: Membership, code: str) -> DataService:
    """One service of the catalogue. Raises `NotReadable`."""
    return readable_one(services_readable_by(actor=actor).filter(code=code), "service")


def _offered_to(actor: Membership) -> Q:
    roles = names_none() | names_one(actor.organisation.beneficiary_roles)
    return Q(offered=True) & ~Q(provider=actor.organisation_id) & roles


def regulatory() -> QuerySet[DataService]:
    return DataService.objects.filter(provider__is_operator=True, offered=False).exclude(
        legal_basis__in=_TERMINABLE
    )
