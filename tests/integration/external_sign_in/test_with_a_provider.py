"""Signing in with the operator's provider, which runs in a process of its own."""

import hashlib
import re
from base64 import urlsafe_b64encode
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.conf import settings as django_settings
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone

from gridgate.accounts.operations.external_accounts import link_external_account
from gridgate.accounts.security.factors import add_totp
from gridgate.accounts.security.sessions import SIGNED_IN_AT
from gridgate.audit.models import AuditEvent
from gridgate.onboarding.models import TermsAcceptance
from gridgate.onboarding.operations.terms import publish_terms
from gridgate.organisations.models import SignIn, User
from gridgate.organisations.operations.members import disable_user
from gridgate.portal.signing_in.external import PENDING
from tests.factories.organisations import make_member
from tests.functional.security.conftest import ask_for, totp
from tests.functional.security.test_no_secret_at_rest import as_it_lies
from tests.integration.external_sign_in.conftest import come_back, path_of, told_of

pytestmark = pytest.mark.usefixtures("told")

ALICE = "alice@acme.example"


def signed_in(browser):
    return browser.get("/compte/").status_code == 200


def reason(answer):
    """The refusal that an answer leads to."""
    assert answer.status_code == 302
    return re.fullmatch(r"/connexion/externe/refus/([a-z-]+)/(\?.*)?", answer["Location"])[1]


@pytest.fixture
def alice(provider):
    """As the provider knows her."""
    provider.knows("s-alice", email="Alice@ACME.example", email_verified=True, name="Alice")
    return "s-alice"


class TestTheButton:
    def test_names_the_provider_and_keeps_the_page_asked_for(self, people):
        page = Client().get("/connexion/?next=/compteurs/").content.decode()
        assert "Se connecter avec Identité Démo" in page
        assert 'href="/connexion/externe/?next=/compteurs/"' in page

    def test_is_not_there_without_a_provider(self, people, settings):
        told_of(settings, "")
        assert "/connexion/externe/" not in Client().get("/connexion/").content.decode()
        for path in ("", "retour/", "compte/", "refus/echec/"):
            assert Client().get(f"/connexion/externe/{path}").status_code == 404


class TestLeaving:
    def test_asks_for_a_code_with_proof_of_who_asked(self, people, provider):
        browser = Client()
        answer = browser.get("/connexion/externe/", headers={"host": "localhost"})
        address = urlsplit(answer["Location"])
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        assert f"{address.scheme}://{address.netloc}" == provider.issuer
        assert asked["response_type"] == "code"
        assert asked["client_id"] == "gridgate"
        assert asked["redirect_uri"] == f"{django_settings.BASE_URL}/connexion/externe/retour/"
        assert set(asked["scope"].split()) == {"openid", "profile", "email"}
        assert asked["code_challenge_method"] == "S256"
        assert len(asked["nonce"]) == 32
        assert len(asked["state"]) >= 16
        (state,) = browser.session["socialaccount_states"].values()
        verifier = state[0]["pkce_code_verifier"].encode()
        challenge = urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        assert asked["code_challenge"] == challenge

    def test_leaves_no_proof_of_it_in_the_registry(self, people, provider):
        browser = Client()
        browser.get("/connexion/externe/", headers={"host": "localhost"})
        ((state, (kept, *_)),) = browser.session["socialaccount_states"].items()
        for secret in (state, kept["nonce"], kept["pkce_code_verifier"]):
            assert secret not in as_it_lies()

    def test_is_not_for_who_is_signed_in(self, people):
        assert people.client("alice").get("/connexion/externe/").status_code == 302


class TestTheFirstTime:
    def test_the_account_of_the_verified_address_is_linked_and_signed_in(self, people, provider, alice):
        browser = Client()
        answer = come_back(browser, provider, alice, "/connexion/externe/?next=/compteurs/")
        assert (answer.status_code, answer["Location"]) == (302, "/compteurs/")
        assert browser.get("/compteurs/").status_code == 200
        link = SocialAccount.objects.get()
        assert (link.user, link.provider, link.uid) == (people.alice.user, provider.issuer, alice)
        assert link.extra_data == {}, "what the provider says beyond that is not kept"
        assert not SocialToken.objects.exists()
        event = AuditEvent.objects.get(action="account.linked")
        assert (event.user, event.organisation, event.subject_label) == (people.alice.user_id, None, ALICE)

    def test_it_is_a_sign_in_like_others(self, people, provider, alice):
        browser = Client()
        come_back(browser, provider, alice)
        assert SignIn.objects.get().method == "openid"
        assert browser.session[SIGNED_IN_AT] > 0
        assert browser.session["language"] == "fr"
        browser.session[AUTHENTICATION_METHODS_SESSION_KEY][0]["method"] = "socialaccount"

    def test_an_unverified_address_opens_nothing(self, people, provider):
        for verified in (False, None, "no", 1):
            provider.knows("s-mallory", email=ALICE, email_verified=verified, name="Mallory")
            browser = Client()
            assert reason(come_back(browser, provider, "s-mallory")) == "adresse"
            assert not signed_in(browser)
        assert not SocialAccount.objects.exists()
        page = browser.get("/connexion/externe/refus/adresse/").content.decode()
        assert "ne garantit pas que l’adresse e-mail est la vôtre" in page

    def test_a_person_without_an_address_is_told(self, people, provider):
        provider.knows("s-nobody", name="Personne")
        assert reason(come_back(Client(), provider, "s-nobody")) == "adresse"

    def test_a_closed_account_stays_closed(self, people, provider, alice):
        disable_user(user=people.alice.user)
        browser = Client()
        assert reason(come_back(browser, provider, alice)) == "compte-ferme"
        assert not signed_in(browser)
        assert not SocialAccount.objects.exists()


class TestOnceLinked:
    def test_the_subject_decides_and_not_the_address(self, people, provider, alice):
        come_back(Client(), provider, alice)
        provider.knows(alice, email="bob@acme.example", email_verified=True)
        browser = Client()
        come_back(browser, provider, alice)
        assert ALICE in browser.get("/compte/").content.decode()
        provider.knows(alice, email="bob@acme.example", email_verified=False)
        assert come_back(Client(), provider, alice)["Location"] == "/"

    def test_another_subject_with_the_address_does_not_get_the_account(self, people, provider, alice):
        come_back(Client(), provider, alice)
        provider.knows("s-successor", email=ALICE, email_verified=True)
        browser = Client()
        assert reason(come_back(browser, provider, "s-successor")) == "autre-compte"
        assert not signed_in(browser)

    def test_of_another_issuer_is_somebody_else(self, people, provider, alice):
        link_external_account(
            user=people.bob.user, issuer="https://other.example", subject=alice, now=people.now
        )
        browser = Client()
        come_back(browser, provider, alice)
        assert ALICE in browser.get("/compte/").content.decode()

    def test_a_closed_account_is_told(self, people, provider, alice):
        come_back(Client(), provider, alice)
        disable_user(user=people.alice.user)
        browser = Client()
        assert reason(come_back(browser, provider, alice)) == "compte-ferme"
        assert not signed_in(browser)


class TestASecondFactor:
    def test_set_here_is_asked_for_still(self, people, provider, alice):
        now, secret = timezone.now(), "JBSWY3DPEHPK3PXP" * 2
        earlier = now - timedelta(minutes=2)
        add_totp(user=people.alice.user, secret=secret, code=totp(secret, earlier), now=earlier)
        browser = Client()
        answer = come_back(browser, provider, alice, "/connexion/externe/?next=/compteurs/")
        assert answer["Location"] == reverse("sign_in_code")
        assert not signed_in(browser)
        answer = browser.post("/connexion/code/", {"code": totp(secret, timezone.now())})
        assert (answer.status_code, answer["Location"]) == (302, "/compteurs/")
        assert signed_in(browser)

    @pytest.mark.parametrize("meanwhile", ["autre-compte", "echec"])
    def test_that_is_set_here_links_nothing_that_may_no_longer_be_linked(
        self, people, provider, alice, settings, meanwhile
    ):
        now, secret = timezone.now(), "JBSWY3DPEHPK3PXP" * 2
        earlier = now - timedelta(minutes=2)
        add_totp(user=people.alice.user, secret=secret, code=totp(secret, earlier), now=earlier)
        browser = Client()
        come_back(browser, provider, alice)
        if meanwhile == "echec":
            told_of(settings, "https://new.example")
        else:
            link_external_account(user=people.alice.user, issuer=provider.issuer, subject="other", now=now)
        links = list(SocialAccount.objects.values_list("uid", flat=True))
        assert reason(browser.post("/connexion/code/", {"code": totp(secret, now)})) == meanwhile
        assert not signed_in(browser)
        assert list(SocialAccount.objects.values_list("uid", flat=True)) == links


class TestASecondFactorShownToTheProvider:
    """Alice administers ACME; the policy asks a second factor of administrators, and she has set none here."""

    @pytest.fixture
    def asked(self, people, provider):
        ask_for(
            strong_for_administrators=True,
            provider_issuer=provider.issuer,
            provider_amr=["mfa", "hwk"],
            provider_acr=["gold", "https://provider.example/2fa"],
        )

    @staticmethod
    def signs_in(provider, **said):
        provider.knows("s-alice", email=ALICE, email_verified=True, name="Alice", **said)
        browser = Client()
        come_back(browser, provider, "s-alice")
        return browser

    @staticmethod
    def is_led_away(browser):
        return browser.get("/compte/").get("Location") == "/compte/securite/"

    @pytest.mark.parametrize(
        "said", [{"amr": ["pwd", "mfa"]}, {"acr": "gold"}, {"acr": "https://provider.example/2fa"}], ids=str
    )
    def test_counts_by_a_value_that_the_operator_named(self, asked, provider, said):
        browser = self.signs_in(provider, **said)
        assert signed_in(browser)
        page = browser.get("/compte/securite/").content.decode()
        assert "Cette session s’est ouverte par Identité Démo" in page
        assert "Votre rôle demande la double authentification" not in page

    @pytest.mark.parametrize(
        "said",
        [
            {},
            {"amr": ["pwd"]},
            {"amr": ["MFA"]},
            {"amr": "mfa"},
            {"acr": "mfa"},
            {"acr": ["gold"]},
            {"amr": "acr:gold"},
        ],
        ids=str,
    )
    def test_does_not_without_one(self, asked, provider, said):
        assert self.is_led_away(self.signs_in(provider, **said))

    def test_does_not_before_the_operator_named_any(self, people, provider):
        ask_for(strong_for_administrators=True)
        assert self.is_led_away(self.signs_in(provider, amr=["mfa"], acr="gold"))

    def test_does_not_by_what_was_named_of_another_provider(self, asked, people, provider):
        ask_for(provider_issuer="https://other.example")
        assert self.is_led_away(self.signs_in(provider, amr=["mfa"]))
        now, secret = timezone.now(), "JBSWY3DPEHPK3PXP" * 2
        add_totp(user=people.alice.user, secret=secret, code=totp(secret, now), now=now)
        assert not signed_in(self.signs_in(provider, amr=["mfa"]))

    def test_counts_no_longer_than_the_operator_has_it(self, asked, provider):
        browser = self.signs_in(provider, amr=["mfa"])
        assert signed_in(browser)
        ask_for(provider_amr=["hwk"])
        assert self.is_led_away(browser)

    def test_counts_by_how_long_before_this_sign_in_the_other_one_was(self, asked, provider):
        ago = int(timezone.now().timestamp()) - 40 * 60
        browser = self.signs_in(provider, amr=["mfa"], auth_time=ago)
        assert signed_in(browser)
        ask_for(provider_minutes=30)
        assert self.is_led_away(browser)
        assert self.is_led_away(self.signs_in(provider, amr=["mfa"], auth_time=ago))
        ask_for(provider_minutes=60)
        assert signed_in(browser)
        with time_machine.travel(timezone.now() + timedelta(hours=2)):
            assert signed_in(browser), "a session does not grow too old by being used"

    def test_counts_for_no_other_session_of_the_person(self, asked, people, provider):
        assert signed_in(self.signs_in(provider, amr=["mfa"]))
        assert self.is_led_away(people.client("alice"))
        assert self.is_led_away(self.signs_in(provider))

    def test_is_not_carried_into_another_browser(self, asked, provider, alice):
        provider.knows(alice, email=ALICE, email_verified=True, amr=["mfa"])
        browser, thief = Client(), Client()
        back = path_of(provider.agrees(browser.get("/connexion/externe/")["Location"], alice))
        assert reason(thief.get(back)) == "echec"
        assert not signed_in(thief)
        assert browser.get(back)["Location"] == "/"
        assert signed_in(browser)

    def test_stands_for_the_one_set_here_once_the_two_accounts_are_linked(self, asked, people, provider):
        earlier, secret = timezone.now() - timedelta(minutes=2), "JBSWY3DPEHPK3PXP" * 2
        add_totp(user=people.alice.user, secret=secret, code=totp(secret, earlier), now=earlier)
        for _ in range(2):  # to come twice proves no more than to come once
            browser = self.signs_in(provider, amr=["mfa"])
            assert not signed_in(browser)
            assert not SocialAccount.objects.exists()
        assert browser.post("/connexion/code/", {"code": totp(secret, timezone.now())})["Location"] == "/"
        assert signed_in(browser)
        link = SocialAccount.objects.get()
        assert (link.user, link.provider, link.uid) == (people.alice.user, provider.issuer, "s-alice")
        assert signed_in(self.signs_in(provider, amr=["mfa"]))
        assert not signed_in(self.signs_in(provider, amr=["pwd"]))

    def test_stands_for_none_of_an_account_that_came_to_be_meanwhile(self, asked, people, provider):
        provider.knows("s-zoe", email="zoe@example.org", email_verified=True, name="Zoé", amr=["mfa"])
        browser = Client()
        come_back(browser, provider, "s-zoe")
        now, secret = timezone.now(), "JBSWY3DPEHPK3PXP" * 2
        user = make_member(people.acme, "Zoé", email="zoe@example.org").user
        add_totp(user=user, secret=secret, code=totp(secret, now), now=now)
        answer = browser.post("/connexion/externe/compte/", {"full_name": "Zoé"})
        assert answer["Location"] == reverse("sign_in_code")
        assert not signed_in(browser)
        assert not SocialAccount.objects.exists()

    def test_opens_no_change_of_how_one_signs_in(self, asked, provider):
        browser = self.signs_in(provider, amr=["mfa"])
        assert browser.get("/compte/securite/application/")["Location"] == "/confirmation/"

    def test_is_asked_of_the_provider(self, asked, provider):
        ask_for(provider_minutes=30)
        query = parse_qs(urlsplit(Client().get("/connexion/externe/")["Location"]).query)
        assert query["acr_values"] == ["gold https://provider.example/2fa"]
        assert query["max_age"] == ["1800"]

    def test_is_not_asked_of_one_of_which_nothing_was_named(self, asked, provider):
        ask_for(provider_issuer="https://other.example", provider_minutes=30)
        query = parse_qs(urlsplit(Client().get("/connexion/externe/")["Location"]).query)
        assert not {"acr_values", "max_age"} & set(query)

    def test_counts_for_the_account_that_it_opens(self, asked, people, provider):
        ask_for(strong_for_users=True)
        provider.knows("s-zoe", email="zoe@example.org", email_verified=True, name="Zoé", amr=["mfa"])
        browser = Client()
        come_back(browser, provider, "s-zoe")
        browser.post("/connexion/externe/compte/", {"full_name": "Zoé"})
        make_member(people.acme, "Zoé", email="zoe@example.org")
        assert "ACME" in browser.get("/compte/").content.decode()

    @pytest.mark.parametrize(
        "by_now",
        [{"provider_amr": ["hwk"]}, {"provider_issuer": "", "provider_amr": []}, {"provider_minutes": 30}],
        ids=str,
    )
    def test_that_the_operator_counts_no_more_opens_nothing_that_was_begun_before(
        self, asked, people, provider, by_now
    ):
        ago = int(timezone.now().timestamp()) - 40 * 60
        provider.knows("s-zoe", email="zoe@example.org", email_verified=True, amr=["mfa"], auth_time=ago)
        browser = Client()
        come_back(browser, provider, "s-zoe")
        now, secret = timezone.now(), "JBSWY3DPEHPK3PXP" * 2
        user = make_member(people.acme, "Zoé", email="zoe@example.org").user
        add_totp(user=user, secret=secret, code=totp(secret, now), now=now)
        link_external_account(user=user, issuer=provider.issuer, subject="s-zoe", now=now)
        ask_for(**by_now)
        answer = browser.post("/connexion/externe/compte/", {"full_name": "Zoé"})
        assert answer["Location"] == reverse("sign_in_code")
        assert not signed_in(browser)


class TestNoAccountYet:
    @pytest.fixture
    def zoe(self, provider):
        provider.knows(
            "s-zoe",
            email="zoe@example.org",
            email_verified=True,
            given_name="Nouvelle",
            family_name="Employée",
            locale="en-GB",
        )
        return "s-zoe"

    def test_is_asked_before_one_is_opened(self, people, provider, zoe):
        browser = Client()
        answer = come_back(browser, provider, zoe)
        assert answer["Location"] == "/connexion/externe/compte/"
        page = browser.get("/connexion/externe/compte/").content.decode()
        assert "zoe@example.org" in page
        assert 'value="Nouvelle Employée"' in page
        assert not User.objects.filter(email="zoe@example.org").exists()
        assert not signed_in(browser)

    def test_one_is_opened_for_no_company_and_linked(self, people, provider, zoe):
        browser = Client()
        come_back(browser, provider, zoe, "/connexion/externe/?next=/conditions/")
        answer = browser.post("/connexion/externe/compte/", {"full_name": "Une Employée"})
        assert (answer.status_code, answer["Location"]) == (302, "/conditions/")
        user = User.objects.get(email="zoe@example.org")
        assert (user.full_name, user.language, user.has_usable_password()) == ("Une Employée", "en", False)
        assert not user.memberships.exists()
        assert signed_in(browser)
        assert SignIn.objects.get().method == "openid"
        actions = AuditEvent.objects.filter(user=user.pk).order_by("pk").values_list("action", flat=True)
        assert list(actions) == ["account.opened", "account.linked"]
        again = Client()
        assert come_back(again, provider, zoe)["Location"] == "/"
        assert signed_in(again)

    def test_none_is_opened_on_the_word_of_a_provider_that_was_replaced_meanwhile(
        self, people, provider, zoe, settings
    ):
        browser = Client()
        come_back(browser, provider, zoe)
        told_of(settings, "https://new.example")
        answer = browser.post("/connexion/externe/compte/", {"full_name": "Zoé"})
        assert answer["Location"] == "/connexion/"
        assert not User.objects.filter(email="zoe@example.org").exists()
        assert PENDING not in browser.session

    def test_the_general_terms_are_accepted_first(self, people, provider, zoe):
        terms = publish_terms(version="1", text_fr="Conditions", actor=None, now=people.now)
        browser = Client()
        come_back(browser, provider, zoe)
        unticked = browser.post("/connexion/externe/compte/", {"full_name": "Zoé", "version": "1"})
        assert unticked.status_code == 200
        assert "Cochez la case pour continuer." in unticked.content.decode()
        assert not User.objects.filter(email="zoe@example.org").exists()
        browser.post("/connexion/externe/compte/", {"full_name": "Zoé", "version": "1", "terms": "on"})
        acceptance = TermsAcceptance.objects.get()
        assert (acceptance.terms, acceptance.user.email) == (terms, "zoe@example.org")

    def test_what_was_said_is_forgotten_after_ten_minutes(self, people, provider, zoe):
        browser = Client()
        come_back(browser, provider, zoe)
        session = browser.session
        session[PENDING] = {**session[PENDING], "until": session[PENDING]["until"] - 601}
        session.save()
        answer = browser.post("/connexion/externe/compte/", {"full_name": "Zoé"})
        assert (answer.status_code, answer["Location"]) == (302, "/connexion/")
        assert not User.objects.filter(email="zoe@example.org").exists()
        assert PENDING not in browser.session

    def test_an_account_opened_meanwhile_is_linked(self, people, provider, zoe):
        browser, other = Client(), Client()
        come_back(browser, provider, zoe)
        come_back(other, provider, zoe)
        other.post("/connexion/externe/compte/", {"full_name": "Zoé"})
        browser.post("/connexion/externe/compte/", {"full_name": "Autre"})
        assert User.objects.get(email="zoe@example.org").full_name == "Zoé"
        assert signed_in(browser)

    def test_nobody_opens_one_without_coming_from_the_provider(self, people):
        for method in ("get", "post"):
            answer = getattr(Client(), method)("/connexion/externe/compte/", {"full_name": "Mallory"})
            assert (answer.status_code, answer["Location"]) == (302, "/connexion/")


class TestAnAccountOfADirectory:
    def test_without_a_password_signs_in(self, people, provider):
        from gridgate.directory.described import Described
        from gridgate.directory.operations.people import add_person

        people.acme.email_domains = ["acme.example"]
        add_person(
            organisation=people.acme,
            email="zoe@acme.example",
            described=Described(display_name="Zoé"),
            actor=None,
            now=people.now,
        )
        provider.knows("s-zoe2", email="zoe@acme.example", email_verified=True)
        browser = Client()
        come_back(browser, provider, "s-zoe2")
        assert "ACME Industries" in browser.get("/compte/").content.decode()


class TestWhatGoesWrong:
    def test_saying_no_at_the_provider_keeps_the_page_asked_for(self, people, provider):
        browser = Client()
        gone = browser.get("/connexion/externe/?next=/compteurs/")["Location"]
        back = path_of(provider.refuses(gone))
        assert reason(Client().get(back)) == "annulee", "this provider leaves the state out"
        state = parse_qs(urlsplit(gone).query)["state"][0]
        answer = browser.get(f"{back}&state={state}")
        assert reason(answer) == "annulee"
        page = browser.get(answer["Location"]).content.decode()
        assert 'href="/connexion/externe/?next=/compteurs/"' in page
        assert 'href="/connexion/?next=/compteurs/"' in page

    def test_an_answer_serves_once(self, people, provider, alice):
        browser = Client()
        back = path_of(provider.agrees(browser.get("/connexion/externe/")["Location"], alice))
        assert browser.get(back)["Location"] == "/"
        browser.post("/deconnexion/")
        assert reason(browser.get(back)) == "echec"
        assert not signed_in(browser)

    def test_an_answer_serves_the_browser_that_asked(self, people, provider, alice):
        back = path_of(provider.agrees(Client().get("/connexion/externe/")["Location"], alice))
        victim = Client()
        assert reason(victim.get(back)) == "echec"
        assert not signed_in(victim)

    @pytest.mark.parametrize("query", ["", "?code=x", "?state=x", "?error=server_error&state=x"])
    def test_an_address_that_nobody_was_sent_to_is_told(self, people, query):
        assert reason(Client().get(f"/connexion/externe/retour/{query}")) == "echec"

    def test_an_error_of_the_provider_is_told(self, people, provider):
        browser = Client()
        state = parse_qs(urlsplit(browser.get("/connexion/externe/")["Location"]).query)["state"][0]
        answer = browser.get(f"/connexion/externe/retour/?error=server_error&state={state}")
        assert reason(answer) == "echec"

    def test_a_code_that_is_none_is_told(self, people, provider):
        browser = Client()
        state = parse_qs(urlsplit(browser.get("/connexion/externe/")["Location"]).query)["state"][0]
        assert reason(browser.get(f"/connexion/externe/retour/?code=guess&state={state}")) == "echec"

    def test_one_does_not_come_back_to_another_host(self, people, provider, alice):
        for wanted in ("https://evil.example/", "//evil.example/", "/\\evil.example/"):
            answer = come_back(Client(), provider, alice, f"/connexion/externe/?next={wanted}")
            assert answer["Location"] == "/"

    def test_a_provider_that_is_down_is_told_and_loses_nothing(self, people, settings):
        told_of(settings, "http://127.0.0.1:9")
        answer = Client().get("/connexion/externe/?next=/compteurs/")
        page = answer.content.decode()
        assert answer.status_code == 503
        assert "Identité Démo ne répond pas" in page
        assert 'href="/connexion/?next=/compteurs/"' in page

    def test_a_provider_that_goes_down_meanwhile_is_told(self, people, provider, alice, settings):
        browser = Client()
        back = path_of(provider.agrees(browser.get("/connexion/externe/")["Location"], alice))
        session = browser.session
        session["socialaccount_states"] = {
            key: [*state[:2], "http://127.0.0.1:9"] for key, state in session["socialaccount_states"].items()
        }
        session.save()
        told_of(settings, "http://127.0.0.1:9")
        assert reason(browser.get(back)) == "indisponible"

    def test_another_reason_is_no_page(self, people):
        assert Client().get("/connexion/externe/refus/autre/").status_code == 404


def test_the_librarys_own_pages_are_nowhere(people):
    names = {str(name) for name in get_resolver().reverse_dict if isinstance(name, str)}
    assert not {name for name in names if name.startswith(("socialaccount_", "openid_connect_"))}
    for path in ("/accounts/", "/accounts/social/signup/", "/accounts/oidc/x/login/"):
        assert Client().get(path).status_code in (302, 404)


def test_every_refusal_is_a_page_in_both_languages(people):
    for which in ("annulee", "adresse", "compte-ferme", "autre-compte", "indisponible", "echec"):
        french = people.visitor().get(f"/connexion/externe/refus/{which}/").content.decode()
        english = people.visitor(language="en").get(f"/connexion/externe/refus/{which}/").content.decode()
        assert re.search(r"<h1>(.+)</h1>", french)[1] != re.search(r"<h1>(.+)</h1>", english)[1]
