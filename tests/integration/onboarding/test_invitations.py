"""How an account comes into being: every state of an invitation, and every step from one to the next."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from gridgate.accounts.operations.own_account import delete_account
from gridgate.accounts.passwords import Argon2idHasher
from gridgate.audit.models import AuditEvent
from gridgate.eic.models import EicCode
from gridgate.onboarding import links
from gridgate.onboarding.models import GeneralTerms, Invitation, InvitationState
from gridgate.onboarding.operations.declarations import (
    AlreadyAdministered,
    NoContract,
    NoEicCode,
    declaration_of,
)
from gridgate.onboarding.operations.invitations import (
    InvitationClosed,
    cancel_invitation,
    declare_first_administrator,
    invite,
    renew_invitation,
)
from gridgate.onboarding.operations.join_requests import accept as accept_request
from gridgate.onboarding.operations.joining import (
    AccountExists,
    LinkFault,
    UnusableLink,
    WrongAccount,
    accept_invitation,
    open_invitation,
)
from gridgate.onboarding.operations.sending import InvitationOpen
from gridgate.onboarding.operations.sign_ups import sign_up
from gridgate.onboarding.operations.terms import TermsNotAccepted, publish_terms
from gridgate.onboarding.tasks import follow_invitations, forget_sign_ups
from gridgate.organisations.authority import NotAllowed
from gridgate.organisations.models import Membership, Organisation, User
from gridgate.organisations.operations.companies import record_contract
from gridgate.organisations.operations.groups import create_group
from gridgate.organisations.operations.members import (
    InvalidMember,
    MembershipExists,
    add_member,
    disable_user,
    end_lapsed,
    end_membership,
)
from tests.factories.organisations import make_join_request, make_member, make_organisation
from tests.integration.scim.conftest import directory_of_acme
from tests.world import World

PASSWORD = "le vent tourne au nord"
EIC_X = "17X100A100A0001A"


@pytest.fixture
def terms(world: World) -> GeneralTerms:
    return publish_terms(version="1", text_fr="Conditions.", text_en="Terms.", now=world.now)


@pytest.fixture
def newcomer(world: World) -> Organisation:
    """A company with a contract and an EIC code, that nobody administers yet."""
    company = make_organisation("Fonderie du Rhône")
    give_contract(company)
    give_code(company)
    return company


def give_contract(company: Organisation) -> None:
    record_contract(
        organisation=company,
        number=f"CARD-{company.siren}",
        valid_from=datetime(2026, 1, 1).date(),  # noqa: DTZ001 - a civil day
        now=timezone.now(),
    )


def give_code(company: Organisation, *, kind: str = "X", active: bool = True) -> None:
    EicCode.objects.create(
        code=EIC_X,
        type=kind,
        display_name="FONDERIE",
        long_name="Fonderie du Rhône",
        organisation=company,
        source=EicCode.Source.IMPORTED,
        active=active,
        issued_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def invite_someone(world: World, **changes: object) -> Invitation:
    given: dict[str, object] = {
        "organisation": world.acme,
        "email": "Denis@Acme.example",
        "full_name": "Nouvelle  recrue",
        "actor": world.membership("alice"),
        "now": timezone.now(),
    }
    return invite(**given | changes)  # type: ignore[arg-type]


def declare(company: Organisation, **changes: object) -> Invitation:
    given: dict[str, object] = {
        "organisation": company,
        "email": "directrice@fonderie.example",
        "full_name": "Première administratrice",
        "now": timezone.now(),
    }
    return declare_first_administrator(**given | changes)  # type: ignore[arg-type]


def actions(company: Organisation) -> list[str]:
    return [
        action
        for action in AuditEvent.objects.filter(organisation=company.pk)
        .order_by("pk")
        .values_list("action", flat=True)
        if action.startswith(("invitation.", "first_administrator.", "terms."))
    ]


def fault_of(token: str) -> LinkFault:
    with pytest.raises(UnusableLink) as refused:
        open_invitation(token, timezone.now())
    return refused.value.fault


def test_an_administrator_invites_and_the_person_joins_with_what_was_chosen(
    world: World, terms: GeneralTerms
) -> None:
    group = create_group(organisation=world.acme, name="Achats", now=world.now)
    invitation = invite_someone(world, external=True, groups=[group], language="en")
    assert invitation.state(timezone.now()) is InvitationState.PENDING
    assert invitation.expires_at - invitation.sent_at == timedelta(days=30)
    assert not User.objects.filter(email="denis@acme.example").exists()

    opened = open_invitation(links.token_of(invitation), timezone.now())
    user, membership = accept_invitation(
        invitation=opened, password=PASSWORD, accepted_terms=terms, now=timezone.now()
    )
    assert membership is not None
    assert (user.email, user.full_name, user.language) == ("denis@acme.example", "Nouvelle recrue", "en")
    assert user.check_password(PASSWORD)
    assert (membership.role, membership.external) == ("user", True)
    assert [line.group for line in membership.groups.all()] == [group]
    acceptance = user.accepted_terms.get()
    assert (acceptance.terms, acceptance.organisation) == (terms, world.acme)
    assert actions(world.acme) == ["invitation.sent", "terms.accepted", "invitation.accepted"]
    joined = AuditEvent.objects.get(action="member.added", subject_label=user.email)
    assert (joined.user, joined.user_name, joined.acting_for) == (user.pk, "Nouvelle recrue", None)


def test_a_link_serves_once_and_two_at_once_make_one_account(world: World, terms: GeneralTerms) -> None:
    invitation = invite_someone(world)
    token = links.token_of(invitation)
    first, second = (open_invitation(token, timezone.now()) for _ in range(2))
    accept_invitation(invitation=first, password=PASSWORD, accepted_terms=terms, now=timezone.now())
    with pytest.raises(UnusableLink) as refused:
        accept_invitation(invitation=second, password=PASSWORD, accepted_terms=terms, now=timezone.now())
    assert refused.value.fault is LinkFault.USED
    assert User.objects.filter(email="denis@acme.example").count() == 1
    assert fault_of(token) is LinkFault.USED


def test_no_password_is_hashed_while_nobody_else_can_write(
    world: World, terms: GeneralTerms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whom an invitation is accepted, nor by whom somebody is added: it takes tens of milliseconds."""
    outside, depths = len(connection.savepoint_ids), []
    encode = Argon2idHasher.encode

    def seen(*given: str) -> str:
        depths.append(len(connection.savepoint_ids) - outside)
        return encode(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(Argon2idHasher, "encode", seen)
    invitation = invite_someone(world)
    user, _ = accept_invitation(
        invitation=invitation, password=PASSWORD, accepted_terms=terms, now=timezone.now()
    )
    added = add_member(
        organisation=world.acme, email="eva@acme.example", full_name="Eva", password=PASSWORD, now=world.now
    )
    assert depths == [0, 0]
    assert user.check_password(PASSWORD)
    assert added.user.check_password(PASSWORD)
    before = len(depths)
    known = add_member(
        organisation=world.client_b, email="eva@acme.example", full_name="?", password="court", now=world.now
    )
    assert (known.user, len(depths)) == (added.user, before)  # whose password is theirs already


def test_a_person_with_an_account_joins_with_it_and_keeps_it_as_it_is(
    world: World, terms: GeneralTerms
) -> None:
    charlie = world.charlie.user
    password = charlie.password
    invitation = invite_someone(
        world, email=charlie.email, full_name="Un autre nom", role="administrator", language="en"
    )
    with pytest.raises(AccountExists):
        accept_invitation(invitation=invitation, password=PASSWORD, accepted_terms=terms, now=timezone.now())
    with pytest.raises(WrongAccount):
        accept_invitation(
            invitation=invitation, user=world.bob.user, accepted_terms=terms, now=timezone.now()
        )
    user, membership = accept_invitation(
        invitation=invitation, user=charlie, accepted_terms=terms, now=timezone.now()
    )
    assert user.pk == charlie.pk
    assert membership is not None
    assert membership.is_administrator
    charlie.refresh_from_db()
    assert (charlie.full_name, charlie.language, charlie.password) == ("Charlie", "fr", password)
    present = Membership.objects.filter(user=charlie, ended_at=None)
    assert {member.organisation for member in present} == {world.acme, world.client_b}


def test_a_closed_account_joins_nothing(world: World) -> None:
    disable_user(user=world.charlie.user)
    invitation = invite_someone(world, email=world.charlie.user.email)
    with pytest.raises(WrongAccount):
        accept_invitation(invitation=invitation, user=world.charlie.user, now=timezone.now())
    with pytest.raises(AccountExists):
        accept_invitation(invitation=invitation, password=PASSWORD, now=timezone.now())


def test_whoever_became_a_member_otherwise_stays_what_they_are(world: World) -> None:
    member = make_member(world.acme, "Denis", email="denis@elsewhere.example")
    invitation = invite_someone(world, role="administrator")
    member.user.email = "denis@acme.example"  # by no operation of the company's
    member.user.save()
    with pytest.raises(MembershipExists):
        renew_invitation(invitation=invitation, now=timezone.now())
    _, membership = accept_invitation(invitation=invitation, user=member.user, now=timezone.now())
    assert membership == member
    assert not Membership.objects.get(pk=member.pk).is_administrator


def by_a_request(world: World) -> Membership:
    user = User.objects.create_user("denis@acme.example", PASSWORD, full_name="Denis", created_at=world.now)
    asked = make_join_request(user, world.acme, now=timezone.now())
    return accept_request(pk=asked.pk, actor=world.membership("alice"), now=timezone.now())


def by_the_directory(world: World) -> Membership:
    directory_of_acme(world).add("denis@acme.example")
    return Membership.objects.get(user__email="denis@acme.example")


def by_the_command_line(world: World) -> Membership:
    return add_member(
        organisation=world.acme, email="denis@acme.example", full_name="Denis", now=timezone.now()
    )


@pytest.mark.parametrize("join", [by_a_request, by_the_directory, by_the_command_line])
def test_whoever_joins_by_another_door_has_no_link_left(
    world: World, join: Callable[[World], Membership]
) -> None:
    invitation = invite_someone(world, role="administrator")
    member = join(world)
    assert fault_of(links.token_of(invitation)) is LinkFault.CANCELLED
    assert actions(world.acme)[-1] == "invitation.cancelled"
    end_membership(membership=member, now=timezone.now())
    with pytest.raises(UnusableLink) as refused:
        accept_invitation(invitation=invitation, user=member.user, now=timezone.now())
    assert refused.value.fault is LinkFault.CANCELLED
    again = invite_someone(world)
    _, membership = accept_invitation(invitation=again, user=member.user, now=timezone.now())
    assert membership is not None
    assert not membership.is_administrator


def test_whoever_takes_the_invited_address_has_no_link_left(world: World) -> None:
    """Their directory's doing."""
    directory = directory_of_acme(world)
    person = directory.add("d@acme.example")["id"]
    invitation = invite_someone(world, role="administrator")
    moved = {"op": "replace", "path": "userName", "value": "denis@acme.example"}
    assert directory.patch(f"/Users/{person}", moved).status_code == 200
    assert fault_of(links.token_of(invitation)) is LinkFault.CANCELLED


def detached(member: Membership) -> None:
    end_membership(membership=member, now=timezone.now())


def on_their_last_day(member: Membership) -> None:
    Membership.objects.filter(pk=member.pk).update(until=timezone.now())
    end_lapsed(Membership.objects.all(), now=timezone.now())


def with_their_account(member: Membership) -> None:
    delete_account(user=member.user, now=timezone.now())


@pytest.mark.parametrize("leave", [detached, on_their_last_day, with_their_account])
def test_whoever_leaves_has_no_link_left(
    world: World, newcomer: Organisation, leave: Callable[[Membership], None]
) -> None:
    member = make_member(newcomer, "Claire", email="directrice@fonderie.example")
    elsewhere = invite_someone(world, email="directrice@fonderie.example")
    declared = declare(newcomer)
    leave(member)
    assert fault_of(links.token_of(declared)) is LinkFault.CANCELLED
    assert actions(newcomer)[-1] == "invitation.cancelled"
    assert open_invitation(links.token_of(elsewhere), timezone.now()) == elsewhere
    assert declare(newcomer).state(timezone.now()) is InvitationState.PENDING


def test_a_last_day_that_is_over_counts_before_it_is_written(world: World, newcomer: Organisation) -> None:
    member = make_member(newcomer, "Claire", email="directrice@fonderie.example")
    declared = declare(newcomer)
    Membership.objects.filter(pk=member.pk).update(until=timezone.now())
    with pytest.raises(UnusableLink) as refused:
        accept_invitation(invitation=declared, user=member.user, now=timezone.now())
    assert refused.value.fault is LinkFault.CANCELLED


def test_who_joins_as_a_user_is_still_made_the_first_administrator(
    world: World, newcomer: Organisation
) -> None:
    declared = declare(newcomer)
    member = add_member(organisation=newcomer, email=declared.email, full_name="Claire", now=timezone.now())
    accept_invitation(invitation=declared, user=member.user, now=timezone.now())
    assert Membership.objects.get(pk=member.pk).is_administrator


def test_a_password_that_will_not_do_leaves_the_link_good(world: World, terms: GeneralTerms) -> None:
    invitation = invite_someone(world)
    with pytest.raises(InvalidMember):
        accept_invitation(invitation=invitation, password="court", accepted_terms=terms, now=timezone.now())
    open_invitation(links.token_of(invitation), timezone.now())
    assert not User.objects.filter(email="denis@acme.example").exists()


def test_the_terms_in_force_are_accepted_or_nothing_happens(world: World, terms: GeneralTerms) -> None:
    invitation = invite_someone(world)
    with pytest.raises(TermsNotAccepted):
        accept_invitation(invitation=invitation, password=PASSWORD, now=timezone.now())
    newer = publish_terms(version="2", text_fr="Autres conditions.", now=timezone.now())
    with pytest.raises(TermsNotAccepted) as refused:
        accept_invitation(invitation=invitation, password=PASSWORD, accepted_terms=terms, now=timezone.now())
    assert refused.value.terms == newer
    assert not User.objects.filter(email="denis@acme.example").exists()
    accept_invitation(invitation=invitation, password=PASSWORD, accepted_terms=newer, now=timezone.now())


def test_a_members_link_expires_after_30_days_and_is_renewed_for_30_more(world: World) -> None:
    invitation = invite_someone(world)
    old = links.token_of(invitation)
    with time_machine.travel(world.now + timedelta(days=29, hours=23)):
        open_invitation(old, timezone.now())
    with time_machine.travel(world.now + timedelta(days=30, seconds=5)):
        assert invitation.state(timezone.now()) is InvitationState.EXPIRED
        assert fault_of(old) is LinkFault.EXPIRED
        assert follow_invitations(now=timezone.now()) == 0, "nothing is sent to a member by itself"
        renewed = renew_invitation(invitation=invitation, actor=world.membership("alice"), now=timezone.now())
        assert renewed.state(timezone.now()) is InvitationState.PENDING
        assert renewed.expires_at - renewed.sent_at == timedelta(days=30)
        assert fault_of(old) is LinkFault.SUPERSEDED
        open_invitation(links.token_of(renewed), timezone.now())
    assert actions(world.acme) == ["invitation.sent", "invitation.expired", "invitation.resent"]


def test_renewing_before_the_end_stops_the_earlier_link(world: World) -> None:
    invitation = invite_someone(world)
    old = links.token_of(invitation)
    renewed = renew_invitation(invitation=invitation, actor=world.membership("alice"), now=timezone.now())
    assert fault_of(old) is LinkFault.SUPERSEDED
    assert open_invitation(links.token_of(renewed), timezone.now()).pk == invitation.pk


def test_a_cancelled_invitation_opens_nothing_and_makes_room_for_another(world: World) -> None:
    invitation = invite_someone(world)
    for _ in range(2):
        cancel_invitation(invitation=invitation, actor=world.membership("alice"), now=timezone.now())
    assert fault_of(links.token_of(invitation)) is LinkFault.CANCELLED
    invitation.refresh_from_db()
    assert invitation.state(timezone.now()) is InvitationState.CANCELLED
    with pytest.raises(InvitationClosed):
        renew_invitation(invitation=invitation, now=timezone.now())
    with pytest.raises(UnusableLink):
        accept_invitation(invitation=invitation, password=PASSWORD, now=timezone.now())
    assert invite_someone(world).pk != invitation.pk
    assert actions(world.acme) == ["invitation.sent", "invitation.cancelled", "invitation.sent"]


def test_an_accepted_invitation_is_neither_cancelled_nor_renewed(world: World) -> None:
    invitation = invite_someone(world)
    accept_invitation(invitation=invitation, password=PASSWORD, now=timezone.now())
    for change in (cancel_invitation, renew_invitation):
        with pytest.raises(InvitationClosed):
            change(invitation=invitation, actor=world.membership("alice"), now=timezone.now())


def test_what_was_not_made_here_opens_nothing(world: World) -> None:
    token = links.token_of(invite_someone(world))
    for wrong in ("", "1-1", "1-1.x", token[:-1], token[1:], token.replace("-1.", "-2."), f"{token}x"):
        assert fault_of(wrong) is LinkFault.UNKNOWN
    Invitation.objects.all().delete()
    assert fault_of(token) is LinkFault.UNKNOWN


def test_who_may_invite(world: World) -> None:
    with pytest.raises(NotAllowed):
        invite_someone(world, actor=world.membership("bob"))
    for stranger in ("charlie", "operateur"):
        with pytest.raises(NotAllowed):
            invite_someone(world, actor=world.membership(stranger))
    manager = make_member(world.acme, "Gilles", entitlements=["users"])
    with pytest.raises(NotAllowed):
        invite_someone(world, actor=manager, role="administrator")
    by_manager = invite_someone(world, actor=manager)
    of_administrator = invite_someone(world, email="autre@acme.example", role="administrator")
    for change in (renew_invitation, cancel_invitation):
        with pytest.raises(NotAllowed):
            change(invitation=of_administrator, actor=manager, now=timezone.now())
        with pytest.raises(NotAllowed):
            change(invitation=by_manager, actor=world.membership("charlie"), now=timezone.now())
    cancel_invitation(invitation=by_manager, actor=manager, now=timezone.now())


def test_what_is_refused_when_inviting(world: World) -> None:
    theirs = create_group(organisation=world.client_b, name="Ailleurs", now=world.now)
    for wrong in (
        {"email": "denis"},
        {"full_name": "  "},
        {"full_name": "x" * 121},
        {"language": "de"},
        {"role": "king"},
        {"groups": [theirs]},
    ):
        with pytest.raises(InvalidMember):
            invite_someone(world, **wrong)
    with pytest.raises(MembershipExists):
        invite_someone(world, email="BOB@acme.example")
    invitation = invite_someone(world)
    with pytest.raises(InvitationOpen) as refused:
        invite_someone(world, email="DENIS@acme.example")
    assert refused.value.invitation == invitation
    invite_someone(world, organisation=world.client_b, actor=world.membership("charlie"))


def test_inviting_tells_nothing_of_accounts_and_works_the_same(world: World) -> None:
    """An address of another company's member, one that has no account, one whose account is closed."""
    disable_user(user=world.tiers1.user)
    seen = []
    for email in (world.charlie.user.email, "personne@nulle-part.example", world.tiers1.user.email):
        actor = world.membership("alice")
        with CaptureQueriesContext(connection) as queries:
            invitation = invite_someone(world, email=email, actor=actor, now=world.now)
        work = [re.findall(r'^\w+|"organisations_\w+"', query["sql"])[:2] for query in queries]
        event = AuditEvent.objects.get(subject_kind="invitation", subject=str(invitation.pk))
        seen.append((work, event.action, event.after, invitation.membership))
    assert seen[0] == seen[1] == seen[2]


def test_somebody_detached_can_be_invited_again(world: World) -> None:
    bob = world.membership("bob")
    end_membership(membership=bob, now=timezone.now())
    invitation = invite_someone(world, email=bob.user.email)
    _, membership = accept_invitation(invitation=invitation, user=bob.user, now=timezone.now())
    assert membership is not None
    assert membership.pk != bob.pk


# -- the first administrator --


def test_a_first_administrator_needs_a_contract_and_a_code_and_is_told_both(world: World) -> None:
    company = make_organisation("Fonderie du Rhône")
    with pytest.raises(NoContract) as refused:
        declare(company)
    assert isinstance(refused.value, NoEicCode)
    assert "contract" in str(refused.value)
    assert "EIC" in str(refused.value)
    assert refused.value.remedy
    give_contract(company)
    with pytest.raises(NoEicCode) as refused_code:
        declare(company)
    assert not isinstance(refused_code.value, NoContract)
    give_code(company)
    assert declaration_of(organisation=company, now=timezone.now()).possible
    invitation = declare(company)
    assert invitation.expires_at - invitation.sent_at == timedelta(days=3)
    assert actions(company) == ["first_administrator.declared", "invitation.sent"]


@pytest.mark.parametrize(
    ("first_day", "last_day", "good"),
    [
        ("2026-11-25", None, True),
        ("2026-11-26", None, False),
        ("2025-01-01", "2026-11-26", True),
        ("2025-01-01", "2026-11-25", False),
    ],
)
def test_the_contract_is_in_force_today(
    world: World, first_day: str, last_day: str | None, good: bool
) -> None:
    company = make_organisation("Fonderie du Rhône")
    give_code(company)
    record_contract(
        organisation=company,
        number="CARD-1",
        valid_from=datetime.fromisoformat(first_day).date(),
        valid_to=datetime.fromisoformat(last_day).date() if last_day else None,
        now=world.now,
    )
    assert declaration_of(organisation=company, now=timezone.now()).possible is good


@pytest.mark.parametrize(("kind", "active"), [("Y", True), ("Z", True), ("X", False)])
def test_the_code_is_an_active_one_of_type_x(world: World, kind: str, active: bool) -> None:
    company = make_organisation("Fonderie du Rhône")
    give_contract(company)
    give_code(company, kind=kind, active=active)
    with pytest.raises(NoEicCode):
        declare(company)


def test_a_code_of_another_company_is_not_its_own(world: World) -> None:
    company = make_organisation("Fonderie du Rhône")
    give_contract(company)
    give_code(world.client_b)
    with pytest.raises(NoEicCode):
        declare(company)


def test_only_the_operator_declares_and_only_where_nobody_administers(
    world: World, newcomer: Organisation
) -> None:
    for actor in ("alice", "bob", "charlie"):
        with pytest.raises(NotAllowed):
            declare(newcomer, actor=world.membership(actor))
    give_contract(world.acme)
    with pytest.raises(AlreadyAdministered):
        declare(world.acme)
    invitation = declare(newcomer, actor=world.membership("operateur"))
    accept_invitation(invitation=invitation, password=PASSWORD, now=timezone.now())
    with pytest.raises(AlreadyAdministered):
        declare(newcomer, email="autre@fonderie.example")


def test_the_first_administrator_manages_the_company_alone_from_then_on(
    world: World, newcomer: Organisation, terms: GeneralTerms
) -> None:
    user, membership = accept_invitation(
        invitation=declare(newcomer), password=PASSWORD, accepted_terms=terms, now=timezone.now()
    )
    assert membership is not None
    assert membership.is_administrator
    assert user.accepted_terms.get().organisation == newcomer
    invite_someone(world, organisation=newcomer, actor=membership, role="administrator")


def test_a_first_administrator_known_elsewhere_accepts_the_terms_for_the_new_company(
    world: World, newcomer: Organisation, terms: GeneralTerms
) -> None:
    charlie = world.charlie.user
    charlie.accepted_terms.create(terms=terms, organisation=world.client_b, accepted_at=world.now)
    invitation = declare(newcomer, email=charlie.email)
    with pytest.raises(TermsNotAccepted):
        accept_invitation(invitation=invitation, user=charlie, now=timezone.now())
    accept_invitation(invitation=invitation, user=charlie, accepted_terms=terms, now=timezone.now())
    for_companies = charlie.accepted_terms.values_list("organisation__legal_name", flat=True)
    assert set(for_companies) == {"Client B", "Fonderie du Rhône"}


def test_a_user_of_the_company_is_made_its_first_administrator(world: World, newcomer: Organisation) -> None:
    member = make_member(newcomer, "Claire", email="directrice@fonderie.example")
    _, membership = accept_invitation(invitation=declare(newcomer), user=member.user, now=timezone.now())
    assert membership is not None
    assert membership.pk == member.pk
    assert Membership.objects.get(pk=member.pk).is_administrator


def test_one_more_link_is_sent_by_itself_and_then_no_other(world: World, newcomer: Organisation) -> None:
    invitation = declare(newcomer)
    first = links.token_of(invitation)
    with time_machine.travel(world.now + timedelta(days=2, hours=23)):
        assert follow_invitations(now=timezone.now()) == 0
    with time_machine.travel(world.now + timedelta(days=3, minutes=1), tick=False):
        assert fault_of(first) is LinkFault.EXPIRED
        invitation.refresh_from_db()
        assert invitation.is_on_its_way(timezone.now()), "another is on its way"
        assert follow_invitations(now=timezone.now()) == 1
        assert follow_invitations(now=timezone.now()) == 0, "twice is once"
        invitation.refresh_from_db()
        assert (invitation.round, invitation.resend_until) == (2, None)
        assert invitation.expires_at == timezone.now() + timedelta(days=3)
        assert fault_of(first) is LinkFault.SUPERSEDED
        second = links.token_of(invitation)
        open_invitation(second, timezone.now())
    with time_machine.travel(world.now + timedelta(days=6, minutes=2), tick=False):
        assert follow_invitations(now=timezone.now()) == 0
        assert follow_invitations(now=timezone.now()) == 0
        assert invitation.state(timezone.now()) is InvitationState.EXPIRED
        assert not invitation.is_on_its_way(timezone.now())
        assert fault_of(second) is LinkFault.EXPIRED
    assert actions(newcomer) == [
        "first_administrator.declared",
        "invitation.sent",
        "invitation.expired",
        "invitation.resent",
        "invitation.expired",
    ]


def test_no_link_follows_by_itself_after_the_seven_days(world: World, newcomer: Organisation) -> None:
    """The worker stood still for a fortnight."""
    invitation = declare(newcomer)
    with time_machine.travel(world.now + timedelta(days=10, minutes=5), tick=False):
        assert not invitation.is_on_its_way(timezone.now())
        assert follow_invitations(now=timezone.now()) == 0
    assert actions(newcomer)[-1] == "invitation.expired"


def test_no_link_follows_by_itself_when_the_company_may_have_none_any_more(
    world: World, newcomer: Organisation
) -> None:
    declare(newcomer)
    newcomer.eic_codes.update(active=False)
    with time_machine.travel(world.now + timedelta(days=3, minutes=5), tick=False):
        assert follow_invitations(now=timezone.now()) == 0


def test_the_operator_renews_a_declaration_and_the_cycle_begins_again(
    world: World, newcomer: Organisation
) -> None:
    invitation = declare(newcomer)
    with time_machine.travel(world.now + timedelta(days=3, minutes=5), tick=False):
        follow_invitations(now=timezone.now())
    with time_machine.travel(world.now + timedelta(days=8), tick=False):
        follow_invitations(now=timezone.now())
        with pytest.raises(NotAllowed):
            renew_invitation(invitation=invitation, actor=world.membership("alice"), now=timezone.now())
        renewed = renew_invitation(
            invitation=invitation, actor=world.membership("operateur"), now=timezone.now()
        )
        open_invitation(links.token_of(renewed), timezone.now())
    with time_machine.travel(world.now + timedelta(days=11, minutes=5), tick=False):
        assert follow_invitations(now=timezone.now()) == 1, "one more by itself, as after a declaration"


def test_one_declaration_at_a_time_and_one_that_nobody_answered_is_replaced(
    world: World, newcomer: Organisation
) -> None:
    declared = declare(newcomer)
    with pytest.raises(InvitationOpen):
        declare(newcomer, email="autre@fonderie.example")
    with time_machine.travel(world.now + timedelta(days=3, minutes=5), tick=False):
        with pytest.raises(InvitationOpen):
            declare(newcomer, email="autre@fonderie.example")
        follow_invitations(now=timezone.now())
    with time_machine.travel(world.now + timedelta(days=8), tick=False):
        replacing = declare(newcomer, email="autre@fonderie.example")
        assert fault_of(links.token_of(Invitation.objects.get(pk=declared.pk))) is LinkFault.CANCELLED
        found = declaration_of(organisation=newcomer, now=timezone.now())
        assert found.invitation == replacing


# -- signing up --


def test_somebody_of_no_company_opens_an_account_for_themselves(world: World, terms: GeneralTerms) -> None:
    invitation = sign_up(email="Eva@ailleurs.example", full_name="Eva", language="en", now=timezone.now())
    assert invitation.expires_at - invitation.sent_at == timedelta(hours=24)
    user, membership = accept_invitation(
        invitation=invitation, password=PASSWORD, accepted_terms=terms, now=timezone.now()
    )
    assert membership is None
    assert (user.email, user.language) == ("eva@ailleurs.example", "en")
    assert not user.memberships.exists()
    acceptance = user.accepted_terms.get()
    assert (acceptance.terms, acceptance.organisation) == (terms, None)


def test_signing_up_again_sends_another_link_and_stops_the_first(world: World) -> None:
    first = links.token_of(sign_up(email="eva@ailleurs.example", full_name="Eva", now=timezone.now()))
    again = sign_up(email="eva@ailleurs.example", full_name="Eva, de retour", now=timezone.now())
    assert fault_of(first) is LinkFault.SUPERSEDED
    assert open_invitation(links.token_of(again), timezone.now()).full_name == "Eva, de retour"
    with time_machine.travel(world.now + timedelta(hours=24, minutes=1)):
        assert fault_of(links.token_of(again)) is LinkFault.EXPIRED
        later = sign_up(email="eva@ailleurs.example", full_name="Eva", now=timezone.now())
        open_invitation(links.token_of(later), timezone.now())


def test_signing_up_with_a_known_address_works_the_same_and_opens_nothing(world: World) -> None:
    known = sign_up(email=world.bob.user.email, full_name="Bob", now=timezone.now())
    with pytest.raises(AccountExists):
        accept_invitation(invitation=known, password=PASSWORD, now=timezone.now())
    with pytest.raises(AccountExists):
        accept_invitation(invitation=known, user=world.bob.user, now=timezone.now())


def test_sign_ups_that_nobody_confirmed_are_forgotten(world: World, terms: GeneralTerms) -> None:
    kept = sign_up(email="eva@ailleurs.example", full_name="Eva", now=timezone.now())
    accept_invitation(invitation=kept, password=PASSWORD, accepted_terms=terms, now=timezone.now())
    sign_up(email="jamais@ailleurs.example", full_name="Jamais", now=timezone.now())
    invite_someone(world)
    assert forget_sign_ups(now=timezone.now() + timedelta(days=7)) == 0
    assert forget_sign_ups(now=timezone.now() + timedelta(days=8, minutes=1)) == 1
    assert forget_sign_ups(now=timezone.now() + timedelta(days=60)) == 0
    left = set(Invitation.objects.values_list("email", flat=True))
    assert left == {"eva@ailleurs.example", "denis@acme.example"}
