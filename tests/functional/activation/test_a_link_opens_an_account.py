"""What whoever holds an activation link meets, and what whoever holds none does not learn."""

import logging
import re
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.test import Client
from django.utils import timezone

from gridgate.onboarding import links
from gridgate.onboarding.models import GeneralTerms, Invitation
from gridgate.onboarding.operations.invitations import cancel_invitation, invite, renew_invitation
from gridgate.onboarding.operations.sign_ups import sign_up
from gridgate.onboarding.operations.terms import publish_terms
from gridgate.onboarding.tasks import follow_invitations
from gridgate.organisations.handles import handle_of
from gridgate.organisations.models import Membership, User
from gridgate.organisations.operations.members import disable_user
from gridgate.portal.logs import WithoutLinks
from tests.world import PASSWORD, World


@pytest.fixture
def terms(world: World) -> GeneralTerms:
    return publish_terms(version="1", text_fr="## Objet\n\nTexte.", text_en="Text.", now=world.now)


@pytest.fixture
def invitation(world: World, terms: GeneralTerms) -> Invitation:
    return invite(
        organisation=world.acme,
        email="denis@acme.example",
        full_name="Nouvelle recrue",
        role="administrator",
        actor=world.membership("alice"),
        now=timezone.now(),
    )


def address(invitation: Invitation) -> str:
    return f"/activation/{links.token_of(invitation)}/"


FORM = {"new_password1": PASSWORD, "new_password2": PASSWORD, "terms": "on", "version": "1"}


def said(response: object) -> str:
    text = str(response.content.decode())  # type: ignore[attr-defined]
    return text.replace("\u00a0", " ").replace("\u202f", " ")


class TestANewPerson:
    def test_is_told_the_company_the_role_and_the_terms(self, world: World, invitation: Invitation) -> None:
        page = said(world.visitor().get(address(invitation)))
        for words in ("ACME Industries", "Administrateur", "denis@acme.example", 'href="/conditions/"'):
            assert words in page
        assert "version 1 du 25 novembre 2026" in page
        assert "25 décembre 2026" in page
        english = said(world.visitor(language="en").get(address(invitation)))
        assert "Open your account" in english
        assert "I accept the general terms of use, version 1 of 25 November 2026" in english

    def test_chooses_a_password_and_is_signed_in_for_the_company(
        self, world: World, invitation: Invitation
    ) -> None:
        client = world.visitor()
        response = client.post(address(invitation), FORM)
        assert (response.status_code, response["Location"]) == (302, "/")
        home = client.get("/")
        assert home.status_code == 200
        assert "Votre compte est ouvert." in said(home)
        member = home.wsgi_request.membership  # type: ignore[attr-defined]
        assert (member.organisation, member.role) == (world.acme, "administrator")
        assert member.user.check_password(PASSWORD)
        again = Client().post("/connexion/", {"login": "denis@acme.example", "password": PASSWORD})
        assert again["Location"] == "/", "the password works"

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"terms": ""}, "Cochez la case"),
            ({"new_password2": "autre chose de long"}, "ne correspondent pas"),
            ({"new_password1": "court", "new_password2": "court"}, "trop court"),
            ({"new_password1": "denis@acme.example", "new_password2": "denis@acme.example"}, "semblable"),
            ({"version": "0"}, "Une nouvelle version"),
        ],
    )
    def test_is_told_beside_the_field_what_is_wrong(
        self, world: World, invitation: Invitation, change: dict[str, str], words: str
    ) -> None:
        form = {name: value for name, value in (FORM | change).items() if value}
        response = world.visitor().post(address(invitation), form)
        assert response.status_code == 200
        assert words in said(response)
        assert not User.objects.filter(email="denis@acme.example").exists()

    def test_needs_no_terms_where_none_are_published(self, world: World, invitation: Invitation) -> None:
        GeneralTerms.objects.all().delete()
        assert "conditions générales d’utilisation" not in said(world.visitor().get(address(invitation)))
        client = world.visitor()
        client.post(address(invitation), {"new_password1": PASSWORD, "new_password2": PASSWORD})
        assert SESSION_KEY in client.session

    def test_is_not_asked_the_terms_again_right_after(self, world: World, invitation: Invitation) -> None:
        client = world.visitor()
        client.post(address(invitation), FORM)
        assert client.get("/compte/").status_code == 200


class TestLooking:
    def test_changes_nothing_however_often(self, world: World, invitation: Invitation) -> None:
        before = Invitation.objects.values().get(pk=invitation.pk)
        for method in ("get", "head"):
            for _ in range(3):
                response = getattr(world.visitor(), method)(address(invitation))
                assert response.status_code == 200
                assert "session" not in response.cookies
        assert Invitation.objects.values().get(pk=invitation.pk) == before
        assert not User.objects.filter(email="denis@acme.example").exists()

    def test_is_kept_by_nobody_and_tells_other_pages_nothing(
        self, world: World, invitation: Invitation
    ) -> None:
        for path in (address(invitation), "/activation/12-1.faux/"):
            response = world.visitor().get(path)
            assert "no-store" in response["Cache-Control"]
            assert response["Referrer-Policy"] == "strict-origin"

    def test_needs_the_token_of_the_form_to_change_anything(
        self, world: World, invitation: Invitation
    ) -> None:
        assert Client(enforce_csrf_checks=True).post(address(invitation), FORM).status_code == 403
        assert not User.objects.filter(email="denis@acme.example").exists()

    def test_leaves_no_link_in_the_logs(
        self, world: World, invitation: Invitation, caplog: pytest.LogCaptureFixture
    ) -> None:
        assert "without_links" in settings.LOGGING["handlers"]["stderr"]["filters"]
        token = links.token_of(invitation)
        with caplog.at_level(logging.DEBUG), caplog.filtering(WithoutLinks()):
            Client(enforce_csrf_checks=True).post(address(invitation), FORM)
        assert "/activation/…" in caplog.text
        assert token not in caplog.text


class TestAPersonWithAnAccount:
    @pytest.fixture
    def invited(self, world: World, terms: GeneralTerms) -> Invitation:
        world.give_password("charlie")
        world.charlie.user.accepted_terms.create(terms=terms, accepted_at=world.now)
        return invite(
            organisation=world.acme,
            email="Charlie@client-b.example",
            full_name="Charlie",
            actor=world.membership("alice"),
            now=timezone.now(),
        )

    def test_signs_in_first_comes_back_and_confirms(self, world: World, invited: Invitation) -> None:
        client = world.visitor()
        page = said(client.get(address(invited)))
        assert "new_password1" not in page
        way = re.search(r'href="(/connexion/\?next=[^"]+)"', page)
        assert way
        form = {"login": "charlie@client-b.example", "password": PASSWORD, "next": address(invited)}
        back = client.post(way[1], form)
        assert back["Location"] == address(invited)
        assert "Rejoindre ACME Industries" in said(client.get(back["Location"]))
        assert not Membership.objects.filter(user=world.charlie.user, organisation=world.acme).exists()
        done = client.post(address(invited))
        assert done["Location"] == "/"
        home = client.get("/")
        assert "Vous agissez maintenant pour ACME Industries" in said(home)
        assert home.wsgi_request.membership.organisation == world.acme  # type: ignore[attr-defined]
        assert Membership.objects.filter(user=world.charlie.user, ended_at=None).count() == 2

    def test_cannot_have_another_password_set_by_the_link(self, world: World, invited: Invitation) -> None:
        assert world.visitor().post(address(invited), FORM).status_code == 200
        world.charlie.user.refresh_from_db()
        assert world.charlie.user.check_password(PASSWORD)
        assert Invitation.objects.get(pk=invited.pk).accepted_at is None

    def test_is_asked_to_leave_the_account_of_another(self, world: World, invited: Invitation) -> None:
        client = world.client("bob")
        page = client.get(address(invited))
        assert "Cette invitation est pour un autre compte" in said(page)
        client.post(address(invited))
        assert SESSION_KEY in client.session
        assert Invitation.objects.get(pk=invited.pk).accepted_at is None
        assert client.post(address(invited), {"sign_out": "1"})["Location"] == address(invited)
        assert SESSION_KEY not in client.session

    def test_whose_account_is_closed_is_told_so(self, world: World, invited: Invitation) -> None:
        disable_user(user=world.charlie.user)
        assert "Ce compte est fermé" in said(world.visitor().get(address(invited)))

    def test_accepts_the_terms_that_they_have_not_yet(self, world: World, invited: Invitation) -> None:
        publish_terms(version="2", text_fr="Nouveau.", now=timezone.now())
        client = world.client("charlie")
        assert "version 2" in said(client.get(address(invited)))
        assert "Cochez la case" in said(client.post(address(invited), {"version": "2"}))
        client.post(address(invited), {"version": "2", "terms": "on"})
        assert world.charlie.user.accepted_terms.filter(terms__version="2", organisation=world.acme).exists()
        assert client.get("/").status_code == 200


class TestALinkThatOpensNothing:
    def test_tells_a_stranger_nothing(self, world: World, invitation: Invitation) -> None:
        own, anothers = (handle_of("activation", number) for number in (invitation.pk, 9999))
        other = links.token_of(invitation).replace(own, anothers, 1)
        answers = {
            re.sub(r'name="csrfmiddlewaretoken" value="\w+"|/activation/[^/"]*/', "", said(response))
            for token in ("x", "1-1.x", links.token_of(invitation)[:-2], other)
            if (response := world.visitor().get(f"/activation/{token}/")).status_code == 404
        }
        assert len(answers) == 1
        assert "ACME" not in answers.pop()

    def test_used(self, world: World, invitation: Invitation) -> None:
        world.visitor().post(address(invitation), FORM)
        self._says(world, invitation, "Ce lien a déjà servi", "/connexion/")
        assert world.visitor().post(address(invitation), FORM).status_code == 410

    def test_cancelled(self, world: World, invitation: Invitation) -> None:
        cancel_invitation(invitation=invitation, now=timezone.now())
        self._says(
            world, invitation, "Cette invitation est annulée", "un administrateur de l’entreprise ACME"
        )

    def test_superseded(self, world: World, invitation: Invitation) -> None:
        old = address(invitation)
        renew_invitation(invitation=invitation, now=timezone.now())
        response = world.visitor().get(old)
        assert response.status_code == 410
        assert "Ouvrez le dernier e-mail reçu" in said(response)

    def test_expired(self, world: World, invitation: Invitation) -> None:
        with time_machine.travel(world.now + timedelta(days=31)):
            self._says(world, invitation, "Ce lien a expiré", "un administrateur de l’entreprise ACME")

    def test_expired_sign_up(self, world: World) -> None:
        invitation = sign_up(email="eva@ailleurs.example", full_name="Eva", now=timezone.now())
        with time_machine.travel(world.now + timedelta(days=2)):
            self._says(world, invitation, "Ce lien a expiré", 'href="/inscription/"')

    def test_of_a_first_administrator_whose_next_one_comes_by_itself_and_then_does_not(
        self, world: World, invitation: Invitation
    ) -> None:
        declared = Invitation.objects.create(
            kind="first_administrator",
            organisation=world.third_party_3,
            email="eric@tiers-3.example",
            full_name="Éric",
            language="fr",
            role="administrator",
            created_at=world.now,
            sent_at=world.now,
            expires_at=world.now + timedelta(days=3),
            resend_until=world.now + timedelta(days=10),
        )
        with time_machine.travel(world.now + timedelta(days=3, minutes=1)):
            self._says(world, declared, "Ce lien a expiré", "part tout seul")
        with time_machine.travel(world.now + timedelta(days=11)):
            follow_invitations(now=timezone.now())
            self._says(world, declared, "Ce lien a expiré", "interlocuteur chez Réseau Démo")

    @staticmethod
    def _says(world: World, invitation: Invitation, title: str, remedy: str) -> None:
        response = world.visitor().get(address(invitation))
        assert response.status_code == 410
        assert f"<h1>{title}</h1>" in said(response)
        assert remedy in said(response)
        english = said(world.visitor(language="en").get(address(invitation)))
        assert title not in english
