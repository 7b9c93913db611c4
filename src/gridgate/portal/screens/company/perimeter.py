"""On which points a group has a service: all of the company's, now and later, or those chosen."""

from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from gridgate.core.roles import ALWAYS, Term
from gridgate.core.time import civil_day_of
from gridgate.metering.models import MeteringPoint
from gridgate.metering.queries.lists import PointFilter, narrow
from gridgate.metering.queries.points import Points, points_readable_by
from gridgate.organisations import as_read
from gridgate.organisations.catalogue import BY_CODE, CatalogueEntry, EntitlementCode
from gridgate.organisations.models import Entitlement, Membership, UserGroup
from gridgate.organisations.operations.services import set_perimeter
from gridgate.organisations.queries import entitlements_of, group_of, perimeter_in
from gridgate.organisations.rights_changes import Change, becoming
from gridgate.portal.guards.access import MemberRequest, administrator_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.meanwhile import Meanwhile
from gridgate.portal.screens.company.chooser import Chooser
from gridgate.portal.screens.company.consequences import (
    consequences,
    fingerprint,
    is_confirmed,
    losses,
    present_rights,
)
from gridgate.portal.screens.company.opened import is_stale, who_changed
from gridgate.portal.screens.company.pasted_points import Pasted, read_list
from gridgate.portal.screens.company.terms import TermForm
from gridgate.portal.screens.metering_points.rows import coming, past


@require_http_methods(["GET", "HEAD", "POST"])
@administrator_required
def page(request: MemberRequest, pk: int, code: str) -> HttpResponse:
    """Search, tick, paste; everything chosen comes back with the form, and is kept when it is saved."""
    actor = request.membership
    group = group_of(actor=actor, pk=pk)
    entry = BY_CODE.get(code)
    if entry is None or not entry.by_point or not entry.rule.offered_to(actor.organisation.beneficiary_roles):
        raise Http404
    form = PerimeterForm(actor, group, entry, request.POST if request.method == "POST" else None)
    if form.saving and is_stale(request, form.saved):
        return _meanwhile(request, form)
    if not form.saving or not form.is_complete:
        # The group's page leads here to give the service: what that does is read as soon as points are chosen.
        changes = _changes(actor, form) if form.given is None and form.is_chosen else []
        status = 422 if form.saving else 200
        return render(request, "company/perimeter.html", _context(actor, form, changes), status=status)
    with transaction.atomic():
        if is_stale(request, PerimeterForm(actor, group, entry, None).saved):  # at the same moment
            return _meanwhile(request, PerimeterForm(actor, group, entry, request.POST))
        changes = _changes(actor, form)
        if is_confirmed(request, changes):
            return _save(request, form, changes)
    return render(request, "company/perimeter.html", _context(actor, form, changes, to_confirm=True))


class PerimeterForm:
    """What is chosen so far, and what is wrong with what was pasted."""

    def __init__(
        self, actor: Membership, group: UserGroup, entry: CatalogueEntry, data: QueryDict | None
    ) -> None:
        self.group, self.entry = group, entry
        given = list(entitlements_of(actor=actor, groups=[group.pk]))
        self.given: Entitlement | None = next((one for one in given if one.code == entry.code), None)
        self._terms = {one.code: one.term for one in given}
        self.others = [
            BY_CODE[one.code] for one in given if one.code != entry.code and BY_CODE[one.code].by_point
        ]
        present = list(perimeter_in(actor=actor, entitlement=self.given)) if self.given else []
        self.today = civil_day_of(datetime.now(UTC), get_default_timezone())
        self.dates = TermForm(data, now=timezone.now())
        self.points = points_readable_by(actor=actor, service=EntitlementCode.METERS, today=self.today)
        self.chooser = Chooser(data, matching=self._matching, initial=present)
        self.scope = "" if self.given is None else "some" if self.given.restricted else "all"
        self._present = set(present)
        self.saved = (self.scope, sorted(present))
        opened = data.get("read") if data and not self.saving else None
        self.read = opened if opened is not None else as_read.fingerprint(self.saved)
        """What it was opened with, from one search to the next; saved, it is as it is."""
        self.everywhere = False
        self.pasted = Pasted()
        self.error = ""
        if data:
            scopes = set(data.getlist("scope"))
            self.scope = scopes.pop() if len(scopes) == 1 and scopes <= {"all", "some"} else ""
            self.everywhere = data.get("everywhere") == "1"
            self._paste(data.get("paste", ""))
        if self.saving:
            self.error = self._fault(named=self._names_some)

    @property
    def saving(self) -> bool:
        return self.chooser.saving

    @property
    def is_complete(self) -> bool:
        return not (self.pasted.bad or self.error) and (self.given is not None or self._dates_are_right)

    @property
    def _dates_are_right(self) -> bool:
        return not self.dates.is_bound or self.dates.is_valid()

    @property
    def term(self) -> Term:
        """Of the service, when it is given here."""
        return self.dates.term if self.given is None and self.dates.is_bound else ALWAYS

    @property
    def is_chosen(self) -> bool:
        """Whether it says on which points, and that alone."""
        return self.is_complete and not self._fault(named=self._names_some)

    @property
    def codes(self) -> list[str]:
        """The services that the choice is for."""
        others = self.others if self.everywhere else []
        return [str(entry.code) for entry in (self.entry, *others)]

    def by_beginning(self) -> dict[datetime | None, list[str]]:
        """Those services by when they begin; None: they have."""
        now, codes_by_beginning = timezone.now(), dict[datetime | None, list[str]]()
        for code in self.codes:
            term = self._terms.get(code, self.term)
            codes_by_beginning.setdefault(None if term.has_begun(now) else term.begins, []).append(code)
        return codes_by_beginning

    def chosen(self) -> set[str] | None:
        """None for all points, now and later."""
        return None if self.scope == "all" else self.chooser.settled()

    @property
    def _names_some(self) -> bool:
        """Points were ticked or pasted."""
        return bool(self.pasted.good or self.chooser.chosen - self._present)

    def _fault(self, *, named: bool) -> str:
        """What the choice says twice, or not at all; empty when it is clear. `named`: points were ticked or pasted."""
        if self.scope == "all" and named:
            return _("Vous avez choisi tous les points, et certains d’entre eux : gardez l’un ou l’autre.")
        if not self.scope:
            return _("Choisissez « Tous les points », ou certains d’entre eux.")
        if self.scope == "some" and not self.pasted.bad and not self.chooser.chosen:
            return _("Choisissez au moins un point, ou « Tous les points ».")
        return ""

    def _matching(self, text: str) -> QuerySet[Any]:
        found = narrow(self.points, PointFilter(text=text), today=self.today)
        return found.order_by("search_text", "pk")

    def _paste(self, text: str) -> None:
        if not text.strip():
            return
        known = set(self.points.values_list("pk", flat=True))
        self.pasted = read_list(text, known)
        self.chooser.choose(self.pasted.good)
        if self.pasted.good and not self.saving:
            self.scope = "some"


def _meanwhile(request: MemberRequest, form: PerimeterForm) -> HttpResponse:
    """What a colleague saved since the page was opened, beside what is chosen; nothing is kept."""
    actor = request.membership
    scope, points = form.saved
    saved = [
        (
            form.entry.label,
            _extent(None if scope == "all" else points) if scope else _("le groupe ne l’a plus"),
        )
    ]
    context = _context(actor, form, [])
    context["meanwhile"] = Meanwhile(who_changed(form.group, actor=actor), saved)
    return render(request, "company/perimeter.html", context, status=409)


def _given(form: PerimeterForm, first: datetime | None, codes: list[str]) -> str:
    """What the group has now or, with a first instant, will have."""
    values = {
        "group": form.group.name,
        "services": ", ".join(formats.quoted(BY_CODE[code].label) for code in codes),
        "extent": _extent(form.chosen()),
    }
    if first is None:
        return _("%(group)s a %(services)s sur %(extent)s.") % values
    values["day"] = formats.day(first)
    return _("%(group)s aura %(services)s sur %(extent)s, à partir du %(day)s.") % values


def _extent(points: Collection[str] | None) -> str:
    if points is None:
        return _("tous les points, présents et à venir")
    return ngettext("%(count)s point", "%(count)s points", len(points)) % {
        "count": formats.number(len(points))
    }


def _changes(actor: Membership, form: PerimeterForm) -> list[Change]:
    """What saving the choice as it is would do."""
    rights = present_rights(actor=actor)
    return becoming(rights, rights.with_perimeter(form.group.pk, form.codes, form.chosen(), form.term))


def _save(request: MemberRequest, form: PerimeterForm, changes: list[Change]) -> HttpResponse:
    actor, points = request.membership, form.chosen()
    set_perimeter(
        group=form.group,
        codes=form.codes,
        points=points,
        term=form.term,
        actor=actor,
        now=timezone.now(),
    )
    said = " ".join(_given(form, first, codes) for first, codes in form.by_beginning().items())
    messages.success(request, f"{said} {losses(changes)}".strip())
    return redirect("company_group", form.group.pk)


def _context(
    actor: Membership, form: PerimeterForm, changes: list[Change], *, to_confirm: bool = False
) -> dict[str, Any]:
    chooser = form.chooser
    return {
        "form": form,
        "group": form.group,
        "entry": form.entry,
        "chooser": chooser,
        "rows": [_point_row(row.item, form.today) | {"row": row} for row in chooser.rows],
        "strangers": _strangers(chooser.chosen, form.points),
        "consequences": consequences(changes, actor=actor),
        "seen": fingerprint(changes) if changes else "",
        "to_confirm": to_confirm,
    }


def _point_row(point: MeteringPoint, today: date) -> dict[str, Any]:
    return {
        "id": point.pk,
        "name": str(point),
        "place": " ".join(filter(None, (point.postcode, point.city))),
        "segment": point.segment,
        "past": past(vars(point)["held_to"], today),
        "coming": coming(vars(point)["held_from"], today),
    }


def _strangers(chosen: Iterable[str], points: Points) -> list[str]:
    """What is chosen and is no point that the company holds or held: it stays, and opens nothing."""
    wanted = set(chosen)
    return sorted(wanted - set(points.values_list("pk", flat=True))) if wanted else []
