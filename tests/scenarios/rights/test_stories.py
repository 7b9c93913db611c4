"""Each `.story` here is a scenario in plain words: what is given, what happens when, what is then so.

A line is a fact, an act or a check; `STEPS` lists the sentences that are understood. An act that must not succeed
ends in ` -> ` and the name of its refusal. Days pass when a story says so; the worker then does its round. To add a
scenario, copy a story and change its lines.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from django.db.models import F

from gridgate.audit.models import AuditEvent
from gridgate.core.errors import GridgateError
from gridgate.eic.models import EicCode
from gridgate.metering import rights
from gridgate.metering.operations.titles import move_in, open_holding
from gridgate.metering.queries.points import points_readable_by
from gridgate.notifications.models import OutgoingEmail
from gridgate.onboarding import links
from gridgate.onboarding.models import GeneralTerms, Invitation
from gridgate.onboarding.operations.invitations import (
    cancel_invitation,
    declare_first_administrator,
    invite,
    renew_invitation,
)
from gridgate.onboarding.operations.joining import accept_invitation, open_invitation
from gridgate.onboarding.operations.sign_ups import sign_up
from gridgate.onboarding.tasks import follow_invitations
from gridgate.organisations.models import (
    Membership,
    Organisation,
    User,
    UserGroup,
)
from gridgate.organisations.operations.companies import record_contract, update_organisation
from gridgate.organisations.operations.groups import create_group, delete_group, set_members
from gridgate.organisations.operations.members import (
    add_member,
    disable_user,
    end_membership,
    set_role,
)
from gridgate.organisations.operations.services import give, withdraw
from tests.factories.metering import make_point
from tests.factories.organisations import a_siren, make_organisation
from tests.world import World

FILES = sorted(Path(__file__).parent.glob("*.story"))
PASSWORD = "un mot de passe assez long"
NAME = r"[A-ZÉ]\w*"
SLOTS = {
    "person": NAME,
    "company": NAME,
    "group": NAME,
    "who": rf"{NAME}|the operator",
    "people": rf"{NAME}(?:(?:, | and ){NAME})*|nobody",
    "companies": rf"{NAME}(?:(?:, | and ){NAME})*|nobody",
    "service": r"[a-z_]+",
    "point": r"P\d+",
    "points": r"P\d+(?:, P\d+)*|nothing|all points|no point",
    "role": r"an administrator|a user",
    "number": r"[\w-]+",
    "day": r"\d{4}-\d\d-\d\d",
}
"""What a slot of a sentence takes; any other takes whatever comes, up to what follows."""

Step = Callable[..., None]
STEPS: list[tuple[re.Pattern[str], Step]] = []


def step(pattern: str) -> Callable[[Step], Step]:
    """The sentence that a method of `Story` understands, with slots between braces."""
    named = re.sub(r"\{(\w+)\}", lambda slot: f"(?P<{slot[1]}>{SLOTS.get(slot[1], '.+?')})", pattern)

    def register(method: Step) -> Step:
        STEPS.append((re.compile(f"^{named}$"), method))
        return method

    return register


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_story(world: World, path: Path) -> None:
    story = Story(world, world.now)
    checks = 0
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        sentence = line.strip()
        if not sentence or sentence.startswith("#"):
            continue
        sentence, _, refusal = sentence.partition(" -> ")
        kind, _, rest = sentence.partition(" ")
        assert kind in ("Given", "When", "Then", "And"), f"{path.name}:{number}: {line}"
        story.tell(f"{path.name}:{number}: {line}", rest, refusal)
        checks += kind == "Then" or bool(refusal)
    assert checks, "a story checks something"


@dataclass
class Story:
    world: World
    now: datetime
    points: dict[str, str] = field(default_factory=dict)
    numbers: count = field(default_factory=lambda: count(1))
    tokens: dict[str, list[str]] = field(default_factory=dict)

    def tell(self, where: str, sentence: str, refusal: str) -> None:
        understood = [(method, found) for pattern, method in STEPS if (found := pattern.match(sentence))]
        assert len(understood) == 1, f"{where}: understood in {len(understood)} ways"
        [(method, found)] = understood
        said = found.groupdict()
        if not refusal:
            try:
                method(self, **said)
            except AssertionError as error:
                raise AssertionError(f"{where}: {error}") from None
            return
        with pytest.raises(GridgateError) as caught:
            method(self, **said)
        names = {kind.__name__ for kind in type(caught.value).__mro__}
        assert refusal in names, f"{where}: {caught.value!r}"

    # --- Facts

    @step(r"{company} is a company")
    def register(self, company: str) -> None:
        make_organisation(company, a_siren())

    @step(r"{company} holds {points} until {day}")
    def held_until(self, company: str, points: str, day: str) -> None:
        for name in listed(points):
            self._hold(name, company, date.fromisoformat(day))

    @step(r"{company} holds {points}")
    def holds(self, company: str, points: str) -> None:
        for name in listed(points):
            self._hold(name, company, None)

    @step(r"{company} is declared {roles}")
    def is_declared(self, company: str, roles: str) -> None:
        organisation = self.company(company)
        update_organisation(
            organisation=organisation,
            legal_name=organisation.legal_name,
            contact_email=organisation.contact_email,
            contact_url="",
            roles=[] if roles == "nothing" else [role.replace(" ", "_") for role in listed(roles)],
            email_domains=(),
            actor=self.world.operateur,
            now=self.now,
        )

    @step(r"{people} (administers|administer) {company}")
    def administers(self, people: str, company: str) -> None:
        self._add(people, company, "administrator")

    @step(r"{people} (is a user|are users) of {company}")
    def are_users(self, people: str, company: str) -> None:
        self._add(people, company, "user")

    @step(r"{group} is a group of {company}: {people}")
    def is_a_group(self, group: str, company: str, people: str) -> None:
        members = [] if people == "nobody" else [self.member(name) for name in listed(people)]
        create_group(organisation=self.company(company), name=group, members=members, now=self.now)

    @step(r"{group} has {service} on {points}")
    def has(self, group: str, service: str, points: str) -> None:
        give(group=self.group(group), code=service, points=self._asked(points), now=self.now)

    @step(r"{group} has {service}")
    def has_for_the_company(self, group: str, service: str) -> None:
        give(group=self.group(group), code=service, now=self.now)

    @step(r"{company} has the contract {number} from {first} to {end}")
    def had_a_contract(self, company: str, number: str, first: str, end: str) -> None:
        record_contract(
            organisation=self.company(company),
            number=number,
            valid_from=date.fromisoformat(first),
            valid_to=date.fromisoformat(end),
            now=self.now,
        )

    @step(r"{company} has the contract {number}")
    def has_a_contract(self, company: str, number: str) -> None:
        record_contract(
            organisation=self.company(company), number=number, valid_from=date(2020, 1, 1), now=self.now
        )

    @step(r"{company} has an EIC code of type {kind}")
    def has_a_code(self, company: str, kind: str) -> None:
        EicCode.objects.create(
            code=f"17{kind}CODE{next(self.numbers):09}",
            type=kind,
            display_name=company.upper()[:16],
            long_name=company,
            organisation=self.company(company),
            source="issued",
            issued_at=self.now,
        )

    @step(r"the EIC code of {company} is deactivated")
    def code_deactivated(self, company: str) -> None:
        self.company(company).eic_codes.update(active=False, deactivated_at=self.now)

    # --- Acts

    @step(r"{who} gives {service} on {points} to {group}")
    def gives(self, who: str, service: str, points: str, group: str) -> None:
        actor, wanted = self.member(who), self._asked(points)
        give(group=self.group(group), code=service, points=wanted, actor=actor, now=self.now)

    @step(r"{who} gives {service} to {group}")
    def gives_for_the_company(self, who: str, service: str, group: str) -> None:
        give(group=self.group(group), code=service, actor=self.member(who), now=self.now)

    @step(r"{who} takes {service} from {group}")
    def withdraws(self, who: str, service: str, group: str) -> None:
        withdraw(group=self.group(group), code=service, actor=self.member(who), now=self.now)

    @step(r"{who} deletes {group}")
    def deletes(self, who: str, group: str) -> None:
        delete_group(group=self.group(group), actor=self.member(who), now=self.now)

    @step(r"{who} makes {people} the members of {group}")
    def composes(self, who: str, people: str, group: str) -> None:
        members = [] if people == "nobody" else [self.member(name) for name in listed(people)]
        set_members(group=self.group(group), members=members, actor=self.member(who), now=self.now)

    @step(r"{who} detaches {person} from {company}")
    def detaches(self, who: str, person: str, company: str) -> None:
        end_membership(membership=self.member(person, company), actor=self.member(who), now=self.now)

    @step(r"{who} makes {person} {role} of {company}")
    def sets_role(self, who: str, person: str, role: str, company: str) -> None:
        role = role.removeprefix("a ").removeprefix("an ")
        set_role(membership=self.member(person, company), role=role, actor=self.member(who), now=self.now)

    @step(r"the account of {person} is closed")
    def closes(self, person: str) -> None:
        disable_user(user=User.objects.get(email=address(person)))

    @step(r"{company} moves into {point} on {day}")
    def moves_in(self, company: str, point: str, day: str) -> None:
        on = date.fromisoformat(day)
        move_in(metering_point=self.points[point], holder=self.company(company), on=on, now=self.now)

    @step(r"{who} declares {person} first administrator of {company}")
    def declares(self, who: str, person: str, company: str) -> None:
        self._sent(
            person,
            declare_first_administrator(
                organisation=self.company(company),
                email=address(person),
                full_name=person,
                actor=self.member(who),
                now=self.now,
            ),
        )

    @step(r"{who} invites {person} to {company} as {role}")
    def invites_as(self, who: str, person: str, company: str, role: str) -> None:
        self._invite(who, person, company, role.removeprefix("an "), [])

    @step(r"{who} invites {person} to {company} into {group}")
    def invites_into(self, who: str, person: str, company: str, group: str) -> None:
        self._invite(who, person, company, "user", [self.group(group)])

    @step(r"{who} invites {person} to {company}")
    def invites(self, who: str, person: str, company: str) -> None:
        self._invite(who, person, company, "user", [])

    @step(r"{who} renews the invitation of {person}")
    def renews(self, who: str, person: str) -> None:
        invitation = self.invitation(person)
        self._sent(person, renew_invitation(invitation=invitation, actor=self.member(who), now=self.now))

    @step(r"{who} cancels the invitation of {person}")
    def cancels(self, who: str, person: str) -> None:
        cancel_invitation(invitation=self.invitation(person), actor=self.member(who), now=self.now)

    @step(r"{person} signs up")
    def signs_up(self, person: str) -> None:
        self._sent(person, sign_up(email=address(person), full_name=person, now=self.now))

    @step(r"{person} opens the first link")
    def opens_first(self, person: str) -> None:
        self._open(self.tokens[person][0])

    @step(r"{person} opens the last link")
    def opens_last(self, person: str) -> None:
        self._open(links.token_of(self.invitation(person)))

    @step(r"{days} days? pass")
    def pass_days(self, days: str) -> None:
        """The worker does its round every day."""
        for _ in range(int(days)):
            self.now += timedelta(days=1)
            follow_invitations(now=self.now)

    # --- Checks

    @step(r"{people} (uses|use) {service} on {points}")
    def uses_on(self, people: str, service: str, points: str) -> None:
        for name in listed(people):
            member = self.member(name)
            seen = points_readable_by(actor=member, service=service, today=self.now.date()).values_list(
                "pk", flat=True
            )
            named = {label for label, point in self.points.items() if point in set(seen)}
            wanted = set() if points == "nothing" else set(listed(points))
            assert named == wanted, f"{name} sees {', '.join(sorted(named)) or 'nothing'}"
            for label, point in self.points.items():
                answer = rights.explain(member=member, service=service, point=point)
                assert answer.allowed is (label in wanted), f"{name} on {label}: {answer}"

    @step(r"{people} (uses|use) {service}: {why}")
    def uses(self, people: str, service: str, why: str) -> None:
        for name in listed(people):
            assert self._why(name, service, None) == (True, why), self._why(name, service, None)

    @step(r"{people} may not use {service} on {point}: {why}")
    def may_not_on(self, people: str, service: str, point: str, why: str) -> None:
        for name in listed(people):
            said = self._why(name, service, self.points[point])
            assert said == (False, why), said

    @step(r"{people} may not use {service}: {why}")
    def may_not(self, people: str, service: str, why: str) -> None:
        for name in listed(people):
            assert self._why(name, service, None) == (False, why), self._why(name, service, None)
            assert not self.member(name).has(service)

    @step(r"{person} acts for {companies}")
    def acts_for(self, person: str, companies: str) -> None:
        present = Membership.objects.filter(user__email=address(person), ended_at=None)
        names = set(present.values_list("organisation__legal_name", flat=True))
        assert names == (set() if companies == "nobody" else set(listed(companies))), names

    @step(r"{person} administers {company} now")
    def administers_now(self, person: str, company: str) -> None:
        assert self.member(person, company).is_administrator

    @step(r"the invitation of {person} is {state}")
    def invitation_is(self, person: str, state: str) -> None:
        assert self.invitation(person).state(self.now) == state, self.invitation(person).state(self.now)

    @step(r"{person} has received {number} links?")
    def has_received(self, person: str, number: str) -> None:
        letters = OutgoingEmail.objects.filter(recipient=address(person)).exclude(secret="")
        assert letters.count() == int(number), letters.count()

    @step(r"{person} has an account")
    def has_account(self, person: str) -> None:
        assert User.objects.filter(email=address(person), is_active=True).exists()

    @step(r"{person} has no account")
    def has_no_account(self, person: str) -> None:
        assert not User.objects.filter(email=address(person)).exists()

    @step(r"the history of {company} says {action} of {subject} by {who}")
    def history_says(self, company: str, action: str, subject: str, who: str) -> None:
        events = AuditEvent.objects.filter(organisation=self.company(company).pk, action=action)
        label = address(subject) if "." not in subject and subject[0].isupper() else subject
        said = {(event.subject_label, event.user_name or "the portal") for event in events}
        assert (label, who) in said or (subject, who) in said, said

    # --- What the sentences name

    def company(self, name: str) -> Organisation:
        return Organisation.objects.get(legal_name={"ACME": "ACME Industries"}.get(name, name))

    def member(self, name: str, company: str = "") -> Membership:
        if name == "the operator":
            return self.world.membership("operateur")
        rows = Membership.objects.filter(user__email=address(name)).select_related("user", "organisation")
        if company:
            rows = rows.filter(organisation=self.company(company))
        row = rows.order_by(F("ended_at").desc(nulls_first=True), "-pk").first()
        assert row is not None, f"{name} acts for nobody"
        return row

    def group(self, name: str) -> UserGroup:
        return UserGroup.objects.select_related("organisation").filter(name=name).latest("pk")

    def invitation(self, person: str) -> Invitation:
        return Invitation.objects.filter(email=address(person)).latest("pk")

    def _hold(self, name: str, company: str, until: date | None) -> None:
        if name not in self.points:
            self.points[name] = make_point(label=name).pk
        open_holding(
            metering_point=self.points[name],
            holder=self.company(company),
            valid_from=date(2020, 1, 1),
            valid_to=until,
            now=self.now,
        )

    def _add(self, people: str, company: str, role: str) -> None:
        for name in listed(people):
            add_member(
                organisation=self.company(company),
                email=address(name),
                full_name=name,
                role=role,
                now=self.now,
            )

    def _invite(self, who: str, person: str, company: str, role: str, groups: list[UserGroup]) -> None:
        invitation = invite(
            organisation=self.company(company),
            email=address(person),
            full_name=person,
            role=role,
            groups=groups,
            actor=self.member(who),
            now=self.now,
        )
        self._sent(person, invitation)

    def _sent(self, person: str, invitation: Invitation) -> None:
        self.tokens.setdefault(person, []).append(links.token_of(invitation))

    def _open(self, token: str) -> None:
        invitation = open_invitation(token, self.now)
        known = User.objects.filter(email=invitation.email).first()
        terms = None
        with suppress(GeneralTerms.DoesNotExist):
            terms = GeneralTerms.objects.latest("published_at")
        accept_invitation(
            invitation=invitation,
            password=None if known else PASSWORD,
            user=known,
            accepted_terms=terms,
            now=self.now,
        )

    def _asked(self, points: str) -> list[str] | None:
        if points == "all points":
            return None
        return [] if points == "no point" else [self.points[name] for name in listed(points)]

    def _why(self, name: str, service: str, point: str | None) -> tuple[bool, str]:
        answer = rights.explain(member=self.member(name), service=service, point=point)
        groups = f" ({', '.join(answer.groups)})" if answer.groups else ""
        return answer.allowed, f"{answer.why.value.replace('_', ' ')}{groups}"


def listed(names: str) -> list[str]:
    return re.split(r", | and ", names)


def address(name: str) -> str:
    return f"{name.lower()}@personne.example"
