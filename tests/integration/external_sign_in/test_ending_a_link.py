"""Ending one's own link with the operator's provider, and what it leaves."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.urls import reverse

from gridgate.accounts.operations.external_accounts import (
    LastWayIn,
    LinkNotFound,
    link_external_account,
    open_external_account,
    unlink_external_account,
)
from gridgate.accounts.security.proof import PROOF
from gridgate.audit.models import AuditEvent
from gridgate.notifications.models import OutgoingEmail
from gridgate.onboarding.terms import terms_in_force
from tests.functional.security.conftest import confirm_by_email, set_up_totp, sign_in
from tests.integration.external_sign_in.conftest import come_back, told_of

pytestmark = pytest.mark.usefixtures("told")

ALICE = "alice@acme.example"
SECURITY = "/compte/securite/"


@pytest.fixture
def password(people):
    return people.give_password("alice")


@pytest.fixture
def alice(people, provider, password):
    """A browser in which she has signed in with the provider, her account having a password too."""
    return by_provider(provider)


def by_provider(provider):
    provider.knows("s-alice", email=ALICE, email_verified=True, name="Alice")
    browser = Client()
    come_back(browser, provider, "s-alice")
    assert browser.get(SECURITY).status_code == 200
    return browser


def page_of(link):
    return reverse("account_external", args=[link.pk])


def text_of(browser, path):
    answer = browser.get(path)
    assert answer.status_code == 200, answer
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def confirmed(browser, path, email=ALICE):
    """The page, once the code that it asks for is given."""
    assert browser.get(path)["Location"] == reverse("step_up")
    assert confirm_by_email(browser, email)["Location"] == path
    return text_of(browser, path)


class TestTheSection:
    def test_says_by_whom_since_when_and_last_used(self, alice):
        page = text_of(alice, SECURITY)
        assert "Connexion par Identité Démo" in page
        assert re.search(r"Relié le \d+.*? · dernier usage aujourd’hui à", page)
        assert "Ne plus se connecter par Identité Démo" in page
        assert page_of(SocialAccount.objects.get()) in alice.get(SECURITY).content.decode()

    def test_is_not_there_without_a_link(self, people):
        assert "Connexion par" not in text_of(people.client("alice"), SECURITY)

    def test_names_the_host_of_a_provider_that_is_no_longer_the_operators(self, alice, settings):
        link = SocialAccount.objects.get()
        SocialAccount.objects.update(provider="https://login.old.example/realms/a")
        page = text_of(alice, SECURITY)
        assert "Connexion par login.old.example" in page
        assert "N’est plus proposée" in page
        assert "Identité Démo" not in page
        told_of(settings, "")
        assert "Connexion par login.old.example" in text_of(alice, SECURITY)
        assert "relie de nouveau" not in confirmed(alice, page_of(link))

    def test_is_in_english_too(self, alice, people):
        assert "Sign-in with Identité Démo" in text_of(people.client("alice", language="en"), SECURITY)


class TestEndingIt:
    def test_asks_a_proof_to_look_and_to_change(self, alice):
        path = page_of(SocialAccount.objects.get())
        for method in (alice.get, alice.post):
            assert method(path)["Location"] == reverse("step_up")
        assert SocialAccount.objects.exists()

    def test_asks_the_second_factor_of_whoever_has_one(self, people, alice):
        set_up_totp(alice, ALICE)
        session = alice.session
        del session[PROOF]  # of long ago
        session.save()
        path = page_of(SocialAccount.objects.get())
        assert alice.get(path)["Location"] == reverse("step_up")
        assert "step_up_code" in alice.get("/confirmation/").content.decode()
        assert alice.session["step_up"]["by_factor"] is True

    def test_is_by_a_form_after_a_page_that_says_what_it_does(self, alice):
        page = confirmed(alice, page_of(SocialAccount.objects.get()))
        assert "n’ouvrira plus celui-ci" in page
        assert f"tant que votre adresse chez Identité Démo est {ALICE}" in page
        assert "celle-ci reste ouverte" in page
        assert SocialAccount.objects.exists(), "reading it ends nothing"

    def test_takes_the_link_away_and_is_recorded(self, people, provider, alice):
        path = page_of(SocialAccount.objects.get())
        confirmed(alice, path)
        done = alice.post(path, follow=True)
        assert done.redirect_chain == [(SECURITY, 302)]
        said = done.content.decode()
        assert "Votre compte n’est plus relié à Identité Démo." in said
        assert "Connexion par" not in said
        assert not SocialAccount.objects.exists()
        event = AuditEvent.objects.get(action="account.unlinked")
        assert (event.user, event.organisation, event.subject_label) == (people.alice.user_id, None, ALICE)
        assert (event.before, event.after) == ({"provider": provider.issuer}, {})
        assert alice.post(path).status_code == 404, "it is ended once"
        assert AuditEvent.objects.filter(action="account.unlinked").count() == 1

    def test_closes_the_other_sessions_that_it_opened_and_no_other(self, people, provider, alice, password):
        elsewhere, by_password = by_provider(provider), Client()
        sign_in(by_password, ALICE, password)
        assert by_password.get(SECURITY).status_code == 200
        path = page_of(SocialAccount.objects.get())
        confirmed(alice, path)
        alice.post(path)
        assert alice.get(SECURITY).status_code == 200
        assert by_password.get(SECURITY).status_code == 200
        assert elsewhere.get(SECURITY)["Location"].startswith("/connexion/")

    def test_does_not_keep_the_provider_from_linking_again(self, alice, provider):
        path = page_of(SocialAccount.objects.get())
        confirmed(alice, path)
        alice.post(path)
        by_provider(provider)
        assert SocialAccount.objects.get().uid == "s-alice"
        assert AuditEvent.objects.filter(action="account.linked").count() == 2


class TestALinkThatIsNotOnesOwn:
    def test_is_the_same_as_none(self, people, alice, provider):
        bobs = link_external_account(
            user=people.bob.user, issuer=provider.issuer, subject="s-bob", now=people.now
        )
        confirmed(alice, page_of(SocialAccount.objects.get(user=people.alice.user)))
        answers = [
            method(reverse("account_external", args=[pk]))
            for method in (alice.get, alice.post)
            for pk in (bobs.pk, 999_999)
        ]
        assert {answer.status_code for answer in answers} == {404}
        said = {re.search(r"<h1>.*?</h1>", answer.content.decode(), re.S)[0] for answer in answers}
        assert said == {"<h1>Cette page n’existe pas</h1>"}
        for pk in (bobs.pk, 999_999):
            with pytest.raises(LinkNotFound):
                unlink_external_account(user=people.alice.user, pk=pk, session_key=None, now=people.now)
        assert SocialAccount.objects.filter(pk=bobs.pk).exists()


class TestTheLastWayIn:
    @pytest.fixture
    def without_a_password(self, people):
        user = people.alice.user
        user.set_unusable_password()
        user.save()
        return user

    def test_is_kept_and_the_page_says_what_to_do_first(self, without_a_password, provider):
        browser = by_provider(provider)
        path = page_of(SocialAccount.objects.get())
        page = confirmed(browser, path)
        assert "Votre compte n’a ni mot de passe ni clé d’accès" in page
        assert 'href="/mot-de-passe/oublie/"' in browser.get(path).content.decode()
        assert "btn danger" not in browser.get(path).content.decode()
        assert browser.post(path)["Location"] == path
        assert SocialAccount.objects.exists()
        assert not AuditEvent.objects.filter(action="account.unlinked").exists()

    @pytest.mark.parametrize("kind", [Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES])
    def test_codes_open_nothing_alone(self, people, without_a_password, provider, kind):
        link = self.linked(people, provider.issuer)
        Authenticator.objects.create(user=without_a_password, type=kind, data={})
        with pytest.raises(LastWayIn):
            unlink_external_account(user=without_a_password, pk=link.pk, session_key=None, now=people.now)

    def test_is_another_with_a_passkey(self, people, without_a_password, provider):
        link = self.linked(people, provider.issuer)
        Authenticator.objects.create(user=without_a_password, type=Authenticator.Type.WEBAUTHN, data={})
        unlink_external_account(user=without_a_password, pk=link.pk, session_key=None, now=people.now)
        assert not SocialAccount.objects.exists()

    def test_is_the_present_providers_and_no_former_ones(self, people, without_a_password, provider):
        former = self.linked(people, "https://login.old.example")
        present = self.linked(people, provider.issuer)
        with pytest.raises(LastWayIn):
            unlink_external_account(user=without_a_password, pk=present.pk, session_key=None, now=people.now)
        unlink_external_account(user=without_a_password, pk=former.pk, session_key=None, now=people.now)
        assert SocialAccount.objects.get() == present

    def linked(self, people, issuer):
        return link_external_account(user=people.alice.user, issuer=issuer, subject="s-alice", now=people.now)


def letters():
    subject = "La sécurité de votre compte Réseau Démo a changé"
    return [one.body for one in OutgoingEmail.objects.filter(recipient=ALICE, subject=subject).order_by("pk")]


def test_the_person_is_told_of_the_link_and_of_its_end(alice):
    (made,) = letters()
    assert "un compte chez le fournisseur d’identité a été relié" in made
    link = SocialAccount.objects.get()
    confirmed(alice, page_of(link))
    alice.post(page_of(link))
    assert not SocialAccount.objects.exists()
    assert "le lien avec un compte chez le fournisseur d’identité a été retiré" in letters()[-1]
    assert len(letters()) == 2


def test_whose_account_the_provider_opens_is_not_told_of_its_first_link(people):
    open_external_account(
        email="new@example.org",
        full_name="Camille",
        language="fr",
        issuer="https://id.example",
        subject="s-1",
        accepted_terms=terms_in_force(now=people.now),
        now=people.now,
    )
    assert not OutgoingEmail.objects.filter(recipient="new@example.org").exists()
