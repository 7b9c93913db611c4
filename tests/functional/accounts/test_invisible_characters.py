"""Two texts that look the same are the same: characters that nobody sees make no second account, name or code."""

import pytest

from gridgate.onboarding.models import Invitation
from gridgate.onboarding.operations.invitations import invite
from gridgate.onboarding.operations.sign_ups import sign_up
from gridgate.organisations.models import User
from gridgate.organisations.operations.group_steps import InvalidGroup
from gridgate.organisations.operations.groups import create_group
from gridgate.organisations.operations.members import InvalidMember, MembershipExists, add_member, parse_email
from gridgate.organisations.queries import user_by_email
from tests.functional.security.conftest import newest_code
from tests.world import PASSWORD

ALICE = "alice@acme.example"
UNSEEN = ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u202e", "\u034f", "\u3164", "\U000e0061"]


def with_unseen(text, one):
    return f"{one}{text[:3]}{one}{text[3:-4]}{one}{text[-4:]}{one}"


@pytest.mark.parametrize("one", UNSEEN, ids=ascii)
class TestAnAddress:
    def test_signs_in(self, world, one):
        world.give_password("alice")
        form = {"login": with_unseen(ALICE, one), "password": PASSWORD}
        assert world.visitor().post("/connexion/", form)["Location"] == "/"

    def test_is_the_one_account(self, world, one):
        count = User.objects.count()
        with pytest.raises(MembershipExists):
            add_member(
                organisation=world.acme, email=with_unseen(ALICE, one), full_name="Alice", now=world.now
            )
        assert User.objects.count() == count
        assert user_by_email(email=with_unseen(ALICE, one)) == world.alice.user


class TestAnAddressOfAnotherSpelling:
    @pytest.mark.parametrize(
        ("typed", "kept"),
        [
            ("Eva@Ailleurs.Example", "eva@ailleurs.example"),
            ("eva@ailleurs\u200b.example", "eva@ailleurs.example"),
            ("eva@xn--cole-9oa.example", "eva@école.example"),
            ("eva@E\u0301COLE.example", "eva@école.example"),
            ("eva@ailleurs\uff0eexample", "eva@ailleurs.example"),
            ("\u212aim@ailleurs.example", "kim@ailleurs.example"),
        ],
    )
    def test_is_kept_as_one(self, typed, kept):
        assert parse_email(typed) == kept

    @pytest.mark.parametrize("typed", ["bo\u017fs@acme.example", "\u0430lice@acme.example"])
    def test_with_letters_that_pass_for_others_is_refused(self, typed):
        with pytest.raises(InvalidMember):
            parse_email(typed)

    def test_of_a_form_is_cleaned_before_it_is_judged(self, world):
        form = {"email": "eva\u200b@ailleurs.example\ufeff", "full_name": "E\u200bva", "language": "fr"}
        assert world.visitor().post("/inscription/", form).status_code == 302
        made = Invitation.objects.get()
        assert (made.email, made.full_name) == ("eva@ailleurs.example", "Eva")

    def test_is_counted_as_one(self, world):
        for one in range(5):
            form = {"login": ALICE + "\u200b" * one, "password": "x"}
            world.visitor().post("/connexion/", form, REMOTE_ADDR=f"10.0.0.{one}")
        refused = world.visitor().post("/connexion/", {"login": ALICE, "password": "x"})
        assert refused.status_code == 429


class TestAName:
    def test_of_nothing_to_be_seen_is_none(self, world):
        page = world.client("alice").post("/compte/", {"full_name": "\u200b\u2060", "language": "fr"})
        assert 'aria-invalid="true"' in page.content.decode()
        with pytest.raises(InvalidMember):
            sign_up(email="eva@ailleurs.example", full_name="\u200b", now=world.now)

    def test_of_a_group_is_taken_by_its_look(self, world):
        create_group(organisation=world.acme, name="Énergie", now=world.now)
        with pytest.raises(InvalidGroup):
            create_group(organisation=world.acme, name="E\u0301ner\u200bgie", now=world.now)

    def test_of_a_person_who_is_invited(self, world):
        made = invite(
            organisation=world.acme,
            email="eva@ailleurs.example",
            full_name="Eva\u202e Durand",
            actor=world.membership("alice"),
            now=world.now,
        )
        assert made.full_name == "Eva Durand"

    def test_is_found_without(self, world):
        User.objects.filter(pk=world.bob.user_id).update(full_name="Bo\u200bb")
        page = world.client("alice").get("/administration/utilisateurs/?q=bob\u2060").content.decode()
        assert "bob@acme.example" in page


class TestACode:
    def test_of_an_email_may_be_pasted_with_what_came_along(self, world):
        alice = world.client("alice")
        alice.get("/compte/securite/application/")
        code = newest_code(ALICE)
        done = alice.post("/confirmation/", {"step_up_code": f"\u2068{code[:4]}\u200b {code[4:]}\u2069"})
        assert done["Location"] == "/compte/securite/application/"
