"""Beneficiary roles decide which data services are offered, and who may ask holders for their data."""

from datetime import date

import pytest

from gridgate.audit.models import AuditEvent
from gridgate.core.roles import BeneficiaryRole
from gridgate.organisations.authority import NotAllowed
from gridgate.organisations.models import Organisation
from gridgate.organisations.operations.companies import update_organisation
from gridgate.sharing.models import DataService, Permission
from gridgate.sharing.operations.ending import revoke_permission
from gridgate.sharing.operations.granting import NotOffered, subscribe
from gridgate.sharing.operations.offering import offer_to
from gridgate.sharing.operations.requesting import NotThirdParty, accept_request, request_permission
from gridgate.sharing.queries.reach import NotReadable
from gridgate.sharing.queries.services import service_readable_by, services_offered_to, services_readable_by
from tests.factories.sharing import make_permission, make_service
from tests.functional.confirming import hidden_in
from tests.world import World

PRODUCER, CONSUMER = BeneficiaryRole.PRODUCER, BeneficiaryRole.CONSUMER


def give_roles(world: World, company: Organisation, *roles: str) -> None:
    update_organisation(
        organisation=company,
        legal_name=company.legal_name,
        contact_email=company.contact_email,
        contact_url=company.contact_url,
        roles=roles,
        email_domains=(),
        actor=None,
        now=world.now,
    )


@pytest.fixture
def solar(world: World) -> DataService:
    """A service for producers only."""
    service = make_service(world.third_party_2, "Prévision solaire", code="solaire")
    offer_to(service=service, roles=[PRODUCER], now=world.now)
    return service


class TestWhatIsOffered:
    @pytest.mark.parametrize(
        ("roles", "offered"),
        [((), False), ((CONSUMER,), False), ((PRODUCER,), True), ((CONSUMER, PRODUCER), True)],
    )
    def test_follows_the_roles_of_the_company(
        self, world: World, solar: DataService, roles: tuple[str, ...], offered: bool
    ) -> None:
        give_roles(world, world.acme, *roles)
        alice = world.membership("alice")
        assert (solar in services_offered_to(actor=alice)) is offered
        assert (solar in services_readable_by(actor=alice)) is offered
        assert solar.offered_to(alice.organisation) is offered

    @pytest.mark.parametrize("roles", [(), (CONSUMER,)])
    def test_a_service_without_roles_is_for_every_company(self, world: World, roles: tuple[str, ...]) -> None:
        service = make_service(world.third_party_1)
        give_roles(world, world.acme, *roles)
        assert service in services_offered_to(actor=world.membership("alice"))

    def test_a_service_for_others_looks_like_one_that_does_not_exist(
        self, world: World, solar: DataService
    ) -> None:
        with pytest.raises(NotReadable) as theirs:
            service_readable_by(actor=world.alice, code=solar.code)
        with pytest.raises(NotReadable) as absent:
            service_readable_by(actor=world.alice, code="absent")
        assert str(theirs.value) == str(absent.value)


class TestSubscribing:
    def test_is_refused_to_companies_with_another_role(self, world: World, solar: DataService) -> None:
        give_roles(world, world.acme, CONSUMER)
        with pytest.raises(NotOffered, match="another role"):
            subscribe(actor=world.membership("alice"), service=solar, points=None, now=world.now)
        assert not Permission.objects.exists()

    def test_is_possible_with_the_role(self, world: World, solar: DataService) -> None:
        give_roles(world, world.acme, PRODUCER)
        permission = subscribe(actor=world.membership("alice"), service=solar, points=None, now=world.now)
        assert permission.state == "active"

    def test_what_one_has_stays_and_ends_as_before_but_is_not_made_longer(
        self, world: World, solar: DataService
    ) -> None:
        permission = make_permission(solar, world.acme, now=world.now)
        alice = world.membership("alice")
        assert service_readable_by(actor=alice, code=solar.code) == solar
        assert solar not in services_offered_to(actor=alice)
        with pytest.raises(NotOffered):
            subscribe(actor=alice, service=solar, points=None, now=world.now)
        revoke_permission(actor=alice, permission_id=permission.pk, now=world.now)
        assert Permission.objects.get().state == "revoked"


class TestAsking:
    def ask(self, world: World, service: DataService):
        return request_permission(
            requester=world.membership("tiers1"),
            service=service,
            holder=world.acme,
            points=[world.p1.pk],
            valid_until=date(2027, 3, 31),
            now=world.now,
        )

    @pytest.mark.parametrize("roles", [(), ("third_party",), ("third_party", "producer")])
    def test_is_for_third_parties_and_for_companies_of_no_declared_role(
        self, world: World, roles: tuple[str, ...]
    ) -> None:
        give_roles(world, world.third_party_1, *roles)
        assert self.ask(world, make_service(world.third_party_1)).state == "requested"

    def test_is_refused_to_companies_with_other_roles(self, world: World) -> None:
        give_roles(world, world.third_party_1, PRODUCER)
        with pytest.raises(NotThirdParty):
            self.ask(world, make_service(world.third_party_1))

    def test_does_not_tell_the_roles_of_the_holder_but_the_holder_cannot_accept(self, world: World) -> None:
        service = make_service(world.third_party_1)
        offer_to(service=service, roles=[PRODUCER], now=world.now)
        give_roles(world, world.acme, CONSUMER)
        request = self.ask(world, service)
        with pytest.raises(NotOffered):
            accept_request(actor=world.membership("alice"), request_id=request.pk, points=None, now=world.now)
        request.refresh_from_db()
        assert request.state == "requested"


class TestOfferTo:
    def test_keeps_roles_in_order_and_is_told_to_the_provider(self, world: World) -> None:
        service = make_service(world.third_party_1, "Suivi")
        offer_to(service=service, roles=[CONSUMER, PRODUCER, CONSUMER], actor=world.operateur, now=world.now)
        service.refresh_from_db()
        assert service.roles == ["producer", "consumer"]
        event = AuditEvent.objects.get(action="service.offered")
        assert (event.organisation, event.acting_for) == (world.third_party_1.pk, world.operator.pk)
        assert (event.subject_label, event.before, event.after) == (
            "Suivi",
            {"roles": []},
            {"roles": ["producer", "consumer"]},
        )

    def test_says_nothing_when_nothing_changes(self, world: World) -> None:
        offer_to(service=make_service(world.third_party_1), roles=[], actor=world.operateur, now=world.now)
        assert not AuditEvent.objects.filter(action="service.offered").exists()

    def test_is_for_the_operator(self, world: World) -> None:
        with pytest.raises(NotAllowed):
            offer_to(
                service=make_service(world.third_party_1), roles=[PRODUCER], actor=world.tiers1, now=world.now
            )


class TestOnScreen:
    def test_the_list_has_what_is_offered_to_the_company_and_nothing_of_the_rest(
        self, world: World, solar: DataService
    ) -> None:
        make_service(world.third_party_3, "Suivi", code="suivi")
        page = world.client("alice").get("/services/").content.decode()
        assert "/services/suivi/" in page
        assert "solaire" not in page
        assert "Prévision solaire" not in world.client("alice").get("/services/?q=solaire").content.decode()
        for address in ("/services/solaire/", "/services/solaire/souscrire/"):
            assert world.client("alice").get(address).status_code == 404

    def test_what_one_has_says_why_it_cannot_be_made_longer(self, world: World, solar: DataService) -> None:
        make_permission(solar, world.acme, now=world.now)
        client = world.client("alice")
        assert "N’est plus proposé à votre entreprise" in client.get("/services/").content.decode()
        page = client.get("/services/solaire/").content.decode()
        assert "Ce service n’est plus proposé à votre entreprise" in page
        assert "/services/solaire/souscrire/" not in page
        assert client.get("/services/solaire/souscrire/").status_code == 404

    def test_a_holder_who_cannot_accept_is_told_why(self, world: World) -> None:
        service = make_service(world.third_party_1)
        offer_to(service=service, roles=[PRODUCER], now=world.now)
        request = TestAsking().ask(world, service)
        address = f"/partage/demandes/{request.pk}/"
        client = world.client("alice")
        read = client.post(address, {"answer": "accept", "scope": "some", "point": world.p1.pk})
        page = client.post(address, hidden_in(read) | {"answer": "accept"}, follow=True)
        assert page.status_code == 200
        assert "réservé à des entreprises qui ont un autre rôle" in page.content.decode()
        assert not Permission.objects.exists()
