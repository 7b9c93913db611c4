"""An account that acts for several companies."""

import re

import pytest

from gridgate.organisations.models import Membership
from gridgate.organisations.operations.members import add_member, end_membership
from tests.factories.organisations import make_group
from tests.factories.sharing import make_permission, make_service
from tests.handles import handle


def page(response):
    assert response.status_code == 200
    return re.sub(r"[\u00a0\u202f]", " ", response.content.decode())


@pytest.fixture
def of_two(world, measured):
    """Bob acts for ACME, and is an administrator of Client B."""
    other = add_member(
        organisation=world.client_b,
        email="bob@acme.example",
        full_name="",
        role=Membership.Role.ADMINISTRATOR,
        external=True,
        now=world.now,
    )
    return world, other


class TestTheList:
    def test_names_each_company_the_role_and_the_groups_and_marks_the_current_one(self, of_two):
        world, _other = of_two
        make_group(world.acme, "Énergie", [world.bob], {})
        shown = re.sub(
            r"\s+", " ", re.sub(r"<[^>]+>", " ", page(world.client("bob").get("/compte/entreprise/")))
        )
        assert "ACME Industries Utilisateur · 2 groupes En cours" in shown
        assert "Client B Administrateur, externe · aucun groupe Agir pour elle" in shown

    def test_is_a_link_away_from_every_page_for_those_who_have_a_choice_only(self, of_two):
        world, _other = of_two
        link = '<a class="holder" href="/compte/entreprise/">'
        assert link in page(world.client("bob").get("/"))
        assert "Changer d’entreprise" in page(world.client("bob").get("/compteurs/"))
        alone = page(world.client("acme_user").get("/"))
        assert link not in alone
        assert "Changer d’entreprise" not in alone

    def test_leaves_out_what_has_ended(self, of_two):
        world, other = of_two
        end_membership(membership=other, now=world.now)
        client = world.client("bob")
        assert "Client B" not in page(client.get("/compte/entreprise/"))
        assert client.post("/compte/entreprise/", {"membership": handle(other)}).status_code == 404


class TestSwitching:
    def test_acts_for_the_other_from_the_next_page_on(self, of_two):
        world, other = of_two
        client = world.client("bob")
        response = client.post("/compte/entreprise/", {"membership": handle(other)})
        assert response["Location"] == "/"
        home = client.get("/")
        assert "Vous agissez maintenant pour Client B." in page(home)
        assert home.wsgi_request.membership == other

    def test_shows_nothing_of_the_former_company(self, of_two):
        world, other = of_two
        make_permission(make_service(world.third_party_1, offered=False), world.acme, now=world.now)
        client = world.client("bob")
        before = ["/", "/compteurs/", "/partage/", "/journal/", "/services/", "/collecte/", "/partage/recus/"]
        for path in before:
            client.get(path)
        client.post("/compte/entreprise/", {"membership": handle(other)})
        for path in [*before, "/compte/"]:
            shown = page(client.get(path))
            part = shown if path != "/compte/" else shown[: shown.index('id="companies"')]
            for word in ("ACME", "111 222", "111222", world.p1.pk, "Lyon Gerland", "Tiers 1"):
                assert word not in part, (path, word)
        for path in (f"/compteurs/{world.p1.pk}/", f"/mesures/{world.p1.pk}/", f"/collecte/{world.p1.pk}/"):
            assert client.get(path).status_code == 404
        assert client.get(f"/compteurs/{world.p5.pk}/").status_code == 200

    def test_brings_the_rights_of_the_other_company_and_leaves_those_of_the_former(self, of_two):
        world, other = of_two
        client = world.client("bob")
        assert client.get("/partage/").status_code == 200
        client.post("/compte/entreprise/", {"membership": handle(other)})
        assert client.get("/").wsgi_request.membership.is_administrator
        client.post("/compte/entreprise/", {"membership": handle(world.bob)})
        assert not client.get("/").wsgi_request.membership.is_administrator

    def test_is_one_browsers_business(self, of_two):
        world, other = of_two
        here, there = world.client("bob"), world.client("bob")
        here.post("/compte/entreprise/", {"membership": handle(other)})
        assert there.get("/").wsgi_request.membership == world.bob

    def test_to_a_company_of_someone_else_is_not_found(self, of_two):
        world, _other = of_two
        client = world.client("bob")
        for membership in (world.charlie.pk, world.alice.pk, 10**12, "x", "", "²"):
            assert client.post("/compte/entreprise/", {"membership": membership}).status_code == 404
        assert client.get("/compte/").wsgi_request.membership == world.bob

    def test_ends_the_session_when_the_company_chosen_detaches_the_person(self, of_two):
        world, other = of_two
        client = world.client("bob")
        client.post("/compte/entreprise/", {"membership": handle(other)})
        end_membership(membership=other, now=world.now)
        assert client.get("/compteurs/")["Location"] == "/connexion/?next=/compteurs/"
