"""A membership until a date: every channel stops with the same instant, whoever writes it down and whenever."""

from datetime import date, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction

from gridgate.accounts.operations.own_account import delete_account
from gridgate.accounts.own_account import acting_memberships, companies_of
from gridgate.audit.models import AuditEvent
from gridgate.directory.models import DirectoryPerson
from gridgate.eic.models import EicRequest
from gridgate.notifications.permissions import holders
from gridgate.onboarding import links
from gridgate.onboarding.models import Invitation
from gridgate.onboarding.operations.invitations import InvitationLapsed, invite, renew_invitation
from gridgate.onboarding.operations.join_requests import ask_to_join
from gridgate.onboarding.operations.joining import LinkFault, UnusableLink, accept_invitation, open_invitation
from gridgate.organisations import reach, rights
from gridgate.organisations.company_rights import company_rights
from gridgate.organisations.last_days import end_of, last_day
from gridgate.organisations.models import Membership
from gridgate.organisations.operations.members import (
    AdministratorUntil,
    LastDayPast,
    MembershipExists,
    add_member,
    end_lapsed,
    end_membership,
    set_role,
    update_member,
)
from gridgate.organisations.queries import groups_of, members_of, memberships_of
from gridgate.organisations.tasks import end_past_last_days
from gridgate.portal.screens.operator import reads as operator_queries
from gridgate.requests.desk import followed_by_nobody
from gridgate.sharing.queries.receipts import receipts_readable_by
from tests.integration.scim.conftest import directory_of_acme

LAST = date(2026, 12, 5)
UNTIL = end_of(LAST)
TICK = timedelta(microseconds=1)
DROPPED = {"drop": "/compteurs/", "next": "/compteurs/"}


def give_last_day(member, day=LAST, *, actor=None, now):
    update_member(
        membership=member,
        role=member.role,
        external=member.external,
        until=day and end_of(day),
        actor=actor,
        now=now,
    )


def events(*actions):
    rows = AuditEvent.objects.filter(action__in=actions).order_by("pk")
    return [(one.action, one.before, one.after) for one in rows]


def test_every_channel_stops_at_the_same_instant(world):
    give_last_day(world.bob, actor=world.alice, now=world.now)
    company = directory_of_acme(world)
    company.get("/Users")
    bob = DirectoryPerson.objects.get(user=world.bob.user)
    add_member(organisation=world.client_b, email="bob@acme.example", full_name="Bob", now=world.now)

    def answers(instant):
        actor = world.membership("bob")
        lyon = next(one for one in groups_of(actor=world.alice) if one.name == "Site de Lyon")
        users = company.found("/Users?filter=active eq true")
        acting = acting_memberships(user=actor.user, path="/")
        counts = operator_queries.people_counts(actor=world.operateur, organisation=world.acme)
        with transaction.atomic():
            try:
                ask_to_join(user=actor.user, siren=world.acme.siren, now=instant)
                known = False
            except MembershipExists:
                known = True
            transaction.set_rollback(True)
        return {
            "page": world.client("bob").get("/compte/").status_code == 200,
            "form": "/connexion/" not in world.client("bob").post("/compte/favoris/", DROPPED)["Location"],
            "rights": actor.has("data_services"),
            "is_present": reach.is_present(actor),
            "members": actor in members_of(actor=world.alice),
            "group": lyon.size == 1,
            "company's rights": actor.pk in company_rights(actor=world.alice).people,
            "notices": f"user-{actor.user_id}"
            in {one.key for one in holders(world.acme, [world.p1.pk], at=instant)},
            "who may": actor
            in rights.members_who_may(
                Membership.objects.all(), "data_services", points=[world.p1.pk], at=instant
            ),
            "choice": {one.organisation_id for one in memberships_of(user=actor.user)}
            == {world.acme.pk, world.client_b.pk},
            "others": acting.get(organisation=world.client_b).has_others,
            "own account": companies_of(user=actor.user).filter(pk=actor.pk).exists(),
            "directory": company.get(f"/Users/{bob.pk}").json()["active"],
            "directory's list": str(bob.pk) in {one["id"] for one in users},
            "directory's group": any(
                str(bob.pk) in {one["value"] for one in group.get("members", [])}
                for group in company.found("/Groups")
            ),
            "operator": counts.members == 3,
            "receipts": receipts_readable_by(actor=actor).query.is_empty() is False,
            "asking": known,
        }

    for instant in (UNTIL - TICK, UNTIL, UNTIL + timedelta(days=1)):
        with time_machine.travel(instant, tick=False):
            said = answers(instant)
        expected = instant < UNTIL
        assert {name for name, answer in said.items() if answer is not expected} == set()
    assert Membership.objects.get(pk=world.bob.pk).ended_at is None  # nobody had to write it for that


def test_who_followed_a_request_is_gone_with_their_last_day(world):
    clerk = add_member(
        organisation=world.operator, email="c@reseau.example", full_name="C", until=UNTIL, now=world.now
    )
    request = EicRequest.objects.create(
        number="EIC-2026-00001", requester=world.bob.user, type="Y", followed_by=clerk, created_at=world.now
    )
    for instant, nobody in ((UNTIL - TICK, False), (UNTIL, True)):
        with time_machine.travel(instant, tick=False):
            assert EicRequest.objects.filter(followed_by_nobody(), pk=request.pk).exists() is nobody


class TestTheEndIsWritten:
    def test_once_by_the_worker_with_its_reason(self, world):
        give_last_day(world.bob, actor=world.alice, now=world.now)
        assert end_past_last_days(now=UNTIL - TICK) == 0
        later = UNTIL + timedelta(hours=3)
        assert [end_past_last_days(now=later), end_past_last_days(now=later)] == [1, 0]
        member = Membership.objects.get(pk=world.bob.pk)
        assert member.ended_at == UNTIL
        assert not member.groups.exists()
        facts = {
            "role": "user", "external": False, "until": UNTIL.isoformat(), "groups": ["Site de Lyon"]
        }  # fmt: skip
        assert events("member.detached") == [("member.detached", facts, {"why": "until"})]

    def test_by_detaching_keeps_the_date(self, world):
        give_last_day(world.bob, actor=world.alice, now=world.now)
        with time_machine.travel(UNTIL + TICK, tick=False):
            end_membership(membership=world.bob, actor=world.alice, now=UNTIL + TICK)
        assert Membership.objects.get(pk=world.bob.pk).ended_at == UNTIL

    def test_by_adding_and_by_inviting_again(self, world):
        give_last_day(world.bob, actor=world.alice, now=world.now)
        give_last_day(world.acme_user, actor=world.alice, now=world.now)
        with time_machine.travel(UNTIL, tick=False):
            invite(
                organisation=world.acme,
                email="agathe@acme.example",
                full_name="A",
                actor=world.alice,
                now=UNTIL,
            )
            again = add_member(organisation=world.acme, email="BOB@acme.example", full_name="", now=UNTIL)
            assert again.pk != world.bob.pk
            assert reach.is_present(again)
        assert set(Membership.objects.filter(ended_at=UNTIL)) == {world.bob, world.acme_user}

    def test_by_closing_the_account(self, world):
        give_last_day(world.bob, actor=world.alice, now=world.now)
        with time_machine.travel(UNTIL, tick=False):
            delete_account(user=world.bob.user, now=UNTIL)
        assert Membership.objects.get(pk=world.bob.pk).ended_at == UNTIL


class TestAnAdministrator:
    def test_has_no_last_day(self, world):
        with pytest.raises(AdministratorUntil):
            give_last_day(world.alice, now=world.now)
        with pytest.raises(AdministratorUntil):
            add_member(
                organisation=world.acme, email="n@acme.example", full_name="N", role="administrator",
                until=UNTIL, now=world.now,
            )  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            Membership.objects.filter(pk=world.alice.pk).update(until=UNTIL)

    def test_is_made_of_a_user_once_the_date_is_taken_away(self, world):
        give_last_day(world.bob, actor=world.alice, now=world.now)
        with pytest.raises(AdministratorUntil):
            set_role(membership=world.bob, role="administrator", actor=world.alice, now=world.now)
        give_last_day(world.membership("bob"), None, actor=world.alice, now=world.now)
        set_role(membership=world.membership("bob"), role="administrator", actor=world.alice, now=world.now)
        assert world.membership("bob").is_administrator

    def test_is_declared_by_the_operator_who_clears_the_date(self, world):
        give_last_day(world.bob, actor=world.alice, now=world.now)
        declared = Invitation.objects.create(
            kind="first_administrator", organisation=world.acme, email="bob@acme.example", full_name="Bob",
            language="fr", role="administrator", created_at=world.now, sent_at=world.now,
            expires_at=world.now + timedelta(days=3),
        )  # fmt: skip
        accept_invitation(invitation=declared, user=world.bob.user, now=world.now)
        bob = world.membership("bob")
        assert (bob.is_administrator, bob.until) == (True, None)
        was = {"role": "user", "until": UNTIL.isoformat()}
        assert events("member.changed")[-1][1:] == (was, {"role": "administrator", "until": None})

    def test_is_not_declared_by_a_link_of_before_the_person_left(self, world):
        """Opened or accepted, and whether or not the worker has written that they did."""
        give_last_day(world.bob, actor=world.alice, now=world.now)
        declared = Invitation.objects.create(
            kind="first_administrator", organisation=world.acme, email="bob@acme.example", full_name="Bob",
            language="fr", role="administrator", created_at=world.now, sent_at=world.now,
            expires_at=UNTIL + timedelta(days=3),
        )  # fmt: skip
        token = links.token_of(declared)
        assert open_invitation(token, UNTIL - timedelta(seconds=1)) == declared
        for _ in ("before", "after"):
            with pytest.raises(UnusableLink) as opened:
                open_invitation(token, UNTIL)
            assert opened.value.fault is LinkFault.CANCELLED
            end_past_last_days(now=UNTIL)
        with pytest.raises(UnusableLink) as accepted:
            accept_invitation(invitation=declared, user=world.bob.user, now=UNTIL)
        assert accepted.value.fault is LinkFault.CANCELLED


class TestTheDate:
    @pytest.mark.parametrize("day", [date(2026, 11, 25), date(2026, 11, 24)])
    def test_comes_after_today(self, world, day):
        with pytest.raises(LastDayPast):
            give_last_day(world.bob, day, actor=world.alice, now=world.now)
        with pytest.raises(LastDayPast):
            invite(
                organisation=world.acme, email="n@acme.example", full_name="N", until=end_of(day),
                actor=world.alice, now=world.now,
            )  # fmt: skip

    def test_is_the_operators_day_and_stays_while_other_things_change(self, world):
        give_last_day(world.bob, date(2026, 11, 26), actor=world.alice, now=world.now)
        kept = world.membership("bob")
        assert (kept.until.isoformat(), last_day(kept.until)) == (
            "2026-11-26T23:00:00+00:00",
            date(2026, 11, 26),
        )
        on_it = kept.until - timedelta(hours=3)
        with time_machine.travel(on_it, tick=False):
            update_member(
                membership=kept, role="user", external=True, until=kept.until, actor=world.alice, now=on_it
            )
        assert world.membership("bob").external


class TestAnInvitation:
    def test_gives_its_date_and_nothing_once_it_is_over(self, world):
        def asked(email):
            return invite(
                organisation=world.acme, email=email, full_name="Nina", until=UNTIL, actor=world.alice,
                now=world.now,
            )  # fmt: skip

        on_the_last_day = UNTIL - timedelta(hours=1)
        first, second = asked("nina@acme.example"), asked("noe@acme.example")
        with time_machine.travel(on_the_last_day, tick=False):
            accepted = accept_invitation(
                invitation=first, password="un mot de passe assez long", now=on_the_last_day
            )
        assert accepted.membership.until == UNTIL
        with time_machine.travel(UNTIL, tick=False):
            with pytest.raises(UnusableLink) as refused:
                accept_invitation(invitation=second, password="un mot de passe assez long", now=UNTIL)
            with pytest.raises(InvitationLapsed):
                renew_invitation(invitation=second, actor=world.alice, now=UNTIL)
        assert refused.value.fault is LinkFault.LAPSED


class TestADirectory:
    ON = {"op": "replace", "path": "active", "value": True}
    OFF = {"op": "replace", "path": "active", "value": False}

    def test_keeps_a_date_to_come_and_clears_one_that_is_over(self, world):
        company = directory_of_acme(world)
        bob = company.id_of("bob@acme.example")
        give_last_day(world.bob, actor=world.alice, now=world.now)
        company.patch(f"/Users/{bob}", self.OFF)
        assert company.patch(f"/Users/{bob}", self.ON).status_code == 200
        back = Membership.objects.present().get(user=world.bob.user)
        assert back.until == UNTIL
        with time_machine.travel(UNTIL, tick=False):
            assert company.patch(f"/Users/{bob}", self.ON).json()["active"] is True
            again = Membership.objects.present().get(user=world.bob.user)
        assert again.until is None
        cleared = {"until": UNTIL.isoformat()}
        assert events("member.changed")[-1] == ("member.changed", cleared, {"until": None})
        assert Membership.objects.get(pk=back.pk).ended_at == UNTIL
        assert end_lapsed(Membership.objects.all(), now=UNTIL) == 0

    @staticmethod
    def of_present(email):
        rows = Membership.objects.present().filter(
            organisation__legal_name="ACME Industries", user__email=email
        )
        return list(rows.values_list("until", "external"))

    def test_wins_no_date_back_by_deleting_and_adding_again(self, world):
        company = directory_of_acme(world)
        bob = company.id_of("bob@acme.example")
        update_member(
            membership=world.bob, role="user", external=True, until=UNTIL, actor=world.alice, now=world.now
        )
        for _ in range(2):
            assert company.call("DELETE", f"/Users/{bob}").status_code == 204
            bob = company.add("bob@acme.example")["id"]
            assert self.of_present("bob@acme.example") == [(UNTIL, True)]
        company.call("DELETE", f"/Users/{bob}")
        with time_machine.travel(UNTIL, tick=False):
            company.add("bob@acme.example")
            assert self.of_present("bob@acme.example") == [(None, True)]

    def test_keeps_who_is_of_another_company(self, world):
        company = directory_of_acme(world)
        bob = company.id_of("bob@acme.example")
        update_member(
            membership=world.bob, role="user", external=True, until=None, actor=world.alice, now=world.now
        )
        company.patch(f"/Users/{bob}", self.OFF)
        company.patch(f"/Users/{bob}", self.ON)
        assert self.of_present("bob@acme.example") == [(None, True)]

    @pytest.mark.parametrize("inactive", [True, False])
    def test_wins_no_date_back_by_another_account(self, world, inactive):
        company = directory_of_acme(world)
        zoe = company.add("zoe@acme.example")["id"]
        member = Membership.objects.get(user__email="zoe@acme.example")
        update_member(
            membership=member, role="user", external=True, until=UNTIL, actor=world.alice, now=world.now
        )
        add_member(organisation=world.client_b, email="zoe.b@acme.example", full_name="Z", now=world.now)
        if inactive:
            company.patch(f"/Users/{zoe}", self.OFF)
        moved = {"op": "replace", "path": "userName", "value": "zoe.b@acme.example"}
        assert company.patch(f"/Users/{zoe}", moved).status_code == 200
        company.patch(f"/Users/{zoe}", self.ON)
        assert self.of_present("zoe.b@acme.example") == [(UNTIL, True)]

    def test_keeps_the_earlier_of_two_dates(self, world):
        company = directory_of_acme(world)
        bob = company.id_of("bob@acme.example")
        give_last_day(world.bob, actor=world.alice, now=world.now)
        company.call("DELETE", f"/Users/{bob}")
        zoe = company.add("zoe@acme.example")["id"]
        moved = {"op": "replace", "path": "userName", "value": "bob@acme.example"}
        assert company.patch(f"/Users/{zoe}", moved).status_code == 200
        assert self.of_present("bob@acme.example") == [(UNTIL, False)]
