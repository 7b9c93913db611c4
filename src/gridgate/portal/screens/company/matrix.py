"""*Services*: which group has which service. What takes a service from somebody, or opens one, is read first.

A cell is `group:service`. The form says which cells it showed as ticked (`had`) and which are ticked now (`cell`); a
single change says `give` or `take`. What is done is the difference, so that what others changed meanwhile stays.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from gridgate.organisations.catalogue import CatalogueEntry, offered_to
from gridgate.organisations.company_rights import Cell, CompanyRights
from gridgate.organisations.handles import handle_of, number_of
from gridgate.organisations.models import Entitlement, Membership, UserGroup
from gridgate.organisations.operations.services import set_services
from gridgate.organisations.queries import (
    GroupNotFound,
    Reserved,
    entitlements_of,
    groups_of,
    members_of,
    reservations_of,
)
from gridgate.organisations.rights_changes import becoming
from gridgate.portal.guards.access import MemberRequest, administrator_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.searching import searched
from gridgate.portal.kit.shapes import filters_in_force
from gridgate.portal.screens.company.consequences import consequences, fingerprint, losses, present_rights
from gridgate.portal.screens.company.terms import said, who_has

COLUMNS = (12, 50)
"""How many groups stand side by side; more would be as many boxes as a form may hold."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the form asks to give and to withdraw."""

    give: frozenset[Cell]
    withdraw: frozenset[Cell]

    def effective(self, rights: CompanyRights) -> "Asked":
        """Without what is so already."""
        has = {(group, code) for code, groups in rights.given.items() for group in groups}
        return Asked(self.give - has, self.withdraw & has)

    def __len__(self) -> int:
        return len(self.give) + len(self.withdraw)


@require_http_methods(["GET", "HEAD", "POST"])
@administrator_required
def page(request: MemberRequest) -> HttpResponse:
    """The table; a POST saves it, or shows the summary that must be read first."""
    actor = request.membership
    if request.method != "POST":
        return _table(request, Asked(frozenset(), frozenset()))
    wanted = _read(actor, request.POST)
    if request.POST.get("do") == "edit":
        return _table(request, wanted)
    with transaction.atomic():
        before = present_rights(actor=actor)
        wanted = wanted.effective(before)
        changes = becoming(before, before.with_services(give=wanted.give, withdraw=wanted.withdraw))
        seen = request.POST.get("seen", "")
        if any(change.asks_to_confirm for change in changes) and seen != fingerprint(changes):
            return _summary(
                request, wanted, fingerprint(changes), consequences(changes, actor=actor), again=bool(seen)
            )
        if wanted:
            _save(actor, wanted, before)
    if not wanted:
        messages.info(request, _("Rien n’était à changer."))
    else:
        text = ngettext(
            "%(count)s modification enregistrée.", "%(count)s modifications enregistrées.", len(wanted)
        ) % {"count": formats.number(len(wanted))}
        messages.success(request, f"{text} {losses(changes)}".strip())
    return _back(request)


def _save(actor: Membership, cells: Asked, rights: CompanyRights) -> None:
    """Services that the company is not offered any more stay as they are: nobody saw them."""
    touched = {group for group, _code in cells.give | cells.withdraw}
    has = {(group, code) for code, groups in rights.given.items() for group in groups}
    becomes = (has | cells.give) - cells.withdraw
    wanted = {group: [code for one, code in becomes if one == group] for group in touched}
    set_services(organisation=actor.organisation, wanted=wanted, actor=actor, now=timezone.now())


def _back(request: MemberRequest) -> HttpResponse:
    """To the group that the change was made on, or to the table as it was."""
    group = number_of("group", request.POST.get("group", ""))
    if group is not None:
        return redirect("company_group", group)
    query = request.GET.urlencode()
    address = redirect("company_services")["Location"]
    return redirect(f"{address}?{query}" if query else address)


# --- what the form says -----------------------------------------------------------------------------------


def _read(actor: Membership, data: QueryDict) -> Asked:
    had, ticked = set(data.get("had", "").split()), set(data.getlist("cell"))
    give = (ticked - had) | set(data.get("give", "").split())
    take = (had - ticked) | set(data.get("take", "").split())
    return Asked(_cells(actor, give), _cells(actor, take))


def _cells(actor: Membership, texts: Iterable[str]) -> frozenset[Cell]:
    """Raises `GroupNotFound` for a group of another company, or a service that this one is not offered."""
    cells = set()
    for text in texts:
        name, _colon, code = text.partition(":")
        group = number_of("group", name)
        if group is None:
            raise GroupNotFound
        cells.add((group, code))
    if not cells:
        return frozenset()
    codes = {str(entry.code) for entry in offered_to(actor.organisation.beneficiary_roles)}
    groups = set(groups_of(actor=actor).values_list("pk", flat=True))
    if any(group not in groups or code not in codes for group, code in cells):
        raise GroupNotFound
    return frozenset(cells)


# --- the table --------------------------------------------------------------------------------------------


def _table(request: MemberRequest, wanted: Asked) -> HttpResponse:
    actor = request.membership
    text = searched(request.GET)
    matching = groups_of(actor=actor, text=text)
    length = COLUMNS[1] if request.GET.get("par_page") == str(COLUMNS[1]) else COLUMNS[0]
    columns = Paginator(matching, length).get_page(request.GET.get("page"))
    groups = list(columns)
    has = {
        (entitlement.group_id, entitlement.code): entitlement
        for entitlement in entitlements_of(actor=actor, groups=[group.pk for group in groups])
    }
    now = timezone.now()
    reserved = reservations_of(actor=actor, at=now)
    services = offered_to(actor.organisation.beneficiary_roles)
    context = {
        "text": text,
        "filters": filters_in_force(request, {"q": formats.quoted(text)}),
        "page_obj": columns,
        "groups": groups,
        "total": columns.paginator.count if not text else groups_of(actor=actor).count(),
        "users": members_of(actor=actor).count(),
        "rows": [_row(entry, groups, has, reserved, wanted, now) for entry in services],
        "had": _text(cell for cell in has if cell[1] in {str(entry.code) for entry in services}),
        "pending": len(wanted),
        "never_open": [entry.label for entry in services if not entry.rule.open],
    }
    return render(request, "company/services.html", context)


def _row(
    entry: CatalogueEntry,
    groups: list[UserGroup],
    has: dict[Cell, Entitlement],
    reserved: dict[str, Reserved],
    wanted: Asked,
    now: datetime,
) -> dict[str, Any]:
    cells = []
    for group in groups:
        cell = (group.pk, str(entry.code))
        given = has.get(cell)
        cells.append(
            {
                "value": cell_text(cell),
                "group": group,
                "given": given,
                "dates": said(given.term, now) if given is not None else "",
                "over": given is not None and given.term.is_over(now),
                "ticked": cell in wanted.give or (given is not None and cell not in wanted.withdraw),
                "perimeter": given is not None and entry.by_point,
            }
        )
    who = who_has(entry, reserved.get(entry.code, Reserved()), now)
    return {"entry": entry, "cells": cells, "who": who}


def _summary(
    request: MemberRequest, wanted: Asked, seen: str, changes: list[Any], *, again: bool
) -> HttpResponse:
    """What the change does to whom; nothing is kept until it is confirmed."""
    context = {
        "consequences": changes,
        "forgotten": _forgotten(request.membership, wanted),
        "give": _text(wanted.give),
        "take": _text(wanted.withdraw),
        "seen": seen,
        "count": len(wanted),
        "group": number_of("group", request.POST.get("group", "")),
        "changed_meanwhile": again,
    }
    return render(request, "company/services_summary.html", context, status=409 if again else 200)


def _text(cells: Iterable[Cell]) -> str:
    return " ".join(cell_text(cell) for cell in sorted(cells))


def cell_text(cell: Cell) -> str:
    """A service of a group, as forms name it."""
    group, code = cell
    return f"{handle_of('group', group)}:{code}"


def _forgotten(actor: Membership, wanted: Asked) -> list[dict[str, Any]]:
    """The perimeters that are lost with the services withdrawn."""
    groups = {group for group, _code in wanted.withdraw}
    return [
        {
            "group": entitlement.group.name,
            "service": entitlement.get_code_display(),
            "points": vars(entitlement)["points"],
        }
        for entitlement in entitlements_of(actor=actor, groups=groups).select_related("group")
        if entitlement.restricted and (entitlement.group_id, entitlement.code) in wanted.withdraw
    ]
