"""What the operator asks beyond a password."""

import pytest
from allauth.mfa.models import Authenticator
from django.test import RequestFactory

from gridgate.accounts.models import SecurityPolicy, SensitiveAct
from gridgate.accounts.security.policy import (
    UnknownAct,
    must_have_factor,
    policy,
    set_policy,
    with_asked_factor,
)
from gridgate.audit.models import AuditEvent
from gridgate.organisations.authority import NotAllowed
from gridgate.organisations.models import Membership
from gridgate.organisations.queries import memberships_of
from tests.factories.organisations import make_member

NOTHING = {
    "strong_for_operator": False,
    "strong_for_administrators": False,
    "strong_for_users": False,
    "step_up_acts": (),
}


def lacking(membership: Membership) -> bool:
    found = with_asked_factor(memberships_of(user=membership.user)).get(pk=membership.pk)
    return found.asks_factor and not found.has_factor


class TestThePolicy:
    def test_is_the_models_default_before_anyone_chose(self, world):
        SecurityPolicy.objects.all().delete()
        assert policy().step_up_acts == list(SensitiveAct.values)
        for name in ("operateur", "alice", "bob"):
            assert not lacking(world.membership(name))

    def test_is_read_once_a_request_and_anew_in_the_next(self, world, django_assert_num_queries):
        first, second = RequestFactory().get("/"), RequestFactory().get("/")
        with django_assert_num_queries(1):
            assert policy(first) is policy(first)
        set_policy(**NOTHING | {"step_up_acts": ["revoke_all"]}, now=world.now)
        assert policy(second).step_up_acts == ["revoke_all"]


class TestSetPolicy:
    def test_is_for_the_operators_administrators(self, world):
        for name in ("alice", "bob"):
            with pytest.raises(NotAllowed):
                set_policy(**NOTHING, actor=world.membership(name), now=world.now)
        clerk = make_member(world.operator, "Odile")
        with pytest.raises(NotAllowed):
            set_policy(**NOTHING, actor=clerk, now=world.now)

    def test_says_in_the_audit_what_changed_and_nothing_else(self, world):
        set_policy(**NOTHING, actor=world.operateur, now=world.now)
        set_policy(**NOTHING | {"strong_for_operator": True}, actor=world.operateur, now=world.now)
        event = AuditEvent.objects.filter(action="policy.changed").latest("pk")
        assert (event.before, event.after) == ({"strong_for_operator": False}, {"strong_for_operator": True})
        assert event.organisation == world.operator.pk
        assert event.user == world.operateur.user_id

    def test_writes_nothing_when_nothing_changes(self, world):
        set_policy(**NOTHING, actor=world.operateur, now=world.now)
        before = AuditEvent.objects.count()
        set_policy(**NOTHING, actor=world.operateur, now=world.now)
        assert AuditEvent.objects.count() == before

    def test_refuses_an_act_it_does_not_know(self, world):
        with pytest.raises(UnknownAct, match="tea"):
            set_policy(**NOTHING | {"step_up_acts": ["tea"]}, now=world.now)


class TestWhoMustHaveASecondFactor:
    @pytest.mark.parametrize(
        ("asked", "lack"),
        [
            ("strong_for_operator", {"operateur"}),
            ("strong_for_administrators", {"alice", "charlie", "tiers1"}),
            ("strong_for_users", {"bob", "acme_user"}),
        ],
    )
    def test_follows_the_role(self, world, asked, lack):
        set_policy(**NOTHING | {asked: True}, now=world.now)
        everyone = ("operateur", "alice", "charlie", "tiers1", "bob", "acme_user")
        assert {name for name in everyone if lacking(world.membership(name))} == lack
        assert {name for name in everyone if must_have_factor(user=getattr(world, name).user)} == lack

    @pytest.mark.parametrize(
        ("kind", "enough"), [("totp", True), ("webauthn", True), ("recovery_codes", False)]
    )
    def test_ends_with_a_second_factor_and_recovery_codes_are_none(self, world, kind, enough):
        set_policy(**NOTHING | {"strong_for_users": True}, now=world.now)
        Authenticator.objects.create(user=world.bob.user, type=kind, data={})
        assert lacking(world.membership("bob")) is not enough
        assert lacking(world.membership("acme_user"))
