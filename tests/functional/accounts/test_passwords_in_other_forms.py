"""A password is what was meant, in whatever form the keyboard or the system writes it."""

import unicodedata

import pytest
from django.contrib.auth.hashers import make_password

from gridgate.organisations.models import User
from gridgate.organisations.operations.members import InvalidMember, create_user

MEANT = "Été à l’Hôtel № 5, ﬁn"
FORMS = [unicodedata.normalize(form, MEANT) for form in ("NFC", "NFD", "NFKC", "NFKD")]
EMAIL = "alice@acme.example"


def opens(world, password):
    answer = world.visitor().post("/connexion/", {"login": EMAIL, "password": password})
    return answer.status_code == 302


@pytest.mark.parametrize("chosen", FORMS, ids=["NFC", "NFD", "NFKC", "NFKD"])
def test_every_form_opens_what_another_closed(world, chosen):
    world.give_password("alice", chosen)
    assert all(opens(world, typed) for typed in FORMS)
    assert not opens(world, MEANT.lower())


@pytest.mark.parametrize("typed", FORMS[:2], ids=["NFC", "NFD"])
def test_a_hash_of_the_form_that_was_typed_opens_to_it_and_is_made_anew(world, typed):
    former = make_password(typed, hasher="argon2")
    User.objects.filter(pk=world.alice.user_id).update(password=former)
    assert not opens(world, "autre chose de long")
    assert opens(world, typed)
    kept = User.objects.get(pk=world.alice.user_id).password
    assert kept.startswith("argon2_nfkc$")
    assert all(opens(world, form) for form in FORMS)


def test_a_common_or_short_password_is_one_in_wide_letters_too(world):
    def choose(password):
        create_user(email="eva@ailleurs.example", full_name="Eva", password=password, now=world.now)

    wide = "".join(chr(ord(one) + 0xFEE0) for one in "administrator")
    for password in (wide, unicodedata.normalize("NFD", "éééééééé")):
        with pytest.raises(InvalidMember):
            choose(password)


def test_another_password_is_changed_to_in_any_form(world):
    world.give_password("alice", FORMS[0])
    browser = world.visitor()
    browser.post("/connexion/", {"login": EMAIL, "password": FORMS[0]})
    chosen = "Une autre clé très longue"
    form = {"old_password": FORMS[1], "new_password1": chosen, "new_password2": chosen}
    assert browser.post("/compte/mot-de-passe/", form).status_code == 302
    assert opens(world, unicodedata.normalize("NFD", chosen))
