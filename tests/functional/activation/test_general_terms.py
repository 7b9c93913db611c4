"""The general terms: open to all to read, and accepted before going on."""

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.utils import timezone

from gridgate.onboarding.models import GeneralTerms
from gridgate.onboarding.operations.terms import publish_terms
from gridgate.onboarding.terms import default_text
from gridgate.organisations.operations.members import end_membership
from gridgate.portal.screens.activation.terms import blocks
from tests.world import PASSWORD, World


@pytest.fixture
def first(world: World) -> GeneralTerms:
    """Version 1, which Alice has accepted."""
    terms = publish_terms(
        version="1",
        text_fr="## Objet\n\nPremier texte.\n\n- un\n- deux",
        text_en="First text.",
        now=world.now,
    )
    world.alice.user.accepted_terms.create(terms=terms, organisation=world.acme, accepted_at=world.now)
    return terms


@pytest.fixture
def second(world: World, first: GeneralTerms) -> GeneralTerms:
    with time_machine.travel(world.now + timedelta(hours=1)):
        return publish_terms(version="2", text_fr="Second texte.", now=timezone.now())


def said(response: object) -> str:
    text = str(response.content.decode())  # type: ignore[attr-defined]
    return text.replace("\u00a0", " ").replace("\u202f", " ")


class TestReading:
    def test_shows_the_version_in_force_and_since_when_to_anybody(
        self, world: World, first: GeneralTerms
    ) -> None:
        page = said(world.visitor().get("/conditions/"))
        assert "Version 1, en vigueur depuis le 25 novembre 2026." in page
        assert "<h2>Objet</h2>" in page
        assert "<ul><li>un</li><li>deux</li></ul>" in page
        assert "First text." in said(world.visitor(language="en").get("/conditions/"))
        assert 'href="/conditions/"' in said(world.client("bob").get("/aide/")), "from every page"

    def test_keeps_earlier_versions(self, world: World, second: GeneralTerms) -> None:
        with time_machine.travel(world.now + timedelta(hours=2)):
            page = said(world.visitor().get("/conditions/"))
            assert "Second texte." in page
            assert 'href="/conditions/versions/1/"' in page
            former = said(world.visitor().get("/conditions/versions/1/"))
            assert "Premier texte." in former
            assert "publiée le 25 novembre 2026 et remplacée depuis" in former
            assert world.visitor().get("/conditions/versions/3/").status_code == 404

    def test_says_that_a_text_is_in_french_only(self, world: World, second: GeneralTerms) -> None:
        with time_machine.travel(world.now + timedelta(hours=2)):
            page = said(world.visitor(language="en").get("/conditions/"))
        assert "This text exists in French only." in page
        assert 'lang="fr"><p>Second texte.' in page

    def test_says_so_when_there_are_none(self, world: World) -> None:
        assert "Aucune version n’est publiée" in said(world.visitor().get("/conditions/"))

    def test_shows_what_was_written_and_no_markup(self, world: World) -> None:
        publish_terms(version="1", text_fr="<script>alert(1)</script>", now=world.now)
        assert "&lt;script&gt;" in said(world.visitor().get("/conditions/"))

    def test_of_a_new_instance_are_whole_in_both_languages(self) -> None:
        french, english = (blocks(default_text(language)) for language in ("fr", "en"))
        assert [block.kind for block in french] == [block.kind for block in english]
        assert [len(block.lines) for block in french] == [len(block.lines) for block in english]
        assert "remplace" in french[0].lines[0]
        assert "replaces" in english[0].lines[0]


class TestAccepting:
    def sign_in(self, world: World, name: str, **more: str) -> Client:
        if not getattr(world, name).user.has_usable_password():
            world.give_password(name)
        client = world.visitor()
        form = {"login": getattr(world, name).user.email, "password": PASSWORD} | more
        assert client.post("/connexion/", form).status_code == 302
        return client

    def test_is_asked_at_the_next_visit_and_leads_back_to_the_page_asked_for(
        self, world: World, second: GeneralTerms
    ) -> None:
        with time_machine.travel(world.now + timedelta(hours=2)):
            client = self.sign_in(world, "alice", next="/compte/?x=1&y=2")
            asked = client.get("/compte/?x=1&y=2")
            assert asked["Location"] == "/conditions/accepter/?next=%2Fcompte%2F%3Fx%3D1%26y%3D2"
            page = said(client.get(asked["Location"]))
            assert "Les conditions générales changent" in page
            assert "Second texte." in page
            form = {"terms": "on", "version": "2", "next": "/compte/?x=1&y=2"}
            assert client.post("/conditions/accepter/", form)["Location"] == "/compte/?x=1&y=2"
            assert client.get("/compte/?x=1&y=2").status_code == 200
        acceptance = world.alice.user.accepted_terms.get(terms=second)
        assert acceptance.organisation == world.acme
        assert acceptance.accepted_at - world.now >= timedelta(hours=2)
        with time_machine.travel(world.now + timedelta(days=2)):
            assert self.sign_in(world, "alice").get("/compte/").status_code == 200, "once"

    def test_is_asked_of_people_who_accepted_none(self, world: World, first: GeneralTerms) -> None:
        client = self.sign_in(world, "bob")
        assert client.get("/")["Location"].startswith("/conditions/accepter/")
        page = said(client.get("/conditions/accepter/"))
        assert "<h1>Les conditions générales</h1>" in page

    def test_nothing_else_opens_before_and_nothing_is_changed(
        self, world: World, first: GeneralTerms
    ) -> None:
        client = self.sign_in(world, "bob")
        for path in ("/", "/compteurs/", "/partage/", "/journal/", "/compte/"):
            assert client.get(path)["Location"].startswith("/conditions/accepter/"), path
        posted = client.post("/compte/", {"full_name": "Autre", "language": "fr"})
        assert posted["Location"] == "/conditions/accepter/"
        world.bob.user.refresh_from_db()
        assert world.bob.user.full_name == "Bob"
        assert "Rien n’a été enregistré" in said(client.get("/conditions/accepter/"))

    def test_needs_the_tick_and_the_version_that_was_shown(self, world: World, first: GeneralTerms) -> None:
        client = self.sign_in(world, "bob")
        assert "Cochez la case" in said(client.post("/conditions/accepter/", {"version": "1"}))
        other = client.post("/conditions/accepter/", {"version": "0", "terms": "on"})
        assert "Une nouvelle version" in said(other)
        assert 'name="version" value="1"' in said(other)
        assert not world.bob.user.accepted_terms.exists()

    def test_leaves_the_public_pages_and_signing_out_open(self, world: World, first: GeneralTerms) -> None:
        client = self.sign_in(world, "bob")
        for path in ("/conditions/", "/aide/", "/donnees-personnelles/"):
            assert client.get(path).status_code == 200, path
        assert 'form="sortir"' in said(client.get("/conditions/accepter/"))
        assert client.post("/deconnexion/").status_code == 302
        assert SESSION_KEY not in client.session

    def test_does_not_interrupt_a_visit_that_had_begun(self, world: World, first: GeneralTerms) -> None:
        client = self.sign_in(world, "alice")
        with time_machine.travel(world.now + timedelta(hours=1)):
            publish_terms(version="2", text_fr="Second texte.", now=timezone.now())
            kept = client.post("/compte/", {"full_name": "Alice, direction", "language": "fr"})
            assert kept["Location"] == "/compte/"
        world.alice.user.refresh_from_db()
        assert world.alice.user.full_name == "Alice, direction"

    def test_in_another_browser_counts_here(self, world: World, first: GeneralTerms) -> None:
        here, there = self.sign_in(world, "bob"), self.sign_in(world, "bob")
        there.post("/conditions/accepter/", {"terms": "on", "version": "1"})
        asked = here.get("/compte/")
        assert here.get(asked["Location"])["Location"] == "/compte/"
        assert here.get("/compte/").status_code == 200

    def test_goes_nowhere_else_than_this_portal(self, world: World, first: GeneralTerms) -> None:
        client = self.sign_in(world, "bob")
        form = {"terms": "on", "version": "1", "next": "https://evil.example/"}
        assert client.post("/conditions/accepter/", form)["Location"] == "/"

    @pytest.mark.parametrize("word", ["foo", "foo:bar", "http://[", '{"a"'])
    def test_nor_to_a_word_that_is_no_address(self, world: World, first: GeneralTerms, word: str) -> None:
        client = self.sign_in(world, "bob", next=word)
        form = {"terms": "on", "version": "1", "next": word}
        assert client.post("/conditions/accepter/", form)["Location"] == "/"
        assert client.get("/conditions/accepter/", {"next": word})["Location"] == "/", "which is accepted"

    def test_is_not_asked_of_the_operators_own_staff(self, world: World, first: GeneralTerms) -> None:
        assert self.sign_in(world, "operateur").get("/compte/").status_code == 200

    def test_is_asked_of_a_person_of_no_company(self, world: World, first: GeneralTerms) -> None:
        end_membership(membership=world.bob, now=world.now)
        client = self.sign_in(world, "bob")
        assert client.get("/")["Location"].startswith("/conditions/accepter/")
        client.post("/conditions/accepter/", {"terms": "on", "version": "1"})
        assert client.get("/").status_code == 200
        assert world.bob.user.accepted_terms.get().organisation is None
