"""Making again what the registry has lost and the chained log still says: events of permissions, and receipts.

An event is written again as it was, so that its permission has the same history as before; when that cannot be, what it
took away is taken away anew. Nothing is given again. Call it inside a transaction.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.utils.dateparse import parse_datetime

from gridgate.core.sharing import PermissionState
from gridgate.metering.models import MeteringPoint
from gridgate.organisations.models import Organisation
from gridgate.sharing import history, signing
from gridgate.sharing.history import By, Step
from gridgate.sharing.models import (
    DataService,
    Permission,
    PermissionEvent,
    PermissionPoint,
    PermissionRequest,
    Receipt,
)
from gridgate.sharing.projection import project_permissions
from gridgate.sharing.receipts.asking import ask
from gridgate.sharing.receipts.content import Ended, Ending
from gridgate.sharing.receipts.past import act_of

_SAID_OF = ("service", "holder", "eligible_party")


def restore_events(permission_id: UUID, lost: Sequence[Mapping[str, Any]]) -> int:
    """Write the lost events of one permission again; returns how many of them hold now, as they were or in effect.

    `lost` are what `history.change_of` says of them, in their order. The log is no authority to give: what would let
    somebody read more than the registry says is left out, so that a line that was forged opens nothing.
    """
    events = [_event(permission_id, says) for says in lost]
    before = list(PermissionEvent.objects.filter(permission=permission_id).order_by("sequence"))
    follow = range(len(before) + 1, len(before) + 1 + len(events))
    if [event.sequence for event in events] == list(follow):
        permission, points = history.replay([*before, *events])
        named = points.union(*map(history.points_left, events))
        if _gives_no_more(permission, points, before) and _rests_on_rows(permission, named):
            _write(permission, points, events)
            return len(events)
    return _take_away(permission_id, events)


def restore_receipt(number: str, says: Mapping[str, Any], keys: Sequence[Ed25519PublicKey]) -> bool:
    """Write a lost receipt again, when it is one that we signed and its permissions and companies are here."""
    verdict = signing.verify(says["jws"], keys)
    if isinstance(verdict, signing.Invalid) or verdict.payload.get("number") != number:
        return False
    sides = {"holder_id": says["holder"], "eligible_party_id": says["eligible_party"]}
    permissions = [UUID(one["id"]) for one in verdict.payload["permissions"]]
    here = Organisation.objects.filter(pk__in=set(sides.values())).count() == len(set(sides.values()))
    known = Permission.objects.filter(pk__in=permissions).count() == len(permissions)
    if not here or not known:
        return False
    signed = {
        "issued_at": _instant(verdict.payload["issued_at"]),
        "payload": verdict.payload,
        "jws": says["jws"],
    }
    there = Receipt.objects.filter(number=number).first()
    if there is not None:  # awaited, in a copy from between the end and the signature
        return bool(Receipt.objects.filter(pk=there.pk, jws="", **sides).update(**signed))
    receipt = Receipt.objects.create(number=number, **signed, **sides)
    receipt.permissions.set(Permission.objects.filter(pk__in=permissions))
    return True


def ask_again(lost: Iterable[Mapping[str, Any]], *, but: Collection[str], now: datetime) -> int:
    """Ask for the receipts of ends that were made again before any had been signed; returns for how many.

    `lost` are events as in `restore_events`; `but` are numbers that the log knows a signed receipt of. What was said to
    stay beside what ended is in no event, and not said again.
    """
    numbers = {_receipt_of(says) for says in lost} - {"", *but}
    numbers -= set(Receipt.objects.filter(number__in=numbers).values_list("number", flat=True))
    events = PermissionEvent.objects.filter(details__receipt__in=sorted(numbers)).order_by("pk")
    by_number: dict[str, list[PermissionEvent]] = {}
    for event in events.select_related(*(f"permission__{name}" for name in _SAID_OF)):
        by_number.setdefault(event.details["receipt"], []).append(event)
    ended = [_ended(number, events) for number, events in by_number.items()]
    return len(ask(ended, now=now)) if ended else 0


def _receipt_of(says: Mapping[str, Any]) -> str:
    number = says["details"].get("receipt")
    return number if isinstance(number, str) else ""


def _ended(number: str, events: Sequence[PermissionEvent]) -> Ended:
    first = events[0]
    by = By(first.actor_id, first.actor_name)
    act = act_of(PermissionState(first.state))
    points = {
        event.permission_id: sorted(event.details.get("left_on", {}) or _points(event.permission))
        for event in events
        if "left_on" in event.details or not event.permission.all_points
    }
    return Ended(
        number, [event.permission for event in events], points, Ending(act, by, first.at, first.reason)
    )


def _gives_no_more(permission: Permission, points: set[str], before: Sequence[PermissionEvent]) -> bool:
    """Whether the permission, made again, lets nobody read what the registry does not let them read already."""
    if PermissionState(permission.state).ended:
        return True
    if not before:
        return False
    now, now_on = history.replay(before)
    says = history.SAYS
    same = [getattr(permission, name) for name in _columns(says)] == [
        getattr(now, name) for name in _columns(says)
    ]
    return same and points <= now_on and permission.state in (now.state, PermissionState.SUSPENDED)


def _write(permission: Permission, points: set[str], events: Sequence[PermissionEvent]) -> None:
    begins = events[0].sequence == 1
    permission.save(force_insert=begins, force_update=not begins)
    if begins and permission.request_id is not None:  # what was asked was answered by it
        PermissionRequest.objects.filter(pk=permission.request_id).update(
            state=PermissionState.ACTIVE,
            answered_at=events[0].at,
            answered_by=events[0].actor_id,
            answered_by_name=events[0].actor_name,
        )
    kept = set(permission.points.values_list("metering_point_id", flat=True))
    permission.points.exclude(metering_point__in=points).delete()
    PermissionPoint.objects.bulk_create(
        PermissionPoint(permission=permission, metering_point_id=point) for point in sorted(points - kept)
    )
    PermissionEvent.objects.bulk_create(events)
    history.keep_points_left(events)
    project_permissions([permission])


def _take_away(permission_id: UUID, events: Sequence[PermissionEvent]) -> int:
    """What was lost took something away, and the rest of it cannot be made again: take the same away anew."""
    permission = Permission.objects.select_for_update().filter(pk=permission_id).first()
    if permission is None or PermissionState(permission.state).ended:
        return 0
    done = 0
    for event in events:
        to = PermissionState(event.state)
        details: dict[str, Any] = {}
        if here := set(event.details.get("points_lost", [])) & _points(permission):
            details["points_lost"] = sorted(here)
            left = event.details.get("left_on", {})
            details["left_on"] = {point: left[point] for point in sorted(here) if point in left}
        step = Step(
            PermissionState(permission.state),
            event.at,
            By(event.actor_id, event.actor_name),
            event.reason,
            event.details.get("receipt", ""),
        )
        if to.ended or (to == PermissionState.SUSPENDED and permission.state != to):
            step = replace(step, state=to)
        elif not details:
            continue
        history.append(permission, step, details=details)
        done += 1
        if to.ended:
            break
    project_permissions([permission])
    return done


def _points(permission: Permission) -> set[str]:
    return set(permission.points.values_list("metering_point_id", flat=True))


def _columns(names: Sequence[str]) -> list[str]:
    return [field.attname for field in Permission._meta.concrete_fields if field.name in names]


def _event(permission_id: UUID, says: Mapping[str, Any]) -> PermissionEvent:
    return PermissionEvent(
        permission_id=permission_id,
        sequence=says["sequence"],
        state=says["state"],
        at=_instant(says["at"]),
        actor_id=says["actor_id"],
        actor_name=says["actor_name"],
        reason=says["reason"],
        details=says["details"],
    )


def _rests_on_rows(permission: Permission, points: set[str]) -> bool:
    """Whether the companies, the service, the request and the points are here, which may be lost too."""
    companies = {permission.holder_id, permission.eligible_party_id}
    request_id = permission.request_id
    return (
        DataService.objects.filter(pk=permission.service_id).exists()
        and Organisation.objects.filter(pk__in=companies).count() == len(companies)
        and MeteringPoint.objects.filter(pk__in=points).count() == len(points)
        and (request_id is None or PermissionRequest.objects.filter(pk=request_id).exists())
    )


def _instant(text: str) -> datetime:
    at = parse_datetime(text)
    assert at is not None
    return at
