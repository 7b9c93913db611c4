from types import SimpleNamespace

import pytest

from gridgate.core.quantities import Kind
from gridgate.core.sharing import LegalBasis
from gridgate.sharing.operations.granting import grant, subscribe
from tests.factories.sharing import make_service


@pytest.fixture
def sharing(world):
    """Tiers 1 reads p1 and p2, Tiers 2 p2 and p3, the operator all points by law; made as the product makes it."""
    law = make_service(
        world.operator,
        "Relève et facturation",
        code="releve",
        legal_basis=LegalBasis.PUBLIC_TASK,
        kinds=[Kind.REGISTER_READING],
        offered=False,
        duration_months=0,
    )
    suivi = make_service(world.third_party_1, "Suivi", code="suivi")
    pilotage = make_service(world.third_party_2, "Pilotage", code="pilotage")
    one = subscribe(actor=world.alice, service=suivi, points=[world.p1.pk, world.p2.pk], now=world.now)
    two = subscribe(actor=world.alice, service=pilotage, points=[world.p2.pk, world.p3.pk], now=world.now)
    grant(service=law, holder=world.acme, points=None, reason="", now=world.now)
    methods = {name: getattr(world, name) for name in ("client", "visitor", "membership", "give_password")}
    return SimpleNamespace(
        **vars(world), **methods, law=law, suivi=suivi, pilotage=pilotage, one=one, two=two
    )
