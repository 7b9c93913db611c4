"""After a restore that was meant: registry and log brought together again, as an event of both.

What ended, was suspended or was narrowed stays so: the events of permissions, and their receipts, are made again from
the log. Changes of rights and requests cannot be: they are named, for somebody to make them again, and given up by a
signed line of the log, so that the two agree from then on. Every program signs in anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import transaction

from gridgate.applications.operations import revoke_all_tokens
from gridgate.audit.changes import PERMISSION, RECEIPT, Change, say
from gridgate.audit.events import Subject, record
from gridgate.config.changes import RECONCILIATION, RECONCILIATION_TYPE, Logged, compare, digest_of
from gridgate.config.environment import Environment
from gridgate.core.sharing import PermissionState
from gridgate.organisations.models import Organisation
from gridgate.sharing import signing
from gridgate.sharing.models import DataService, Permission
from gridgate.sharing.restoring import ask_again, restore_events, restore_receipt

ACTION = "registry.reconciled"
NAMED = 200
"""How many of the changes to make again the history names; the command prints all."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What became of the changes that the registry had lost."""

    restored: int
    """How many are in the registry again."""
    to_make_again: Sequence[str]
    """Those that are not, in words: somebody must make them again where they are still wanted."""
    programs_signed_out: int | None = None
    """How many tokens ended; None when nothing was lost, and nothing done."""


def reconcile(environment: Environment, *, now: datetime) -> Reconciled:
    """Make again what can be, give up the rest, and say so on both sides; nothing lost, nothing done.

    Raises `KeyUnusable`, `AccessLogUnavailable`.
    """
    private = signing.load_private_key(environment.receipt_key)
    keys = signing.load_public_keys(environment.receipt_key)
    with transaction.atomic():
        lost = compare(environment).lost
        if not lost:
            return Reconciled(0, [])
        restored = _restore_permissions(lost) + _restore_receipts(lost, keys)
        _ask_for_receipts(lost, now)
        given_up = compare(environment).lost
        to_make_again = _to_make_again(given_up)
        signed_out = revoke_all_tokens(now=now)
        keys_given_up = [one.key for one in given_up]
        event = record(
            ACTION,
            subject=Subject("registry", "", ""),
            organisation=None,
            after={
                "restored": restored,
                "to_make_again": to_make_again[:NAMED],
                "given_up": digest_of(keys_given_up),
            },
            now=now,
        )
        payload = {"given_up": keys_given_up, "event": event.pk, "hash": event.hash}
        says = {"jws": signing.sign(payload, private, kind=RECONCILIATION_TYPE)}
        say(Change(RECONCILIATION, str(event.pk), event.hash, says))
    return Reconciled(restored, to_make_again, signed_out)


def _to_make_again(given_up: Sequence[Logged]) -> list[str]:
    """Of each permission one, what it was in the end; what it gave is no longer given, whatever ended it."""
    to_make_again: dict[str, str] = {}
    over = {line.permission for line in given_up if line.change.kind == PERMISSION and _ends(line)}
    for line in given_up:
        says = line.change.says
        if line.change.kind == RECEIPT:
            continue  # what it proves is over; both sides have it, and the log
        if line.change.kind != PERMISSION:
            if says["action"] != ACTION:
                to_make_again[line.where] = str(line)
        elif line.permission in over or _ended(line.permission):
            continue
        elif given := says["details"].get("says", {}):
            to_make_again[line.permission] = _given(says, given)
        else:
            to_make_again.setdefault(line.permission, str(line))
    return list(to_make_again.values())


def _ends(one: Logged) -> bool:
    return PermissionState(one.change.says["state"]).ended


def _ended(permission: str) -> bool:
    state = Permission.objects.filter(pk=permission).values_list("state", flat=True).first()
    return state is not None and PermissionState(state).ended


def _given(says: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    """What a permission gave, or what was agreed on later, with the names that the registry knows."""
    sides = [given[name] for name in ("holder_id", "eligible_party_id") if name in given]
    names = dict(Organisation.objects.filter(pk__in=sides).values_list("pk", "legal_name"))
    service = DataService.objects.filter(
        pk__in=[given[name] for name in ("service_id",) if name in given]
    ).first()
    about = f": {' lets '.join(names[side] for side in sides)} read ({service})" if len(names) == 2 else ""
    return f"permission {says['permission']}, given or changed on {says['at']} by {says['actor_name']}{about}"


def _restore_permissions(lost: Sequence[Logged]) -> int:
    by_permission: dict[UUID, dict[int, Logged]] = {}
    for one in lost:
        if one.change.kind == PERMISSION:
            says = one.change.says
            by_permission.setdefault(UUID(says["permission"]), {})[says["sequence"]] = one
    return sum(
        restore_events(permission, [events[sequence].change.says for sequence in sorted(events)])
        for permission, events in by_permission.items()
    )


def _restore_receipts(lost: Sequence[Logged], keys: Sequence[Ed25519PublicKey]) -> int:
    found = (one for one in lost if one.change.kind == RECEIPT)
    return sum(restore_receipt(one.change.id, one.change.says, keys) for one in found)


def _ask_for_receipts(lost: Sequence[Logged], now: datetime) -> None:
    """Of ends that are there again and had no signed receipt yet."""
    events = [one.change.says for one in lost if one.change.kind == PERMISSION]
    ask_again(events, but={one.change.id for one in lost if one.change.kind == RECEIPT}, now=now)
