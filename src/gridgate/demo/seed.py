"""Seeding the demo world, step by step, through the same operations that people and programs use."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random, SystemRandom
from zoneinfo import ZoneInfo

from django.urls import reverse

from gridgate.accounts.operations.own_account import add_favourite
from gridgate.accounts.security.policy import set_policy
from gridgate.applications.operations import create_application
from gridgate.core import references
from gridgate.dataplane.accesslog import AccessEntry, AccessLog
from gridgate.demo import cast
from gridgate.demo.access_history import access_history
from gridgate.demo.measurements import seed_measurements
from gridgate.demo.questionnaires import seed_questionnaires
from gridgate.demo.requests import seed_requests
from gridgate.demo.sharing import seed_sharing
from gridgate.demo.terms import accept_terms_in_force
from gridgate.eic.codes import code_of
from gridgate.eic.operations.register import add_eic_code
from gridgate.metering.models import MeteringPoint
from gridgate.metering.operations.collections import set_collection
from gridgate.metering.operations.points import create_point
from gridgate.metering.operations.titles import open_holding
from gridgate.onboarding.operations.invitations import declare_first_administrator
from gridgate.onboarding.operations.joining import accept_invitation
from gridgate.onboarding.operations.sign_ups import sign_up
from gridgate.onboarding.terms import terms_in_force
from gridgate.organisations.models import Membership, Organisation, User
from gridgate.organisations.operations.companies import create_organisation, record_contract
from gridgate.organisations.operations.groups import create_group
from gridgate.organisations.operations.members import add_member
from gridgate.organisations.operations.services import give
from gridgate.sharing.models import Permission

Step = tuple[str, Callable[[], None]]


@dataclass(slots=True)
class Instance:
    """Where the world is seeded."""

    registry: Path
    measurements: Path
    access_log: Path
    zone: ZoneInfo
    base_url: str


class World:
    """The demo world of a civil day; `steps()` seeds it."""

    def __init__(self, instance: Instance, today: date) -> None:
        self.instance = instance
        self.today = today
        self.organisations: dict[str, Organisation] = {}
        self.members: dict[str, Membership] = {}
        self.visitor: User
        self.applications: dict[str, dict[str, str]] = {}

    def at(self, days_ago: int, hour: int = 9, minute: int = 0) -> datetime:
        """That hour of the local day so many days before the world's today."""
        return datetime.combine(self.today - timedelta(days=days_ago), time(hour, minute), self.instance.zone)

    def steps(self) -> Iterator[Step]:
        with _same_references(self.today):
            yield "companies and people", self._people
            yield "metering points and titles", self._points
            yield "data services and permissions", self._sharing
            yield "applications", self._applications
            yield "requests to the operator", self._requests
            yield "questionnaires", self._questionnaires
            yield "two years of measurements", self._measurements
            yield "thirty days of reads", self._reads
            yield "demo.json", self._describe

    def _people(self) -> None:
        start = self.at(365 * 3)
        operator = Organisation.objects.get(is_operator=True)
        self.organisations[operator.legal_name] = operator
        # One click, as the demo promises: an instance made by `gridgate init` asks a code first (docs/adr/0011).
        set_policy(
            strong_for_operator=False,
            strong_for_administrators=False,
            strong_for_users=False,
            step_up_acts=(),
            now=start,
        )
        for name, siren in (cast.ACME, cast.CLIENT_B, cast.CLIENT_C, *cast.TIERS):
            self.organisations[name] = create_organisation(
                legal_name=name,
                siren=siren,
                roles=cast.REGISTERED[name].roles,
                contact_email=f"contact@{cast.host_of(name)}",
                email_domains=[cast.host_of(name)],
                now=start,
            )
            self._register(name, start)
        for person in cast.PEOPLE:
            self.members[person.key] = add_member(
                organisation=self.organisations[person.organisation],
                email=person.email,
                full_name=person.name,
                role=person.role,
                password=cast.PASSWORD,
                now=start,
            )
            accept_terms_in_force(self.members[person.key], start)

        for group in cast.GROUPS:
            made = create_group(
                organisation=self.organisations[group.organisation],
                name=group.name,
                members=[self.members[key] for key in group.members],
                now=start,
            )
            for code, points in group.services.items():
                give(group=made, code=code, points=points, now=start)
        self._come_aboard()

    def _come_aboard(self) -> None:
        """One person has just signed up, for no company; one company's first administrator has a link to open."""
        visitor, signed_up = cast.VISITOR, self.at(8, 18, 12)
        link = sign_up(email=visitor.email, full_name=visitor.name, now=signed_up)
        self.visitor = accept_invitation(
            invitation=link,
            password=cast.PASSWORD,
            accepted_terms=terms_in_force(now=signed_up),
            now=self.at(8, 18, 20),
        ).user
        for page, label in (("eic_requests", "Codes EIC"), ("kyc", "Questionnaire client")):
            add_favourite(
                user=self.visitor, membership=None, path=reverse(page), label=label, now=self.at(8, 18, 31)
            )
        declared = cast.FIRST_ADMINISTRATOR
        declare_first_administrator(
            organisation=self.organisations[declared.organisation],
            email=declared.email,
            full_name=declared.name,
            actor=self.members["operateur"],
            now=self.at(1, 11, 5),
        )

    def _register(self, name: str, now: datetime) -> None:
        """A company's contract and its own EIC code: without both, it would have no first administrator."""
        company, registered = self.organisations[name], cast.REGISTERED[name]
        contract = "Accès aux données" if "third_party" in registered.roles else "Accès au réseau"
        record_contract(
            organisation=company, number=registered.contract, label=contract, valid_from=now.date(), now=now
        )
        add_eic_code(
            code=code_of("17", "X", registered.eic).code,
            display_name=registered.eic.rstrip("-"),
            long_name=name,
            organisation=company,
            actor=None,
            now=now,
        )

    def _requests(self) -> None:
        seed_requests(self.members, self.visitor, at=self.at)

    def _questionnaires(self) -> None:
        seed_questionnaires(self.members, today=self.today, at=self.at)

    def _points(self) -> None:
        for point in cast.POINTS:
            create_point(
                id=point.id,
                segment=point.segment,
                directions=point.directions,
                label=point.label,
                address=point.street,
                postcode=point.postcode,
                city=point.city,
                subscribed_power_kva=point.kva,
                meter_type="AMM" if point.segment in ("C5", "P4") else "PMEI",
                activated_on=point.activated_on,
                valid_from=point.activated_on,
                now=self.at(365 * 3),
            )
            open_holding(
                metering_point=point.id,
                holder=self.organisations[point.holder],
                valid_from=point.activated_on,
                now=self.at(365 * 3),
            )
        for state in ("active", "opposed"):
            points = [point.id for point in cast.POINTS if point.collection == state]
            set_collection(actor=None, points=points, state=state, now=self.at(365 * cast.YEARS + 30))

    def _sharing(self) -> None:
        seed_sharing(self.organisations, self.members, at=self.at)

    def _applications(self) -> None:
        for key, name, organisation in (
            ("tiers1", "Suivi Tiers 1", "Tiers 1"),
            ("tiers2", "Pilotage Tiers 2", "Tiers 2"),
            ("acme", "Supervision ACME", cast.ACME[0]),
        ):
            created = create_application(
                organisation=self.organisations[organisation],
                name=name,
                redirect_uri=f"http://127.0.0.1:8765/{key}/retour",
                client_id=f"demo-{key}",
                secret=hashlib.sha256(f"gridgate demo {key}".encode()).hexdigest(),
                now=self.at(300),
            )
            self.applications[key] = {
                "client_id": created.application.client_id,
                "client_secret": created.secret,
                "organisation": organisation,
                "redirect_uri": created.application.redirect_uri,
            }

    def _measurements(self) -> None:
        instance = self.instance
        seed_measurements(instance.measurements, instance.zone, today=self.today, at=self.at)

    def _reads(self) -> None:
        log = AccessLog(self.instance.access_log, "demo")
        permissions = list(
            Permission.objects.filter(state="active")
            .select_related("eligible_party", "service")
            .prefetch_related("points")
        )
        held: dict[int, list[str]] = {}
        for point, holder in MeteringPoint.objects.values_list("id", "holdings__holder_id").order_by("id"):
            held.setdefault(holder, []).append(point)
        clients = {values["organisation"]: values["client_id"] for values in self.applications.values()}
        entries = sorted(access_history(permissions, held, clients, self.at), key=lambda entry: entry.at)
        by_day: dict[date, list[AccessEntry]] = {}
        for entry in entries:
            by_day.setdefault(entry.at.date(), []).append(entry)
        for of_day in by_day.values():
            log.append(*of_day)
        log.close()

    def _describe(self) -> None:
        """Write `demo.json` (DESIGN §6), readable by its owner only: it holds secrets, if public ones."""
        described = {
            "base_url": self.instance.base_url,
            "users": {
                person.key: {
                    "email": person.email,
                    "password": cast.PASSWORD,
                    "organisation": person.organisation,
                    "role": person.role,
                }
                for person in (*cast.PEOPLE, cast.VISITOR)
            },
            "applications": self.applications,
            "metering_points": {
                point.id: {
                    "holder": point.holder,
                    "segment": point.segment,
                    "directions": [direction.value for direction in point.directions],
                }
                for point in cast.POINTS
            },
            "today": self.today.isoformat(),
        }
        path = self.instance.registry.with_name("demo.json")
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(described, file, ensure_ascii=False, indent=2)


@contextmanager
def _same_references(day: date) -> Iterator[None]:
    """Draw the numbers of requests and receipts alike on every run of the same day."""
    references.source = Random(f"gridgate demo {day}")  # noqa: S311  a world to look at, the same for everyone
    try:
        yield
    finally:
        references.source = SystemRandom()
