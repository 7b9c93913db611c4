"""The services and entitlements that a company gives to its groups: the one list of them.

French here, English in this app's `locale`. Adding one is adding a member and a row.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from gridgate.core.roles import BeneficiaryRole, ServiceRule


class EntitlementCode(TextChoices):
    """What a member may do; administrators may do all that their company is offered."""

    METERS = "meters", _("Consulter les compteurs")
    MEASUREMENTS = "measurements", _("Visualiser les mesures")
    DATA_SERVICES = "data_services", _("Gestion des services de données")
    CONTRACTS = "contracts", _("Consulter les contrats")
    INVOICES = "invoices", _("Consulter les factures")
    REQUESTS = "requests", _("Demandes au gestionnaire de réseau")
    ALERTS = "alerts", _("Alertes de dépassement de puissance")
    APPLICATIONS = "applications", _("Gestion des API et des applications")
    USERS = "users", _("Gestion des utilisateurs")
    MARKETS = "markets", _("Accès aux marchés")


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A service as it is declared. `by_point`: a group may have it on some points only."""

    code: EntitlementCode
    help: Any
    by_point: bool
    rule: ServiceRule

    @property
    def label(self) -> str:
        return str(self.code.label)


_MARKET = frozenset(
    {
        BeneficiaryRole.PRODUCER,
        BeneficiaryRole.DISTRIBUTOR,
        BeneficiaryRole.CONSUMER,
        BeneficiaryRole.MARKET_PARTICIPANT,
    }
)
_OPEN, _GIVEN = ServiceRule(open=True), ServiceRule(open=False)

CATALOGUE: tuple[CatalogueEntry, ...] = (
    CatalogueEntry(EntitlementCode.METERS, _("liste, adresse, puissance souscrite"), True, _OPEN),
    CatalogueEntry(EntitlementCode.MEASUREMENTS, _("courbes, index, exports"), True, _OPEN),
    CatalogueEntry(EntitlementCode.DATA_SERVICES, _("partage, collecte, journal des accès"), True, _GIVEN),
    CatalogueEntry(EntitlementCode.ALERTS, _("avis quand la puissance souscrite est approchée"), True, _OPEN),
    CatalogueEntry(EntitlementCode.CONTRACTS, _("contrats d’accès, puissances souscrites"), True, _OPEN),
    CatalogueEntry(EntitlementCode.INVOICES, _("factures et justificatifs"), False, _OPEN),
    CatalogueEntry(EntitlementCode.REQUESTS, _("puissance, code EIC, questionnaire client"), False, _GIVEN),
    CatalogueEntry(EntitlementCode.APPLICATIONS, _("identifiants, abonnements aux API"), False, _GIVEN),
    CatalogueEntry(EntitlementCode.USERS, _("inviter, détacher, composer les groupes"), False, _GIVEN),
    CatalogueEntry(
        EntitlementCode.MARKETS,
        _("enchères de capacité, pertes, nominations"),
        False,
        ServiceRule(open=False, roles=_MARKET),
    ),
)
BY_CODE: dict[str, CatalogueEntry] = {entry.code.value: entry for entry in CATALOGUE}
assert set(BY_CODE) == set(EntitlementCode.values)

ROLE_LABELS: dict[BeneficiaryRole, Any] = {
    BeneficiaryRole.PRODUCER: _("Producteur"),
    BeneficiaryRole.DISTRIBUTOR: _("Distributeur"),
    BeneficiaryRole.CONSUMER: _("Consommateur"),
    BeneficiaryRole.MARKET_PARTICIPANT: _("Acteur de marché"),
    BeneficiaryRole.THIRD_PARTY: _("Tiers"),
}


def offered_to(roles: frozenset[BeneficiaryRole]) -> list[CatalogueEntry]:
    """The services that a company with these roles is offered, in the order of the catalogue."""
    return [entry for entry in CATALOGUE if entry.rule.offered_to(roles)]
