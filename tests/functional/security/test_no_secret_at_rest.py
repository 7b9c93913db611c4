"""A copy of the registry opens nothing."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.sessions.models import Session
from django.core.serializers import serialize

from gridgate.organisations.security.factors import check_code, factors_of
from gridgate.organisations.security.sealing import Unreadable, seal, unseal
from tests.functional.security.conftest import ask_for, newest_code, recovery_codes, set_up_totp, totp

EMAIL = "alice@acme.example"


def dump() -> str:
    rows = "".join(serialize("json", model.objects.all()) for model in apps.get_models())
    return rows + "".join(str(session.get_decoded()) for session in Session.objects.all())


def test_no_second_factor_and_no_code_can_be_read_in_it(world):
    alice = world.client("alice")
    ask_for(step_up_acts=["revoke_all"])
    bob = world.client("bob")
    shown = "/compte/securite/application/"
    bob.get(shown)
    code = newest_code("bob@acme.example")
    assert code not in dump()
    bob.post("/confirmation/", {"step_up_code": code})
    page = bob.get(shown).content.decode()
    begun = page[page.index("<code>") + 6 : page.index("</code>")].replace(" ", "")
    secret = set_up_totp(alice, EMAIL)
    codes = recovery_codes(alice)
    alice.post(f"/partage/{world.third_party_1.siren}/resilier/", {"kept": "ce qui est gardé"})
    everything = dump()
    for hidden in (secret, begun, *codes, "ce qui est gardé"):
        assert hidden not in everything
    assert str(world.alice.user_id) in everything


def test_the_page_that_shows_a_new_secret_shows_the_same_when_it_is_read_again(world):
    alice = world.client("alice")
    alice.get("/compte/securite/application/")
    alice.post("/confirmation/", {"step_up_code": newest_code(EMAIL)})
    first, second = (alice.get("/compte/securite/application/").content.decode() for _ in range(2))
    assert first[first.index("<code>") :][:60] == second[second.index("<code>") :][:60]


def test_another_secret_key_opens_nothing_and_breaks_nothing(world, settings):
    alice = world.client("alice")
    secret = set_up_totp(alice, EMAIL)
    settings.SECRET_KEY = "une autre clé"
    now = world.now + timedelta(minutes=1)
    assert check_code(user=world.alice.user, text=totp(secret, now), now=now) is None
    assert factors_of(user=world.alice.user).recovery_codes_left == 0


def test_a_former_secret_key_still_opens_what_it_sealed(world, settings):
    secret = set_up_totp(world.client("alice"), EMAIL)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "une autre clé"
    now = world.now + timedelta(minutes=1)
    assert check_code(user=world.alice.user, text=totp(secret, now), now=now) is not None


def test_what_is_sealed_for_one_purpose_is_not_opened_for_another(db):
    sealed = seal("bonjour", purpose="a")
    assert unseal(sealed, purpose="a") == "bonjour"
    for purpose, text in (("b", sealed), ("a", sealed[:-2]), ("a", ""), ("a", "é")):
        with pytest.raises(Unreadable):
            unseal(text, purpose=purpose)


def test_the_library_sees_the_sealed_secret_only(world):
    secret = set_up_totp(world.client("alice"), EMAIL)
    assert secret not in str(Authenticator.objects.get(type="totp").data)
