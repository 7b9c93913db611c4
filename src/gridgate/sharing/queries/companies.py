"""Which companies read the points of the actor's company: one summary each, by permission or by law."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q

from gridgate.audit.queries.reads import last_read_by, reads_in
from gridgate.core.sharing import PermissionState
from gridgate.metering.models import TitleHolding
from gridgate.metering.queries.points import Points, points_readable_by
from gridgate.metering.queries.titles import held_on
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership, Organisation
from gridgate.organisations.reach import within
from gridgate.sharing.models import DataService, Permission, PermissionPoint
from gridgate.sharing.queries.permissions import in_force, permissions_given
from gridgate.sharing.queries.reach import entitled, readable_one, said
from gridgate.sharing.queries.services import regulatory


def reading_company(*, actor: Membership, siren: str) -> Organisation:
    """A company that reads, or has read, by permission of the actor's company or by law, or `NotReadable`."""
    given = permissions_given(actor=actor).values("eligible_party")
    known = Q(pk__in=given)
    if entitled(actor):
        known |= Q(pk__in=regulatory().exclude(provider=actor.organisation_id).values("provider"))
    return readable_one(Organisation.objects.filter(known, siren=siren), "company")


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
    reads = reads_in(actor=actor, days=days, but=[actor.organisation_id])
    last_read = last_read_by(actor=actor) if days or last_reads else {}

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
    by_point = {point: [share for share in shares if share.all_points] for point in points}
    named = PermissionPoint.objects.filter(permission__in=list(by_permission), metering_point__in=points)
    for permission_id, point in named.order_by("permission__service__name").values_list(
        "permission_id", "metering_point_id"
    ):
        by_point[point].append(by_permission[permission_id])
    return by_point


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


def _regulatory_services(
    actor: Membership, permissions: Sequence[Permission], company: Organisation | None
) -> list[DataService]:
    """The operator's services that rest on the law, cover every point, and are told by no permission."""
    if not entitled(actor) or (company is not None and not company.is_operator):
        return []
    told = {permission.service_id for permission in permissions}
    services = regulatory().exclude(provider=actor.organisation_id).exclude(pk__in=told)
    return list(services.order_by("name", "pk"))


def _count_held(actor: Membership, today: date) -> int:
    return TitleHolding.objects.filter(held_on(today), holder=actor.organisation_id).count()
