"""The operator's desk: one list and one page for every kind of request, each kind declared where its screens are.

    DESK.append(DeskKind(kind=EIC, label=_("Demander un code EIC"), template="eic/desk.html", context=…, accept=…))

A kind is found by the prefix of its number. Its template shows what was asked; taking, returning and refusing are the
desk's own; `accept` carries out the acceptance from the posted form, in which `seen` names the sending that was read,
and raises `GridgateError` for what will not do:
the page then shows again with `context(item, posted)`, and with what `says` has to say of the error.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import QueryDict

from gridgate.core.errors import GridgateError
from gridgate.organisations.models import Membership
from gridgate.requests.desk import waiting_counts
from gridgate.requests.kinds import RequestKind


def _nothing(item: Any, posted: QueryDict | None) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class DeskKind:
    """A kind of request as the desk shows it."""

    kind: RequestKind[Any]
    label: Any
    template: str
    """Included in the page of one request, with `item` and what `context` returns; may hold fields of the
    acceptance form, which stands around it.
    """
    accept: Callable[[Any, QueryDict, Membership, datetime], None]
    context: Callable[[Any, QueryDict | None], Mapping[str, Any]] = field(default=_nothing)
    says: Callable[[GridgateError], str] = str
    """Why `accept` refused, in the words of the screen."""


DESK: list[DeskKind] = []


def waiting(actor: Membership) -> dict[str, int]:
    """How many requests of each kind wait for the operator's staff, by the prefix of its numbers; asked once for a page,
    whose menu says it at several places.
    """
    if not actor.organisation.is_operator:
        return {}
    known: dict[str, int] | None = vars(actor).get("_waiting")
    if known is None:
        known = waiting_counts(kinds=[one.kind for one in DESK], actor=actor)
        vars(actor)["_waiting"] = known
    return known


def desk_kind(number: str) -> DeskKind | None:
    """The kind of a request's number, such as `EIC-2026-K7Q4M`."""
    prefix = number.partition("-")[0]
    return next((one for one in DESK if one.kind.prefix == prefix), None)
