"""Pages kept at hand."""

import re
from html import unescape

import pytest
from django.core import signing

from gridgate.accounts.models import Favourite
from gridgate.accounts.operations.own_account import MOST_FAVOURITES, add_favourite
from gridgate.organisations.operations.members import add_member, create_user, end_membership
from tests.factories.metering import make_held_point
from tests.factories.sharing import make_permission, make_service
from tests.handles import handle


def page(response):
    assert response.status_code == 200
    return response.content.decode()


def star(client, path):
    """What the star's form on a page sends; None where there is no star."""
    found = re.search(
        r'<form class="star[^>]*>.*?name="(keep|drop)" value="([^"]*)"', page(client.get(path)), re.S
    )
    return None if found is None else (found[1], unescape(found[2]))


def keep(client, path, **more):
    name, value = star(client, path)
    assert name == "keep"
    return client.post("/compte/favoris/", {name: value, **more})


def kept(client):
    """The favourites that the account page lists: address and label."""
    part = page(client.get("/compte/"))
    part = part[part.index('id="favoris"') : part.index('id="companies"')]
    return [(path, unescape(label)) for path, label in re.findall(r'<a href="([^"]+)">([^<]+)</a>', part)]


class TestStar:
    def test_keeps_a_page_of_the_menu_and_lets_go_of_it(self, world, measured):
        client = world.client("alice")
        response = keep(client, "/compteurs/")
        assert response["Location"] == "/compteurs/"
        assert "« Vos compteurs » est dans vos favoris." in unescape(page(client.get("/compteurs/"))).replace(
            "\u00a0", " "
        )
        assert kept(client) == [("/compteurs/", "Vos compteurs")]
        name, value = star(client, "/compteurs/")
        assert (name, value) == ("drop", "/compteurs/")
        assert client.post("/compte/favoris/", {name: value, "next": value})["Location"] == "/compteurs/"
        assert kept(client) == []
        assert star(client, "/compteurs/")[0] == "keep"

    def test_stands_on_points_measurements_and_companies_with_their_names(self, world, measured):
        make_permission(make_service(world.third_party_1), world.acme, points=[world.p1], now=world.now)
        client = world.client("alice")
        paths = [f"/compteurs/{world.p1.pk}/", f"/mesures/{world.p1.pk}/", "/partage/222333445/"]
        for path in paths:
            keep(client, path)
        found = dict(kept(client))
        assert sorted(found) == sorted(paths)
        assert found["/partage/222333445/"] == "Tiers 1"
        assert found[paths[0]] == "Lyon Gerland, usine"

    def test_stands_on_every_page_of_the_menu_but_the_home_page(self, world, measured):
        client = world.client("alice")
        home = page(client.get("/"))
        menu = home[home.index('<nav class="side"') : home.index("</nav>")]
        places = re.findall(r'<li><a href="(/[^"]+)"', menu)
        assert len(places) >= 6
        for place in places:
            if client.get(place).status_code == 200:
                assert star(client, place), place
        assert star(client, "/") is None

    def test_does_not_stand_on_forms_accounts_and_refusals(self, world, measured):
        client = world.client("alice")
        for path in ("/compte/", "/compte/mot-de-passe/", "/aide/"):
            assert star(client, path) is None, path
        refused = world.client("acme_user").get("/partage/")
        assert refused.status_code == 403
        assert 'class="star' not in refused.content.decode()
        absent = client.get("/compteurs/99999999999999/")
        assert absent.status_code == 404
        assert 'class="star' not in absent.content.decode()

    def test_has_a_name_for_those_who_do_not_see_it(self, world, measured):
        shown = re.sub(r"[\u00a0\u202f]", " ", page(world.client("alice").get("/compteurs/")))
        assert "Ajouter « Vos compteurs » à vos favoris" in shown
        shown = re.sub(r"[\u00a0\u202f]", " ", page(world.client("alice", language="en").get("/compteurs/")))
        assert "Add “Your meters” to your favourites" in shown or "to your favourites" in shown


class TestWhatIsKept:
    def test_is_a_page_that_the_portal_showed_to_this_very_person(self, world, measured):
        """Neither an address of elsewhere, nor one's own words, nor a star of somebody else's."""
        client = world.client("alice")
        _name, mine = star(client, "/compteurs/")
        theirs = star(world.client("bob"), "/compteurs/")[1]
        salt = "gridgate.favourite"
        forged = signing.dumps([world.alice.user_id, world.alice.pk, "/compteurs/", "Mot"], salt="another")
        tries = [theirs, forged, mine[:-1] + ("a" if mine[-1] != "a" else "b"), "", "/compteurs/"]
        elsewhere = ("https://evil.example/", "//evil.example/", "/nulle-part/", "/deconnexion/", "/compte/")
        tries += [
            signing.dumps([world.alice.user_id, world.alice.pk, path, "Titre"], salt=salt)
            for path in elsewhere
        ]
        for value in tries:
            assert client.post("/compte/favoris/", {"keep": value}).status_code == 400, value
        assert client.post("/compte/favoris/").status_code == 400
        assert not Favourite.objects.exists()

    def test_seen_for_one_company_is_not_kept_for_another(self, world, measured):
        """Two tabs: one still shows ACME's point when the other has switched."""
        other = add_member(
            organisation=world.client_b, email="alice@acme.example", full_name="", now=world.now
        )
        client = world.client("alice")
        _name, value = star(client, f"/compteurs/{world.p1.pk}/")
        client.post("/compte/entreprise/", {"membership": handle(other)})
        assert client.post("/compte/favoris/", {"keep": value}).status_code == 400
        assert not Favourite.objects.exists()

    def test_comes_back_to_a_page_of_this_portal_only(self, world):
        client = world.client("alice")
        for elsewhere in (
            "https://evil.example/",
            "//evil.example",
            "\\\\evil.example",
            "javascript:alert(1)",
            "foo",
            "foo:bar",
            "http://[",
            "\0",
        ):
            sent = {"drop": "/compteurs/", "next": elsewhere}
            assert client.post("/compte/favoris/", sent)["Location"] == "/compte/"

    def test_has_the_words_of_the_menu_in_the_language_of_the_reader(self, world, measured):
        keep(world.client("alice"), "/compteurs/")
        [(path, label)] = kept(world.client("alice", language="en"))
        assert path == "/compteurs/"
        assert label != "Vos compteurs"

    def test_is_written_as_text_whatever_the_name(self, world, measured):
        point = make_held_point(world.acme, label='<b onclick="x">Usine & fils</b>')
        client = world.client("alice")
        keep(client, f"/compteurs/{point.pk}/")
        for shown in (page(client.get("/compte/")), page(client.get("/"))):
            assert "<b onclick" not in shown
            assert "Usine &amp; fils" in shown

    def test_leads_to_the_refusal_once_it_may_no_longer_be_read(self, world, measured):
        client = world.client("bob")
        keep(client, f"/compteurs/{world.p1.pk}/")
        from tests.factories.organisations import restrict

        restrict(world.bob, [world.p2.pk])
        [(path, _label)] = kept(client)
        assert client.get(path).status_code == 404

    def test_is_fifty_pages_at_most_and_says_so(self, world, measured):
        for number in range(MOST_FAVOURITES):
            add_favourite(
                user=world.alice.user,
                membership=world.alice,
                path=f"/compteurs/{number:014d}/",
                label=f"Page {number}",
                now=world.now,
            )
        client = world.client("alice")
        keep(client, "/compteurs/")
        assert "Vous avez déjà 50 favoris." in page(client.get("/compteurs/"))
        assert Favourite.objects.count() == MOST_FAVOURITES
        # Another company's, and another person's, are counted apart.
        keep(world.client("bob"), "/compteurs/")
        assert Favourite.objects.filter(user=world.bob.user_id).count() == 1

    def test_twice_is_once(self, world, measured):
        client = world.client("alice")
        _name, value = star(client, "/compteurs/")
        for _ in range(2):
            client.post("/compte/favoris/", {"keep": value})
        assert Favourite.objects.count() == 1


class TestWhereTheyAreListed:
    def test_on_the_home_page_of_the_company(self, world, measured):
        client = world.client("alice")
        assert "Vos favoris" not in page(client.get("/"))
        keep(client, f"/mesures/{world.p1.pk}/")
        home = page(client.get("/"))
        card = home[home.index('id="favourites"') :]
        assert f'href="/mesures/{world.p1.pk}/">Lyon Gerland, usine</a>' in card
        assert "Visualiser vos mesures" in card

    def test_for_the_company_acted_for_only(self, world, measured):
        other = add_member(
            organisation=world.client_b, email="alice@acme.example", full_name="", now=world.now
        )
        client = world.client("alice")
        keep(client, f"/compteurs/{world.p1.pk}/")
        client.post("/compte/entreprise/", {"membership": handle(other)})
        assert kept(client) == []
        assert "Lyon Gerland" not in page(client.get("/"))
        keep(client, "/compteurs/")
        client.post("/compte/entreprise/", {"membership": handle(world.alice)})
        assert kept(client) == [(f"/compteurs/{world.p1.pk}/", "Lyon Gerland, usine")]

    def test_for_nobody_who_left_the_company(self, world, measured):
        client = world.client("bob")
        keep(client, "/compteurs/")
        end_membership(membership=world.bob, now=world.now)
        back = add_member(organisation=world.acme, email="bob@acme.example", full_name="", now=world.now)
        again = world.visitor()
        again.force_login(back.user)
        assert kept(again) == []

    def test_for_people_of_no_company_too(self, world):
        user = create_user(email="vera@example.org", full_name="Vera", password=None, now=world.now)
        add_favourite(user=user, membership=None, path="/eic/", label="Codes EIC", now=world.now)
        client = world.visitor()
        client.force_login(user)
        assert kept(client) == [("/eic/", "Codes EIC")]
        assert 'href="/eic/"' in page(client.get("/"))
        client.post("/compte/favoris/", {"drop": "/eic/"})
        assert kept(client) == []

    def test_not_another_persons(self, world, measured):
        keep(world.client("alice"), "/compteurs/")
        bob = world.client("bob")
        assert kept(bob) == []
        bob.post("/compte/favoris/", {"drop": "/compteurs/"})
        assert Favourite.objects.filter(user=world.alice.user_id).count() == 1


@pytest.mark.parametrize(
    "path", ["compteurs/", "//evil.example/", "/\\evil.example", "https://x.example/", "/" + "x" * 200]
)
def test_the_operation_itself_refuses_what_is_no_address_of_this_host(world, path):
    from gridgate.accounts.operations.own_account import InvalidFavourite

    with pytest.raises(InvalidFavourite):
        add_favourite(user=world.alice.user, membership=None, path=path, label="x", now=world.now)
