"""Entries of the access log, as the worker folds them into the registry."""

from datetime import datetime, timedelta
from itertools import count

from gridgate.audit.models import AccessLogEntry, AccessLogSegment
from gridgate.core.quantities import FlowDirection, Kind
from gridgate.metering.models import MeteringPoint
from gridgate.organisations.models import Organisation
from gridgate.sharing.models import Permission

_next_line = count(1)


def make_reads(
    reader: Organisation,
    point: MeteringPoint,
    holder: Organisation,
    *,
    at: datetime,
    times: int = 1,
    outcome: str = "granted",
    permission: Permission | None = None,
    kind: Kind = Kind.LOAD_CURVE,
    channel: str = "api:enedis",
) -> list[AccessLogEntry]:
    """`times` reads (or refusals) of a point, one a second from `at` on."""
    segment, _ = AccessLogSegment.objects.get_or_create(name="2026-11-25-test.jsonl")
    return AccessLogEntry.objects.bulk_create(
        AccessLogEntry(
            segment=segment,
            line=next(_next_line),
            at=at + timedelta(seconds=number),
            channel=channel,
            outcome=outcome,
            holder=holder.pk,
            reader=reader.pk,
            reader_name=reader.legal_name,
            application="tiers1" if channel.startswith("api") else "",
            permission=str(permission.pk) if permission else "",
            basis="permission" if permission else "title",
            metering_point_id=point.pk,
            kind=kind,
            direction=FlowDirection.WITHDRAWAL,
            start=at - timedelta(days=7),
            end=at,
            values=336 if outcome == "granted" else 0,
        )
        for number in range(times)
    )
