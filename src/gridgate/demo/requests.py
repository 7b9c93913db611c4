"""Requests for EIC codes in the demo world: one waits for its company, two for the operator."""

from collections.abc import Callable, Mapping
from datetime import datetime

from gridgate.demo import cast
from gridgate.eic.asked import EicAsked
from gridgate.eic.kind import EIC
from gridgate.eic.models import EicRequest
from gridgate.eic.operations.asking import begin_eic_request, codes_to_compare, submit_eic_request
from gridgate.eic.operations.importing import import_eic_codes
from gridgate.eic.queries import organisation_eic_code
from gridgate.organisations.models import Membership, User
from gridgate.requests.operations.life import return_request


def seed_requests(members: Mapping[str, Membership], visitor: User, at: Callable[..., datetime]) -> None:
    """Of the requests for a code one waits for the company, one of a company and one of a person for the operator."""
    columns = ("code", "display_name", "long_name")
    published = [dict(zip(columns, one, strict=True)) for one in cast.OTHER_OFFICES]
    import_eic_codes(enumerate(published, 2), name="X_eicCodes.csv", now=at(365 * 3))
    alice, charlie, operator = (members[key] for key in ("alice", "charlie", "operateur"))
    own_code = organisation_eic_code(alice.organisation)
    contact = {"contact_name": "Alice", "contact_email": alice.user.email}
    _ask_for_code(
        alice,
        alice.user,
        EicAsked(
            type="W",
            display_name="ACME-LYON-PV",
            long_name="ACME Lyon Gerland, toiture solaire",
            responsible_party=own_code.pk if own_code else "",
            justification="Déclarer la production de la toiture.",
            details=contact,
        ),
        at(1, 15, 20),
    )
    returned = _ask_for_code(
        charlie,
        charlie.user,
        EicAsked(
            type="V",
            display_name="CLIENT-B-RENNES",
            long_name="Client B, échanges de messages",
            justification="Recevoir nos courbes par messages.",
            details={
                "address": "Rennes",
                "contact_name": "Charlie",
                "contact_email": charlie.user.email,
            },
        ),
        at(4, 10, 45),
    )
    return_request(
        EIC,
        returned,
        reason="Donnez l’adresse complète du site où le système est exploité.",
        actor=operator,
        now=at(3, 14, 10),
    )
    _ask_for_code(
        None,
        visitor,
        EicAsked(
            type="X",
            display_name="VISITEUR",
            long_name="Visiteur, production solaire",
            justification="Vendre la production d’une toiture sur le marché.",
            details={
                "functions": ["producer"],
                "address": "Nantes",
                "contact_name": cast.VISITOR.name,
                "contact_email": cast.VISITOR.email,
            },
        ),
        at(2, 17, 40),
    )


def _ask_for_code(member: Membership | None, user: User, asked: EicAsked, now: datetime) -> EicRequest:
    draft = begin_eic_request(asked=asked, user=user, actor=member, now=now)
    compared = [one.pk for one in codes_to_compare(asked, user=user, actor=member)]
    return submit_eic_request(request=draft, compared=compared, user=user, actor=member, now=now)
