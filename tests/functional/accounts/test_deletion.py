"""Deleting one's account."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from gridgate.accounts.models import Favourite, SecurityPolicy, SensitiveAct
from gridgate.accounts.operations.own_account import add_favourite, delete_account
from gridgate.accounts.security.session_store import data_of
from gridgate.audit.events import broken_links
from gridgate.audit.models import AuditEvent, LogDay, LogFacet
from gridgate.eic.models import EicRequest
from gridgate.notifications.letters import body_of
from gridgate.notifications.models import OutgoingEmail
from gridgate.onboarding.models import Invitation
from gridgate.organisations.authority import LastAdministrator
from gridgate.organisations.models import Membership, SignIn, User
from gridgate.organisations.operations.members import add_member, create_user, set_role
from tests.factories.audit import make_reads
from tests.factories.eic import make_draft, make_request
from tests.factories.sharing import make_permission, make_service
from tests.handles import handle
from tests.world import PASSWORD

BOB = "bob@acme.example"


def text_of(response):
    assert response.status_code == 200
    page = re.sub(r"<svg\b.*?</svg>", "", response.content.decode(), flags=re.DOTALL)
    page = re.sub(r"</?(span|b)\b[^>]*>", "", page)  # within a sentence
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\u202f", " ").replace("\u00a0", " ")


def ask_for(*acts):
    SecurityPolicy.objects.update_or_create(pk=1, defaults={"step_up_acts": list(acts)})


def delete(client, email=BOB, **options):
    return client.post("/compte/supprimer/", {"email": email}, **options)


@pytest.fixture
def without_code(world):
    ask_for()
    return world


class TestThePage:
    def test_says_what_goes_and_what_stays_and_why(self, world):
        text = text_of(world.client("bob").get("/compte/supprimer/"))
        assert "Ce qui disparaît" in text
        assert "vos droits dans ACME Industries" in text
        assert "Ce qui reste, et pourquoi" in text
        assert "la loi impose de pouvoir dire qui a fait quoi" in text
        assert "Supprimer mon compte maintenant" in text

    @pytest.mark.parametrize("typed", ["", "bob", "alice@acme.example", "bob@acme.example.org"])
    def test_asks_for_the_address_and_does_nothing_without(self, without_code, typed):
        client = without_code.client("bob")
        response = delete(client, typed)
        assert 'aria-invalid="true"' in response.content.decode()
        assert client.get("/compteurs/").status_code == 200
        assert User.objects.get(pk=without_code.bob.user_id).deleted_at is None

    def test_takes_the_address_whatever_its_case_and_spaces(self, without_code):
        assert delete(without_code.client("bob"), " Bob@ACME.example ")["Location"] == "/connexion/"

    def test_asks_for_a_code_when_the_policy_says_so(self, world):
        ask_for(SensitiveAct.ACCOUNT)
        client = world.client("bob")
        assert delete(client, "autre@acme.example").status_code == 200, "a wrong address is told first"
        assert delete(client)["Location"] == "/confirmation/"
        assert User.objects.get(pk=world.bob.user_id).deleted_at is None
        letter = OutgoingEmail.objects.filter(recipient=BOB, key__startswith="step_up:").latest("pk")
        code = re.search(r"^(\d{8})$", body_of(letter), re.M)[1]
        response = client.post("/compte/supprimer/", {"email": BOB, "step_up_code": code})
        assert response["Location"] == "/connexion/"
        assert User.objects.get(pk=world.bob.user_id).deleted_at is not None


class TestTheLastAdministrator:
    def test_is_refused_with_the_names_of_the_companies(self, without_code):
        world = without_code
        add_member(
            organisation=world.client_b,
            email="alice@acme.example",
            full_name="",
            role=Membership.Role.ADMINISTRATOR,
            now=world.now,
        )
        client = world.client("alice")
        for response in (client.get("/compte/supprimer/"), delete(client, "alice@acme.example")):
            text = text_of(response)
            assert "Vous êtes le dernier administrateur" in text
            assert "ACME Industries" in text.split("nommez quelqu’un d’autre dans")[1][:40]
            assert "Client B" not in text.split("nommez quelqu’un d’autre dans")[1][:40]
            assert "Supprimer mon compte maintenant" not in text
        assert User.objects.get(pk=world.alice.user_id).is_active

    def test_is_refused_by_the_operation_too_and_nothing_of_it_is_done(self, world):
        add_member(organisation=world.client_b, email="alice@acme.example", full_name="", now=world.now)
        with pytest.raises(LastAdministrator):
            delete_account(user=world.alice.user, now=world.now)
        user = User.objects.get(pk=world.alice.user_id)
        assert user.email == "alice@acme.example"
        assert user.memberships.filter(ended_at=None).count() == 2
        assert not AuditEvent.objects.filter(action="account.deleted").exists()

    def test_may_go_once_there_is_another(self, without_code):
        world = without_code
        set_role(membership=world.membership("bob"), role=Membership.Role.ADMINISTRATOR, now=world.now)
        assert delete(world.client("alice"), "alice@acme.example")["Location"] == "/connexion/"

    def test_is_not_somebody_whose_colleagues_account_is_closed(self, without_code):
        """An administrator who cannot sign in is no administrator."""
        world = without_code
        set_role(membership=world.membership("bob"), role=Membership.Role.ADMINISTRATOR, now=world.now)
        delete_account(user=world.bob.user, now=world.now)
        assert "dernier administrateur" in text_of(world.client("alice").get("/compte/supprimer/"))


class TestDeletion:
    def test_leaves_nothing_that_names_the_person(self, without_code):
        world = without_code
        user = world.bob.user
        add_favourite(user=user, membership=world.bob, path="/compteurs/", label="Compteurs", now=world.now)
        world.give_password("bob")
        client = world.visitor()
        client.post("/connexion/", {"login": BOB, "password": PASSWORD})
        EmailAddress.objects.create(user=user, email=BOB, verified=True, primary=True)
        Authenticator.objects.create(user=user, type="totp", data={"secret": "x"})
        SocialAccount.objects.create(user=user, provider="openid", uid="b-42", extra_data={"name": "Bob"})
        Invitation.objects.create(
            kind="member",
            organisation=world.acme,
            email=BOB,
            full_name="Bob",
            language="fr",
            created_at=world.now,
            sent_at=world.now,
            expires_at=world.now + timedelta(days=30),
            accepted_at=world.now,
        )
        assert SignIn.objects.filter(user=user).exists()
        assert delete(client)["Location"] == "/connexion/"

        user = User.objects.get(pk=user.pk)
        assert user.email == f"compte-{handle(user)}@supprime.invalid"
        assert (user.full_name, user.is_active, user.deleted_at is None) == ("Compte supprimé", False, False)
        assert not user.has_usable_password()
        for model in (EmailAddress, Authenticator, SocialAccount, UserSession, SignIn, Favourite):
            assert not model.objects.filter(user=user).exists(), model
        assert not user.memberships.filter(ended_at=None).exists()
        assert not Invitation.objects.filter(email=BOB).exists()
        assert not any(
            data_of(session).get("_auth_user_id") == str(user.pk) for session in Session.objects.all()
        )

    def test_ends_every_session_at_its_next_request(self, without_code):
        world = without_code
        here, elsewhere = world.client("bob"), world.client("bob")
        assert elsewhere.get("/compteurs/").status_code == 200
        done = delete(here, follow=True)
        assert "Votre compte est supprimé. Un e-mail le confirme à bob@acme.example." in text_of(done)
        assert here.get("/compteurs/")["Location"] == "/connexion/?next=/compteurs/"
        assert elsewhere.get("/compteurs/")["Location"] == "/connexion/?next=/compteurs/"

    def test_lets_nobody_sign_in_again(self, without_code):
        world = without_code
        world.give_password("bob")
        delete_account(user=world.bob.user, now=world.now)
        for email in (BOB, f"compte-{handle(world.bob.user)}@supprime.invalid"):
            response = world.visitor().post("/connexion/", {"login": email, "password": PASSWORD})
            assert response.status_code == 200

    def test_is_confirmed_by_one_last_letter_in_the_persons_language(self, without_code):
        world = without_code
        User.objects.filter(pk=world.bob.user_id).update(language="en")
        make_permission(make_service(world.third_party_1), world.acme, points=[world.p1], now=world.now)
        OutgoingEmail.objects.create(
            key="before",
            recipient=BOB,
            language="fr",
            subject="Avis",
            body="Bob",
            created_at=world.now,
            due_at=world.now,
        )
        delete(world.client("bob"))
        [letter] = OutgoingEmail.objects.filter(recipient=BOB)
        assert letter.language == "en"
        assert letter.subject == "Your Réseau Démo account is deleted"
        assert "- ACME Industries" in letter.body

    def test_is_written_to_the_audit_of_each_company_in_the_persons_name(self, without_code):
        world = without_code
        add_member(organisation=world.client_b, email=BOB, full_name="", now=world.now)
        delete(world.client("bob"))
        events = AuditEvent.objects.filter(action="account.deleted").order_by("pk")
        assert [event.organisation for event in events] == [world.acme.pk, world.client_b.pk]
        assert {(event.user_name, event.subject_label) for event in events} == {("Bob", BOB)}
        assert not list(broken_links())

    def test_leaves_the_logs_as_they_were(self, without_code):
        world = without_code
        make_reads(world.acme, world.p1, world.acme, at=world.now, channel="screen")
        log = [LogDay.objects.values(), LogFacet.objects.values()]
        before = [list(rows.all()) for rows in log], list(AuditEvent.objects.values())
        delete(world.client("bob"))
        assert [list(rows.all()) for rows in log] == before[0]
        assert list(AuditEvent.objects.values())[: len(before[1])] == before[1]

    def test_twice_is_once(self, world):
        for _ in range(2):
            delete_account(user=world.bob.user, now=world.now)
        assert AuditEvent.objects.filter(action="account.deleted").count() == 1
        assert OutgoingEmail.objects.filter(recipient=BOB).count() == 1

    def test_takes_the_name_off_the_company_s_list_of_people(self, without_code):
        world = without_code
        delete(world.client("bob"))
        page = world.client("alice").get("/administration/utilisateurs/")
        assert BOB not in text_of(page)

    def test_lets_the_address_open_a_new_account_that_has_nothing_of_the_former(self, without_code):
        world = without_code
        delete(world.client("bob"))
        again = create_user(email=BOB, full_name="Bob", password=PASSWORD, now=world.now)
        assert again.pk != world.bob.user_id
        client = world.visitor()
        client.post("/connexion/", {"login": BOB, "password": PASSWORD})
        assert client.get("/compteurs/").status_code == 403
        assert "Votre compte n’agit pour aucune entreprise" in text_of(client.get("/"))


class TestOfNoCompany:
    def test_is_written_to_the_instances_own_audit(self, without_code):
        user = create_user(email="vera@example.org", full_name="Vera", password=None, now=without_code.now)
        client = without_code.visitor()
        client.force_login(user)
        assert delete(client, "vera@example.org")["Location"] == "/connexion/"
        [event] = AuditEvent.objects.filter(action="account.deleted")
        assert (event.organisation, event.user, event.user_name) == (None, user.pk, "Vera")

    def test_takes_back_what_waits_and_empties_what_was_never_sent(self, without_code):
        user = create_user(email="vera@example.org", full_name="Vera", password=None, now=without_code.now)
        sent, draft = make_request(None, user=user), make_draft(None, user=user, display_name="VERA-DEUX")
        client = without_code.visitor()
        client.force_login(user)
        text = text_of(client.get("/compte/supprimer/"))
        assert f"votre demande {sent.number}, qui est retirée" in text
        delete(client, "vera@example.org")
        sent, draft = EicRequest.objects.get(pk=sent.pk), EicRequest.objects.get(pk=draft.pk)
        assert (sent.state, draft.state) == ("withdrawn", "withdrawn")
        assert (draft.display_name, draft.details) == ("", {})
        assert str(sent.requester) == "Compte supprimé"

    def test_requests_made_for_a_company_go_on_without_the_name(self, without_code):
        world = without_code
        set_role(membership=world.membership("bob"), role=Membership.Role.ADMINISTRATOR, now=world.now)
        asked = make_request(world.membership("bob"))
        delete(world.client("bob"))
        asked = EicRequest.objects.get(pk=asked.pk)
        assert asked.state == "submitted"
        assert str(asked.requester) == "Compte supprimé"
