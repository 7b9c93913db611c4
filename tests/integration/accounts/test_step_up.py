"""One-time codes, at the operations."""

from datetime import timedelta

import pytest

from gridgate.accounts.models import SensitiveAct, StepUpCode
from gridgate.accounts.security.step_up import (
    KEPT,
    MOST_ATTEMPTS,
    Refusal,
    TooManyCodes,
    digits_of,
    forget_old_codes,
    live_code,
    make_code,
    use_code,
)
from gridgate.notifications.letters import Withdrawn, body_of
from gridgate.notifications.models import OutgoingEmail

ACT = SensitiveAct.REVOKE_ALL.label


@pytest.fixture
def alice(world):
    return world.alice.user


def test_a_code_is_eight_digits_that_only_its_row_and_the_secret_key_give(world, alice, settings):
    rows = [StepUpCode(pk=number, user=alice, nonce="n") for number in range(300)]
    codes = [digits_of(row) for row in rows]
    assert all(len(code) == 8 and code.isdigit() for code in codes)
    assert len(set(codes)) == len(codes)
    assert digits_of(rows[7]) == codes[7]
    rows[7].nonce = "m"
    assert digits_of(rows[7]) != codes[7]
    settings.SECRET_KEY = "une autre clé"
    assert digits_of(rows[8]) != codes[8]


def test_a_code_is_used_once(world, alice):
    code = make_code(user=alice, act=ACT, now=world.now)
    assert use_code(user=alice, pk=code.pk, text=digits_of(code), now=world.now) is None
    assert use_code(user=alice, pk=code.pk, text=digits_of(code), now=world.now) is Refusal.OVER


def test_a_wrong_one_is_counted_and_the_fifth_ends_it(world, alice):
    code = make_code(user=alice, act=ACT, now=world.now)
    said = [use_code(user=alice, pk=code.pk, text="00000000", now=world.now) for _ in range(MOST_ATTEMPTS)]
    assert said == [Refusal.WRONG] * (MOST_ATTEMPTS - 1) + [Refusal.OVER]
    assert use_code(user=alice, pk=code.pk, text=digits_of(code), now=world.now) is Refusal.OVER
    code.refresh_from_db()
    assert code.used_at is None


def test_a_code_is_its_persons(world, alice):
    code = make_code(user=alice, act=ACT, now=world.now)
    assert use_code(user=world.bob.user, pk=code.pk, text=digits_of(code), now=world.now) is Refusal.OVER
    assert StepUpCode.objects.get(pk=code.pk).attempts == 0


def test_another_code_ends_the_first(world, alice):
    first = make_code(user=alice, act=ACT, now=world.now)
    then = world.now + timedelta(minutes=1)
    second = make_code(user=alice, act=ACT, now=then)
    assert live_code(first.pk, now=then) is None
    assert live_code(second.pk, now=then) == second
    assert use_code(user=alice, pk=first.pk, text=digits_of(first), now=then) is Refusal.OVER


def test_codes_of_other_people_go_on(world, alice):
    bobs = make_code(user=world.bob.user, act=ACT, now=world.now)
    make_code(user=alice, act=ACT, now=world.now)
    assert live_code(bobs.pk, now=world.now) == bobs


def test_too_soon_says_when(world, alice):
    make_code(user=alice, act=ACT, now=world.now)
    with pytest.raises(TooManyCodes) as refused:
        make_code(user=alice, act=ACT, now=world.now + timedelta(seconds=59))
    assert refused.value.again_at == world.now + timedelta(minutes=1)


def test_the_email_is_not_sent_once_its_code_is_over(world, alice):
    code = make_code(user=alice, act=ACT, now=world.now)
    email = OutgoingEmail.objects.get(key=f"step_up:{code.pk}")
    assert digits_of(code) in body_of(email)
    use_code(user=alice, pk=code.pk, text=digits_of(code), now=world.now)
    with pytest.raises(Withdrawn):
        body_of(email)


def test_the_email_is_in_the_persons_language(world, alice):
    alice.language = "en"
    code = make_code(user=alice, act=ACT, now=world.now)
    email = OutgoingEmail.objects.get(key=f"step_up:{code.pk}")
    assert email.subject == "Your one-time code for the Réseau Démo portal"
    assert "Résilier" not in email.body


def test_old_rows_are_forgotten_and_what_limits_is_kept(world, alice):
    make_code(user=alice, act=ACT, now=world.now)
    assert forget_old_codes(now=world.now + KEPT - timedelta(minutes=1)) == 0
    assert forget_old_codes(now=world.now + KEPT + timedelta(minutes=1)) == 1
