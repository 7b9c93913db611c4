"""The catalogue of the demo world: what the operator and the third parties read, why, and on which ground."""

from gridgate.core.quantities import FlowDirection, Kind, bits
from gridgate.core.sharing import LegalBasis
from gridgate.organisations.models import Organisation
from gridgate.sharing.models import DataService

BOTH = bits(FlowDirection)
WITHDRAWAL = bits([FlowDirection.WITHDRAWAL])


def create_services(organisations: dict[str, Organisation]) -> dict[str, DataService]:
    """Create the services of the operator and of the three third parties, by code."""
    services = [
        DataService(
            code="releve-et-facturation",
            provider=organisations["Réseau Démo"],
            name="Relève et facturation de l’acheminement",
            name_en="Meter reading and network billing",
            purpose="Relève et facturation de l’acheminement",
            purpose_en="Reading of meters and billing of network use",
            legal_basis=LegalBasis.PUBLIC_TASK,
            legal_reference="Mission de service public de comptage, Code de l’énergie, art. L. 322-8",
            legal_reference_en="Public metering task, French Energy Code, art. L. 322-8",
            contact_email="donnees@reseau-demo.example",
            kinds=bits([Kind.DAILY_ENERGY, Kind.MAXIMUM_POWER, Kind.REGISTER_READING]),
            directions=BOTH,
            duration_months=0,
            offered=False,
        ),
        DataService(
            code="tiers1-suivi",
            provider=organisations["Tiers 1"],
            name="Suivi des consommations",
            name_en="Consumption monitoring",
            purpose="Suivi des consommations et alertes de puissance",
            purpose_en="Monitoring of consumption and power alerts",
            legal_basis=LegalBasis.CONSENT,
            contact_email="donnees@tiers1.example",
            kinds=bits([Kind.LOAD_CURVE, Kind.DAILY_ENERGY, Kind.MAXIMUM_POWER]),
            directions=WITHDRAWAL,
            finest_resolution=1800,
            history_months=24,
            duration_months=24,
        ),
        DataService(
            code="tiers2-effacement",
            provider=organisations["Tiers 2"],
            name="Pilotage de l’effacement",
            name_en="Demand response",
            purpose="Pilotage de l’effacement",
            purpose_en="Control of demand response",
            legal_basis=LegalBasis.CONTRACT,
            contact_email="donnees@tiers2.example",
            kinds=bits([Kind.LOAD_CURVE, Kind.DAILY_ENERGY, Kind.MAXIMUM_POWER]),
            directions=BOTH,
            finest_resolution=600,
            history_months=12,
            duration_months=12,
        ),
        DataService(
            code="tiers3-audit",
            provider=organisations["Tiers 3"],
            name="Audit énergétique réglementaire",
            name_en="Statutory energy audit",
            purpose="Audit énergétique réglementaire",
            purpose_en="Statutory energy audit",
            legal_basis=LegalBasis.CONSENT,
            contact_email="donnees@tiers3.example",
            kinds=bits([Kind.DAILY_ENERGY, Kind.REGISTER_READING]),
            directions=WITHDRAWAL,
            history_months=36,
            duration_months=12,
        ),
        DataService(
            code="tiers3-autoconsommation",
            provider=organisations["Tiers 3"],
            name="Devis d’autoconsommation",
            name_en="Self-consumption quote",
            purpose="Dimensionnement d’une installation solaire",
            purpose_en="Sizing of a solar installation",
            legal_basis=LegalBasis.CONSENT,
            contact_email="donnees@tiers3.example",
            kinds=bits([Kind.LOAD_CURVE]),
            directions=WITHDRAWAL,
            finest_resolution=1800,
            history_months=12,
            duration_months=6,
        ),
        DataService(
            code="tiers2-prevision-solaire",
            provider=organisations["Tiers 2"],
            name="Prévision de production solaire",
            name_en="Solar generation forecast",
            purpose="Prévision de la production de vos toitures pour le lendemain",
            purpose_en="Day-ahead forecast of your roofs’ generation",
            legal_basis=LegalBasis.CONSENT,
            contact_email="donnees@tiers2.example",
            kinds=bits([Kind.LOAD_CURVE]),
            directions=bits([FlowDirection.INJECTION]),
            finest_resolution=1800,
            history_months=12,
            duration_months=12,
        ),
    ]
    DataService.objects.bulk_create(services)
    return {service.code: service for service in services}
