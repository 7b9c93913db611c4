"""Seeding the demo world, step by step, through the same operations that people and programs use."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import count
from pathlib import Path
from random import Random, SystemRandom
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

import numpy as np
from django.db.models import Model
from django.urls import reverse
from numpy.typing import NDArray

from gridgate.applications.operations import create_application
from gridgate.core import references
from gridgate.core.quantities import Kind, Quality
from gridgate.dataplane.accesslog import AccessEntry, AccessLog
from gridgate.dataplane.store import open_store
from gridgate.dataplane.store.port import DayBlock, MeasurementStore, Source
from gridgate.dataplane.store.quarantine import Quarantined
from gridgate.demo import cast, curves
from gridgate.demo.access_history import access_history
from gridgate.demo.questionnaires import seed_questionnaires
from gridgate.demo.services import create_services
from gridgate.metering.models import MeteringPoint
from gridgate.metering.operations import create_point, open_holding, set_collection
from gridgate.organisations.eic_codes import code_of
from gridgate.organisations.eic_queries import organisation_eic_code
from gridgate.organisations.models import EicRequest, Membership, Organisation, User
from gridgate.organisations.operations import (
    EIC,
    EicAsked,
    accept_invitation,
    accept_terms,
    add_eic_code,
    add_favourite,
    add_member,
    begin_eic_request,
    create_group,
    create_organisation,
    declare_first_administrator,
    give,
    import_eic_codes,
    record_contract,
    sign_up,
    submit_eic_request,
)
from gridgate.organisations.operations.eic import codes_to_compare
from gridgate.organisations.operations.requests import return_request
from gridgate.organisations.security.policy import set_policy
from gridgate.organisations.terms import terms_in_force
from gridgate.sharing.models import DataService, Permission, PermissionRequest
from gridgate.sharing.operations.ending import revoke_permission
from gridgate.sharing.operations.granting import grant, subscribe
from gridgate.sharing.operations.requesting import request_permission
from gridgate.sharing.receipts.completing import complete

YEARS = 2
DAILY_DELIVERIES = 30
"""The last days arrive one by one, as from a real head-end, so that `as_of` has something to tell."""

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
        self.services: dict[str, DataService] = {}
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
            _accept_terms(self.members[person.key], start)

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
        company, said = self.organisations[name], cast.REGISTERED[name]
        contract = "Accès aux données" if "third_party" in said.roles else "Accès au réseau"
        record_contract(
            organisation=company, number=said.contract, label=contract, valid_from=now.date(), now=now
        )
        add_eic_code(
            code=code_of("17", "X", said.eic).code,
            display_name=said.eic.rstrip("-"),
            long_name=name,
            organisation=company,
            actor=None,
            now=now,
        )

    def _requests(self) -> None:
        """Of the requests for a code one waits for the company, one of a company and one of a person for the operator."""
        columns = ("code", "display_name", "long_name")
        published = [dict(zip(columns, one, strict=True)) for one in cast.OTHER_OFFICES]
        import_eic_codes(enumerate(published, 2), name="X_eicCodes.csv", now=self.at(365 * 3))
        alice, charlie, operator = (self.members[key] for key in ("alice", "charlie", "operateur"))
        own_code = organisation_eic_code(alice.organisation)
        contact = {"contact_name": "Alice", "contact_email": alice.user.email}
        self._ask_for_code(
            alice,
            EicAsked(
                type="W",
                display_name="ACME-LYON-PV",
                long_name="ACME Lyon Gerland, toiture solaire",
                responsible_party=own_code.pk if own_code else "",
                justification="Déclarer la production de la toiture.",
                details=contact,
            ),
            self.at(1, 15, 20),
        )
        asked = self._ask_for_code(
            charlie,
            EicAsked(
                type="V",
                display_name="CLIENT-B-RENNES",
                long_name="Client B, échanges de messages",
                justification="Recevoir nos courbes par messages.",
                details={
                    "address": "Rennes",
                    "contact_name": "Charlie",
                    "contact_email": charlie.user.email,
                },
            ),
            self.at(4, 10, 45),
        )
        return_request(
            EIC,
            asked,
            reason="Donnez l’adresse complète du site où le système est exploité.",
            actor=operator,
            now=self.at(3, 14, 10),
        )
        self._ask_for_code(
            None,
            EicAsked(
                type="X",
                display_name="VISITEUR",
                long_name="Visiteur, production solaire",
                justification="Vendre la production d’une toiture sur le marché.",
                details={
                    "functions": ["producer"],
                    "address": "Nantes",
                    "contact_name": cast.VISITOR.name,
                    "contact_email": cast.VISITOR.email,
                },
            ),
            self.at(2, 17, 40),
        )

    def _questionnaires(self) -> None:
        seed_questionnaires(self.members, today=self.today, at=self.at)

    def _ask_for_code(self, member: Membership | None, asked: EicAsked, now: datetime) -> EicRequest:
        user = self.visitor if member is None else member.user
        draft = begin_eic_request(asked=asked, user=user, actor=member, now=now)
        compared = [one.pk for one in codes_to_compare(asked, user=user, actor=member)]
        return submit_eic_request(request=draft, compared=compared, user=user, actor=member, now=now)

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
            set_collection(actor=None, points=points, state=state, now=self.at(365 * YEARS + 30))

    def _sharing(self) -> None:
        with _same_ids(Permission, PermissionRequest):
            self._share()

    def _share(self) -> None:
        self.services = create_services(self.organisations)
        alice = self.members["alice"]
        for name in (cast.ACME[0], cast.CLIENT_B[0], cast.CLIENT_C[0]):
            grant(
                service=self.services["releve-et-facturation"],
                holder=self.organisations[name],
                points=None,
                reason="Mission de service public",
                now=self.at(365 * YEARS),
            )
        past = subscribe(
            actor=alice,
            service=self.services["tiers3-autoconsommation"],
            points=list(cast.TIERS_3_POINTS[:3]),
            valid_until=self.at(200, 0),
            now=self.at(400),
        )
        ended = self.at(260, 16, 42)
        complete(revoke_permission(actor=alice, permission_id=past.pk, now=ended), now=ended)
        subscribe(
            actor=alice,
            service=self.services["tiers1-suivi"],
            points=list(cast.TIERS_1_POINTS),
            valid_until=self.at(-470, 0),
            now=self.at(258),
        )
        subscribe(
            actor=alice,
            service=self.services["tiers2-effacement"],
            points=list(cast.TIERS_2_POINTS),
            valid_until=self.at(-281, 0),
            now=self.at(84),
        )
        subscribe(
            actor=alice,
            service=self.services["tiers3-audit"],
            points=list(cast.TIERS_3_POINTS),
            valid_until=self.at(-23, 0),
            now=self.at(342),
        )
        subscribe(
            actor=self.members["charlie"],
            service=self.services["tiers1-suivi"],
            points=None,
            valid_until=self.at(-120, 0),
            now=self.at(245),
        )
        tiers_3 = add_member(
            organisation=self.organisations["Tiers 3"],
            email=f"tiers3@{cast.host_of('Tiers 3')}",
            full_name="Tiers 3, développement",
            role="administrator",
            password=cast.PASSWORD,
            now=self.at(342),
        )
        _accept_terms(tiers_3, self.at(342))
        request_permission(
            requester=tiers_3,
            service=self.services["tiers3-autoconsommation"],
            holder=self.organisations[cast.ACME[0]],
            points=list(cast.TIERS_3_POINTS[:5]),
            valid_until=self.at(-180, 0),
            message="Pour chiffrer une toiture solaire sur le site de Lyon Gerland.",
            now=self.at(2, 10, 5),
        )

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
        first, last = self.today - timedelta(days=365 * YEARS), self.today - timedelta(days=1)
        calendar = curves.Calendar.between(first, last, self.instance.zone)
        profiles = curves.Profiles(calendar)
        finer_on = self.today - timedelta(days=cast.FINER_DAYS_AGO)
        blocks = [
            block
            for point in cast.POINTS
            for direction, watts in curves.power(point, profiles).items()
            for block in curves.day_blocks(point, direction, watts, calendar, finer_on)
        ]
        flawed = next(point.id for point in cast.POINTS if point.flawed)
        _flaw(blocks, flawed, self.today)
        store = open_store(self.instance.measurements, zone=self.instance.zone)
        self._deliver(store, blocks, flawed)

    def _deliver(self, store: MeasurementStore, blocks: list[DayBlock], flawed: str) -> None:
        """Everything older in one delivery, then each day at six the next morning, then one correction."""
        recent = self.today - timedelta(days=DAILY_DELIVERIES)
        corrected = self.today - timedelta(days=cast.CORRECTED_DAYS_AGO)
        by_day: dict[date, list[DayBlock]] = {}
        for block in blocks:
            by_day.setdefault(max(block.day, recent - timedelta(days=1)), []).append(block)
        for day, of_day in sorted(by_day.items()):
            self._put(store, f"releve-{day}", of_day, self.at((self.today - day).days - 1, 6))
            if day == corrected + timedelta(days=5):
                correction = _correct(by_day, flawed, corrected, delivered=day)
                self._put(
                    store, f"correction-{corrected}", correction, self.at((self.today - day).days - 1, 7)
                )

    def _put(self, store: MeasurementStore, name: str, blocks: list[DayBlock], at: datetime) -> None:
        nothing: list[Quarantined] = []
        source = Source(name, hashlib.sha256(name.encode()).hexdigest(), "demo", int(at.timestamp() * 1000))
        store.put(blocks, source=source, quarantined=nothing, recorded_at=int(at.timestamp() * 1000))

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


@contextmanager
def _same_ids(*models: type[Model]) -> Iterator[None]:
    """Number the rows that are made meanwhile in order, so that the same world has the same ids on every run."""
    fields = [model._meta.get_field("id") for model in models]
    for field in fields:
        numbers = count(1)
        label = field.model.__name__

        def numbered(label: str = label, numbers: Iterator[int] = numbers) -> UUID:
            return uuid5(NAMESPACE_URL, f"gridgate demo {label} {next(numbers)}")

        vars(field)["_get_default"] = numbered  # in front of Django's cached property of that name
    try:
        yield
    finally:
        for field in fields:
            del vars(field)["_get_default"]


def _flaw(blocks: list[DayBlock], point: str, today: date) -> None:
    """Give one curve a gap of five hours and an estimated day."""
    gap, estimated = (
        today - timedelta(days=cast.GAP_DAYS_AGO),
        today - timedelta(days=cast.ESTIMATED_DAYS_AGO),
    )
    for block in blocks:
        if block.key.metering_point != point or block.key.kind is not Kind.LOAD_CURVE:
            continue
        if block.day == gap:
            missing = slice(12, 42)
            block.quality[missing], block.values[missing] = Quality.MISSING, 0
        elif block.day == estimated:
            block.quality[:] = Quality.ESTIMATED


def _correct(by_day: dict[date, list[DayBlock]], point: str, day: date, *, delivered: date) -> list[DayBlock]:
    """The day as the meter was found to have under-counted it: every value 4 % higher, to whole watt-hours, its energy
    and maximum with it, and each index from then on by what was not counted. What was not `delivered` yet is mended
    where it is.
    """
    corrected, of_day = [], {b.key.kind: b for b in by_day[day] if b.key.metering_point == point}
    curve, energy, highest = (
        of_day[kind] for kind in (Kind.LOAD_CURVE, Kind.DAILY_ENERGY, Kind.MAXIMUM_POWER)
    )
    values = (np.rint(curve.values * 1.04 / 6) * 6).astype(np.int64)
    energy_wh = values.sum(keepdims=True) * curve.key.resolution.seconds // 3600
    for block, mended in ((curve, values), (energy, energy_wh), (highest, np.rint(highest.values * 1.04))):
        corrected.append(_corrected(block, mended))
    uncounted = energy_wh - energy.values
    for block in (block for blocks in by_day.values() for block in blocks):
        if (block.key.metering_point, block.key.kind) == (point, Kind.REGISTER_READING) and block.day > day:
            if block.day <= delivered:
                corrected.append(_corrected(block, block.values + uncounted))
            else:
                block.values[:] += uncounted
    return corrected


def _corrected(block: DayBlock, values: NDArray[np.number]) -> DayBlock:
    quality = np.full(len(values), Quality.CORRECTED, dtype=np.uint8)
    return replace(block, values=values.astype(np.int64), quality=quality)


def _accept_terms(member: Membership, now: datetime) -> None:
    """As when they opened the link of their invitation: the demo's people are not asked at their first sign-in."""
    terms = terms_in_force(now=now)
    if terms is not None:
        accept_terms(user=member.user, terms=terms, organisation=member.organisation, now=now)
