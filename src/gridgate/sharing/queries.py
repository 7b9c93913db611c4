"""Reading what is shared: permissions, requests, receipts and services, always from what the actor may see.

The holder's side is for its members who have the entitlement *Gestion des services de données*. A restricted
member sees what touches their perimeter; each row then says in `exceeds` whether it also covers points
outside, and such a row is not theirs to end. What the actor may not see is `NotReadable`, the same as absent.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    Min,
    Model,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.expressions import Combinable

from gridgate.audit import queries as audit
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.sharing import LegalBasis, PermissionState
from gridgate.metering.models import TitleHolding
from gridgate.metering.queries import Points, held_on, points_readable_by
from gridgate.organisations.beneficiaries import names_none, names_one
from gridgate.organisations.folding import company_named_like
from gridgate.organisations.models import EntitlementCode, Membership, Organisation
from gridgate.organisations.rights import perimeter_of, points_reached_now, within
from gridgate.sharing.history import points_left
from gridgate.sharing.models import (
    DataService,
    Permission,
    PermissionEvent,
    PermissionPoint,
    PermissionRequest,
    PointLeft,
    Receipt,
)

IN_FORCE = (PermissionState.ACTIVE, PermissionState.SUSPENDED)
ENDED = tuple(state for state in PermissionState if state.ended)
WAITING = (PermissionState.REQUESTED, PermissionState.VALIDATED)

Row = TypeVar("Row", bound=Model)


class NotReadable(GridgateError):
    """Absent, or not readable by this actor."""

    def __init__(self, what: str) -> None:
        super().__init__(ErrorKind.NOT_FOUND, f"no {what}")


# --- Permissions ------------------------------------------------------------------------------------------


def permissions_given(*, actor: Membership) -> QuerySet[Permission]:
    """What the actor's company has permitted, whatever became of it."""
    if not _entitled(actor):
        return Permission.objects.none()
    given = Permission.objects.filter(holder=actor.organisation_id).select_related(
        "service__provider", "eligible_party"
    )
    return _within_reach(given, _NAMED, actor)


def permissions_received(*, actor: Membership) -> QuerySet[Permission]:
    """What the actor's company has been permitted by others."""
    if not _entitled(actor):
        return Permission.objects.none()
    received = Permission.objects.filter(eligible_party=actor.organisation_id).select_related(
        "service", "holder"
    )
    return _within_reach(received, _NAMED, actor)


def in_force(permissions: QuerySet[Permission], *, now: datetime) -> QuerySet[Permission]:
    """Those that have not ended: active, or suspended. One whose time is over has ended, told or not."""
    return permissions.filter(_lasts(now), state__in=IN_FORCE)


@dataclass(frozen=True, slots=True)
class InForce:
    """How many permissions are in force, how many of them end by a day, and when the first of them does."""

    count: int
    soon: int
    first: datetime | None


def count_in_force(permissions: QuerySet[Permission], *, soon: datetime, now: datetime) -> InForce:
    """In one statement."""
    ending = Q(valid_until__lte=soon)
    found = in_force(permissions, now=now).aggregate(
        count=Count("pk"), soon=Count("pk", filter=ending), first=Min("valid_until", filter=ending)
    )
    return InForce(**found)


def ended(permissions: QuerySet[Permission], *, now: datetime) -> QuerySet[Permission]:
    """Those that have ended, latest first, each with `ended_at`, `ended_by` (a name) and `receipt_number`.

    A receipt that also speaks of points outside the actor's perimeter is not named.
    """
    over = Q(state__in=ENDED) | (Q(state__in=IN_FORCE) & ~_lasts(now))
    last_event = PermissionEvent.objects.filter(permission=OuterRef("pk")).order_by("-sequence")
    receipt = Receipt.objects.filter(permissions=OuterRef("pk")).order_by("-issued_at", "-pk")
    return (
        permissions.filter(over)
        .annotate(
            ended_at=Case(When(state__in=IN_FORCE, then=F("valid_until")), default=F("state_at")),
            ended_by=Subquery(last_event.values("actor_name")[:1]),
            receipt_number=Case(When(_WHOLE, then=Subquery(receipt.values("number")[:1]))),
        )
        .order_by("-ended_at", "eligible_party__legal_name", "pk")
    )


def permission_given(*, actor: Membership, permission_id: UUID) -> Permission:
    """One permission of the actor's company. Raises `NotReadable`."""
    return _one(permissions_given(actor=actor).filter(pk=permission_id), "permission")


def permission_received(*, actor: Membership, permission_id: UUID) -> Permission:
    """One permission given to the actor's company. Raises `NotReadable`."""
    return _one(permissions_received(actor=actor).filter(pk=permission_id), "permission")


def reading_company(*, actor: Membership, siren: str) -> Organisation:
    """A company that reads, or has read, by permission of the actor's company or by law, or `NotReadable`."""
    given = permissions_given(actor=actor).values("eligible_party")
    known = Q(pk__in=given)
    if _entitled(actor):
        known |= Q(pk__in=_regulatory().exclude(provider=actor.organisation_id).values("provider"))
    return _one(Organisation.objects.filter(known, siren=siren), "company")


def events_of(permissions: QuerySet[Permission], *, limit: int) -> list[PermissionEvent]:
    """The last things that happened to these permissions, latest first."""
    events = PermissionEvent.objects.filter(permission__in=permissions.values("pk"))
    return list(events.select_related("permission__service").order_by("-at", "-sequence", "-pk")[:limit])


def points_named(events: Iterable[PermissionEvent], *, actor: Membership) -> set[str]:
    """The points that these events say their holder left, those in the actor's perimeter."""
    named = {point for event in events for point in points_left(event)}
    if not named or actor.reach(EntitlementCode.DATA_SERVICES).everything:
        return named
    return named.intersection(perimeter_of(actor, EntitlementCode.DATA_SERVICES))


def left_by_holder(permissions: Sequence[Permission], *, actor: Membership) -> dict[UUID, list[PointLeft]]:
    """The points that these permissions covered until their holder left them, the latest first, those in the actor's
    perimeter.
    """
    seen = within(actor, EntitlementCode.DATA_SERVICES, "metering_point")
    rows = PointLeft.objects.filter(seen, permission__in=permissions)
    found: dict[UUID, list[PointLeft]] = {}
    for row in rows.order_by("-left_on", "metering_point"):
        found.setdefault(row.permission_id, []).append(row)
    return found


def points_covered(permissions: QuerySet[Permission], *, actor: Membership) -> dict[UUID, tuple[int, int]]:
    """How many points each of these permissions named, those among them that their holder has left, and how many of
    them are in the actor's perimeter. A permission on all points is not there.
    """
    whole = Counter(_named_or_left(permissions, Q()))
    if actor.reach(EntitlementCode.DATA_SERVICES).everything:
        return {permission: (count, count) for permission, count in whole.items()}
    seen = Counter(
        _named_or_left(permissions, within(actor, EntitlementCode.DATA_SERVICES, "metering_point"))
    )
    return {permission: (count, seen[permission]) for permission, count in whole.items()}


def _named_or_left(permissions: QuerySet[Permission], among: Q) -> Iterator[UUID]:
    """The permission of each of these points, each point once."""
    of_these = {"permission__in": permissions.order_by().values("pk"), "permission__all_points": False}
    named, left = (
        rows.filter(among, **of_these).values_list("permission", "metering_point")
        for rows in (PermissionPoint.objects.all(), PointLeft.objects.all())
    )
    return (permission for permission, _point in named.union(left))


# --- Who reads: one summary a company ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Share:
    """One service by which a company reads: what, which points, since when, until when."""

    service: DataService
    permission: Permission | None
    """None for a regulatory service of the operator, which needs no permission."""
    points: int
    """How many points of today that the actor may see it covers."""
    exceeds: bool
    """True when it also covers points outside the actor's perimeter."""
    covered: int
    """How many points of today it covers, those outside the actor's perimeter included."""

    @property
    def says(self) -> Permission | DataService:
        return self.permission or self.service

    @property
    def all_points(self) -> bool:
        return self.permission is None or self.permission.all_points

    @property
    def since(self) -> datetime | None:
        return self.permission.valid_from if self.permission else None

    @property
    def until(self) -> datetime | None:
        return self.permission.valid_until if self.permission else None

    @property
    def terminable(self) -> bool:
        return self.permission is not None and self.permission.terminable

    @property
    def suspended(self) -> bool:
        return self.permission is not None and self.permission.state == PermissionState.SUSPENDED


@dataclass(frozen=True, slots=True)
class CompanySharing:
    """Everything by which one company reads the holder's points, and how much it reads."""

    company: Organisation
    shares: tuple[Share, ...]
    points: int
    """Points covered by at least one share, each counted once."""
    reads: tuple[int, ...]
    """One count a day (or whatever the buckets are), oldest first."""
    last_read_at: datetime | None

    @property
    def terminable(self) -> tuple[Share, ...]:
        return tuple(share for share in self.shares if share.terminable)

    @property
    def kept(self) -> tuple[Share, ...]:
        """What the holder cannot end."""
        return tuple(share for share in self.shares if not share.terminable)

    @property
    def exceeds(self) -> bool:
        """True when ending all that can be ended would reach outside the actor's perimeter."""
        return any(share.exceeds for share in self.terminable)

    @property
    def all_points(self) -> bool:
        return any(share.all_points for share in self.shares)

    @property
    def since(self) -> datetime | None:
        return min((share.since for share in self.shares if share.since), default=None)

    @property
    def ends(self) -> list[datetime]:
        """The instants at which shares end by themselves, soonest first."""
        return sorted({share.until for share in self.shares if share.until})

    @property
    def endless(self) -> bool:
        return any(share.until is None for share in self.shares)


def companies_reading(
    *,
    actor: Membership,
    now: datetime,
    today: date,
    days: Sequence[date],
    company: Organisation | None = None,
    last_reads: bool = False,
    held: int | None = None,
) -> list[CompanySharing]:
    """Who may read the points of the actor's company now, the operator first, then by name.

    `today` is the civil day on which points are held; `days` are what reads are counted by; without any, when each last
    read is found only with `last_reads`. With `company`, only that one. `held`: how many of the points held
    the actor sees, when that is known already. How many statements it takes depends on none of these numbers.
    """
    given = in_force(permissions_given(actor=actor), now=now)
    if company is not None:
        given = given.filter(eligible_party=company)
    permissions = list(given.order_by("eligible_party", "service__name", "valid_from", "pk"))
    regulatory = _regulatory_services(actor, permissions, company)
    if not permissions and not regulatory:
        return []
    points_held = points_readable_by(
        actor=actor, service=EntitlementCode.DATA_SERVICES, today=today, held=True
    )
    named = PermissionPoint.objects.filter(
        permission__in=given.values("pk"), metering_point__in=points_held.values("pk")
    )
    by_permission = dict(named.values_list("permission").annotate(count=Count("pk")))
    by_party = dict(
        named.values_list("permission__eligible_party").annotate(count=Count("metering_point", distinct=True))
    )
    all_held = points_held.count() if held is None else held
    whole = count_points([one for one in permissions if said(one, "exceeds")], today=today)
    restricted = not actor.reach(EntitlementCode.DATA_SERVICES).everything
    reads = audit.reads_in(actor=actor, days=days, but=[actor.organisation_id])
    last_read = audit.last_read_by(actor=actor) if days or last_reads else {}

    shares: dict[int, list[Share]] = {}
    for permission in permissions:
        permission.holder = actor.organisation
        points = all_held if permission.all_points else by_permission.get(permission.pk, 0)
        share = Share(
            permission.service,
            permission,
            points,
            exceeds=said(permission, "exceeds"),
            covered=whole.get(permission.pk, points),
        )
        shares.setdefault(permission.eligible_party_id, []).append(share)
    for service in regulatory if all_held else []:
        covered = _count_held(actor, today) if restricted else all_held
        share = Share(service, None, all_held, exceeds=restricted, covered=covered)
        shares.setdefault(service.provider_id, []).append(share)

    summaries = []
    parties = Organisation.objects.filter(pk__in=list(shares))
    for party in parties.order_by("-is_operator", "legal_name", "pk"):
        theirs = tuple(shares[party.pk])
        points = all_held if any(share.all_points for share in theirs) else by_party.get(party.pk, 0)
        counts = tuple(reads.get(party.pk, [0] * len(days)))
        summaries.append(CompanySharing(party, theirs, points, counts, last_read.get(party.pk)))
    return summaries


def points_shared(*, actor: Membership, shares: Iterable[Share], today: date) -> Points:
    """The points of today that at least one of the shares covers, by name."""
    shares = list(shares)
    held = points_readable_by(
        actor=actor, service=EntitlementCode.DATA_SERVICES, today=today, held=True
    ).order_by("search_text", "pk")
    if any(share.all_points for share in shares):
        return held
    named = PermissionPoint.objects.filter(permission__in=[share.permission for share in shares])
    return held.filter(pk__in=named.values("metering_point"))


def shares_of_points(shares: Sequence[Share], points: Sequence[str]) -> dict[str, list[Share]]:
    """By which of the shares each of these points is read."""
    by_permission = {
        share.permission.pk: share for share in shares if share.permission and not share.all_points
    }
    found = {point: [share for share in shares if share.all_points] for point in points}
    named = PermissionPoint.objects.filter(permission__in=list(by_permission), metering_point__in=points)
    for permission_id, point in named.order_by("permission__service__name").values_list(
        "permission_id", "metering_point_id"
    ):
        found[point].append(by_permission[permission_id])
    return found


def count_points(
    permissions: Sequence[Permission], *, today: date, actor: Membership | None = None
) -> dict[UUID, int]:
    """How many points of today's titles each permission covers; with `actor`, of those within their perimeter."""
    titles = TitleHolding.objects.filter(held_on(today))
    if actor is not None:
        titles = titles.filter(within(actor, EntitlementCode.DATA_SERVICES, "metering_point"))
    everything = [permission.holder_id for permission in permissions if permission.all_points]
    by_holder = dict(titles.filter(holder__in=everything).values_list("holder").annotate(count=Count("pk")))
    named = PermissionPoint.objects.filter(permission__in=permissions).filter(
        Exists(
            titles.filter(metering_point=OuterRef("metering_point"), holder=OuterRef("permission__holder"))
        )
    )
    by_permission = dict(named.values_list("permission").annotate(count=Count("pk")))
    return {
        permission.pk: by_holder.get(permission.holder_id, 0)
        if permission.all_points
        else by_permission.get(permission.pk, 0)
        for permission in permissions
    }


# --- Requests ---------------------------------------------------------------------------------------------


def requests_received(*, actor: Membership) -> QuerySet[PermissionRequest]:
    """What others ask, or asked, of the actor's company; each with `points_count`, the points it names, and
    `points_seen`, how many of them are within the actor's perimeter.
    """
    if not _entitled(actor):
        return PermissionRequest.objects.none()
    asked = PermissionRequest.objects.filter(holder=actor.organisation_id)
    asked = asked.select_related("service", "eligible_party").annotate(
        points_count=Count("points"),
        points_seen=Count("points", filter=within(actor, EntitlementCode.DATA_SERVICES, "points__pk")),
    )
    return _within_reach(asked, _ASKED, actor)


def requests_waiting(*, actor: Membership) -> QuerySet[PermissionRequest]:
    """Those that the actor's company has not answered yet, oldest first."""
    return requests_received(actor=actor).filter(state__in=WAITING).order_by("requested_at", "pk")


def requests_to_answer(*, actor: Membership) -> QuerySet[PermissionRequest]:
    """Those of them that the actor may answer: what also asks for points outside their perimeter is for others."""
    waiting = requests_waiting(actor=actor)
    return waiting.filter(_WHOLE) if _entitled(actor) else waiting


def count_requests_to_answer(*, actor: Membership) -> int:
    """How many they are: every page's menu asks it, and nothing else of them."""
    if not _entitled(actor):
        return 0
    waiting = PermissionRequest.objects.filter(holder=actor.organisation_id, state__in=WAITING)
    return _within_reach(waiting, _ASKED, actor).filter(_WHOLE).count()


def request_received(*, actor: Membership, request_id: UUID) -> PermissionRequest:
    """One request to the actor's company. Raises `NotReadable`."""
    return _one(requests_received(actor=actor).filter(pk=request_id), "request")


def requests_made(*, actor: Membership) -> QuerySet[PermissionRequest]:
    """What the actor's company asks, or asked, of others, latest first."""
    if not _entitled(actor):
        return PermissionRequest.objects.none()
    made = PermissionRequest.objects.filter(eligible_party=actor.organisation_id)
    return _within_reach(made.select_related("service", "holder"), _ASKED, actor).order_by(
        "-requested_at", "pk"
    )


def points_asked(request: PermissionRequest, *, actor: Membership, today: date) -> Points:
    """The points of today that a request asks for, within the actor's perimeter, by name."""
    held = points_readable_by(
        actor=actor, service=EntitlementCode.DATA_SERVICES, today=today, held=True
    ).order_by("search_text", "pk")
    return held if request.all_points else held.filter(pk__in=request.points.values("pk"))


# --- Receipts ---------------------------------------------------------------------------------------------


def receipts_readable_by(*, actor: Membership) -> QuerySet[Receipt]:
    """Receipts that concern the actor's company, latest first: as holder for the entitled, as party for all.

    A receipt lists points; a restricted member of the holder sees it when all of them are in their perimeter.
    """
    if not actor.is_present():
        return Receipt.objects.none()
    mine = Q(eligible_party=actor.organisation_id)
    if _entitled(actor):
        as_holder = Q(holder=actor.organisation_id)
        if not actor.reach(EntitlementCode.DATA_SERVICES).everything:
            spoken_of = Permission.objects.filter(receipts=OuterRef("pk"), holder=actor.organisation_id)
            whole = permissions_given(actor=actor).filter(_WHOLE).values("pk")
            as_holder &= Q(Exists(spoken_of)) & ~Q(Exists(spoken_of.exclude(pk__in=whole)))
            as_holder &= ~Q(pk__in=_receipts_of_points_left_beyond(actor))
        mine |= as_holder
    return (
        Receipt.objects.filter(mine).select_related("holder", "eligible_party").order_by("-issued_at", "-pk")
    )


def receipt(*, actor: Membership, number: str) -> Receipt:
    """One receipt. Raises `NotReadable`."""
    return _one(receipts_readable_by(actor=actor).filter(number=number), "receipt")


def receipts_matching(receipts: QuerySet[Receipt], text: str) -> QuerySet[Receipt]:
    """Those whose number or companies match what a person typed."""
    digits = "".join(text.split())
    return receipts.filter(
        Q(number__icontains=digits)
        | company_named_like(text, "holder")
        | company_named_like(text, "eligible_party")
    )


def receipt_numbered(*, number: str) -> Receipt | None:
    """A signed receipt by its number, for whoever verifies a printed one: compare fingerprints, show nothing."""
    return Receipt.objects.filter(number=number).exclude(jws="").first()


def last_receipt(*, actor: Membership, permissions: QuerySet[Permission]) -> Receipt | None:
    """The latest receipt that speaks of one of these permissions."""
    spoken_of = receipts_readable_by(actor=actor)
    return spoken_of.filter(Exists(permissions.filter(receipts=OuterRef("pk")))).first()


# --- Services ---------------------------------------------------------------------------------------------


def services_readable_by(*, actor: Membership) -> QuerySet[DataService]:
    """The catalogue: what others offer to companies with a role of the actor's, what its company has or had, what the
    operator must do.
    """
    if not _entitled(actor):
        return DataService.objects.none()
    known = permissions_given(actor=actor).values("service")
    visible = _offered_to(actor) | Q(pk__in=known) | Q(pk__in=_regulatory().values("pk"))
    return DataService.objects.filter(visible).select_related("provider").order_by("name", "pk")


def services_offered_to(*, actor: Membership) -> QuerySet[DataService]:
    """What the actor's company may subscribe to."""
    return services_readable_by(actor=actor).filter(_offered_to(actor))


def service_readable_by(*, actor: Membership, code: str) -> DataService:
    """One service of the catalogue. Raises `NotReadable`."""
    return _one(services_readable_by(actor=actor).filter(code=code), "service")


# --- Helpers ----------------------------------------------------------------------------------------------

_WHOLE = Q(("exceeds", False))
"""Rows that stay within the perimeter of `_within_reach`."""
_TERMINABLE = [basis.value for basis in LegalBasis if basis.terminable]


@dataclass(frozen=True, slots=True)
class _Names:
    """Where a kind of row keeps the points that it names."""

    rows: QuerySet[Any]
    point: str


_NAMED = _Names(PermissionPoint.objects.filter(permission=OuterRef("pk")), "metering_point_id")
_ASKED = _Names(
    PermissionRequest.points.through.objects.filter(permissionrequest=OuterRef("pk")), "meteringpoint_id"
)


def _within_reach(rows: QuerySet[Any], names: _Names, actor: Membership) -> QuerySet[Any]:
    """Keep what touches the actor's perimeter; say in `exceeds` what also covers points outside of it."""
    exceeds: Combinable | Q = Value(False)
    if not actor.reach(EntitlementCode.DATA_SERVICES).everything:
        perimeter = points_reached_now(actor, EntitlementCode.DATA_SERVICES)
        inside = {f"{names.point}__in": perimeter}
        holds_one = TitleHolding.objects.filter(holder=OuterRef("holder"), metering_point__in=perimeter)
        rows = rows.filter(Q(Exists(names.rows.filter(**inside))) | Q(Exists(holds_one), all_points=True))
        exceeds = Q(Exists(names.rows.exclude(**inside))) | Q(all_points=True)
    reached: QuerySet[Any] = rows.annotate(exceeds=ExpressionWrapper(exceeds, BooleanField()))
    return reached


def _regulatory_services(
    actor: Membership, permissions: Sequence[Permission], company: Organisation | None
) -> list[DataService]:
    """The operator's services that rest on the law, cover every point, and are told by no permission."""
    if not _entitled(actor) or (company is not None and not company.is_operator):
        return []
    told = {permission.service_id for permission in permissions}
    services = _regulatory().exclude(provider=actor.organisation_id).exclude(pk__in=told)
    return list(services.order_by("name", "pk"))


def _offered_to(actor: Membership) -> Q:
    roles = names_none() | names_one(actor.organisation.beneficiary_roles)
    return Q(offered=True) & ~Q(provider=actor.organisation_id) & roles


def _regulatory() -> QuerySet[DataService]:
    return DataService.objects.filter(provider__is_operator=True, offered=False).exclude(
        legal_basis__in=_TERMINABLE
    )


def _receipts_of_points_left_beyond(actor: Membership) -> list[int]:
    """The receipts of points that permissions have lost, outside the actor's perimeter: the permissions name them no
    more, the receipts do.
    """
    perimeter = set(perimeter_of(actor, EntitlementCode.DATA_SERVICES))
    lost = PermissionEvent.objects.filter(permission__receipts=OuterRef("pk"), details__has_key="points_lost")
    told = Receipt.objects.filter(Exists(lost), holder=actor.organisation_id)
    return [
        pk
        for pk, payload in told.order_by().values_list("pk", "payload")
        if any(
            one["points"] == "all" or not perimeter.issuperset(one["points"])
            for one in payload["permissions"]
        )
    ]


def _count_held(actor: Membership, today: date) -> int:
    return TitleHolding.objects.filter(held_on(today), holder=actor.organisation_id).count()


def _entitled(actor: Membership) -> bool:
    return actor.has(EntitlementCode.DATA_SERVICES)


def _lasts(now: datetime) -> Q:
    return Q(valid_until__isnull=True) | Q(valid_until__gt=now)


def _one(rows: QuerySet[Row], what: str) -> Row:
    row = rows.first()
    if row is None:
        raise NotReadable(what)
    return row


def said(row: Model, name: str) -> Any:
    """What a query of this module added to a row: `exceeds`, `ended_at`…"""
    return getattr(row, name)
