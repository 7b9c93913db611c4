"""What an ask changes, point by point, before it is done; then doing it."""

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.timezone import get_default_timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from gridgate.core.time import civil_day_of
from gridgate.metering.operations.collections import set_collection
from gridgate.metering.queries.collections import with_collection
from gridgate.metering.queries.lists import cities_of, narrow
from gridgate.metering.queries.points import PointNotFound, Points, points_readable_by
from gridgate.metering.states import State, becomes, can_follow
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.guards.acting import OF_A_PAGE
from gridgate.portal.kit import formats
from gridgate.portal.screens.collection.actions import action_of
from gridgate.portal.screens.collection.consequences import of_opposing
from gridgate.portal.screens.metering_points.filters import PointFilterForm
from gridgate.portal.screens.metering_points.rows import rows_of
from gridgate.portal.screens.sharing.agreed import fingerprint

SHOWN = 50


@require_http_methods(["GET", "HEAD", "POST"])
@entitlement_required(EntitlementCode.DATA_SERVICES)
def page(request: MemberRequest) -> HttpResponse:
    """The summary of what was ticked; posted again with `confirme`, it is done.

    When what was chosen is not what the summary told of, the new summary is shown instead.
    """
    action = action_of(request.POST.get("action", ""))
    if request.method != "POST" or action is None:
        return redirect("collection")
    actor, now = request.membership, datetime.now(UTC)
    try:
        chosen = _chosen(actor, request.POST, now)
    except Unclear as unclear:
        messages.error(request, str(unclear))
        return redirect("collection")
    ids = list(chosen.values_list("pk", flat=True))
    if not ids:
        messages.warning(request, _("Choisissez au moins un compteur dont vous êtes titulaire."))
        return redirect("collection")
    seen = fingerprint(ids, action.state)
    if request.POST.get("confirme") == seen:
        foreseen = Foreseen.of(chosen, State(action.state))
        set_collection(actor=actor, points=ids, state=action.state, now=now)
        messages.success(request, foreseen.done)
        return redirect("collection")
    foreseen = Foreseen.of(chosen, State(action.state))
    today = civil_day_of(now, get_default_timezone())
    changing = chosen.filter(pk__in=foreseen.changing).order_by("search_text", "pk")
    consequences = (
        of_opposing(actor=actor, points=foreseen.changing, now=now) if action.state == State.OPPOSED else []
    )
    context = {
        "action": action,
        "chosen": len(ids),
        "seen": seen,
        "foreseen": foreseen,
        "rows": rows_of(changing[:SHOWN], today=today),
        "others": max(0, len(foreseen.changing) - SHOWN),
        "consequences": consequences,
        "some_end": any(one.ends for one in consequences),
        "carried": _carried(request.POST),
    }
    return render(request, "collection/summary.html", context)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """Which points an ask changes, into which state; how many keep theirs."""

    asked: State
    changing: list[str]
    into: Counter[State]
    kept: int

    @classmethod
    def of(cls, chosen: Points, wanted: State) -> "Foreseen":
        changing: list[str] = []
        into: Counter[State] = Counter()
        kept = 0
        for point in chosen:
            new = becomes(wanted, point.meter_type, by_holder=True)
            if can_follow(vars(point)["collection_state"], new):
                changing.append(point.pk)
                into[new] += 1
            else:
                kept += 1
        return cls(wanted, changing, into, kept)

    @property
    def at_once(self) -> int:
        return self.into[State.ACTIVE]

    @property
    def later(self) -> int:
        return self.into[State.REQUESTED]

    @property
    def done(self) -> str:
        """What has just happened, for the notice."""
        said = [_DONE[state](count) for state, count in self.into.items()]
        return " ".join(said) or _("Rien n’a changé : ces collectes étaient déjà dans cet état.")


_DONE = {
    State.ACTIVE: lambda count: _number(
        ngettext(
            "La collecte est active sur %(count)s compteur.",
            "La collecte est active sur %(count)s compteurs.",
            count,
        ),
        count,
    ),
    State.REQUESTED: lambda count: _number(
        ngettext(
            "Elle est demandée sur %(count)s compteur non communicant.",
            "Elle est demandée sur %(count)s compteurs non communicants.",
            count,
        ),
        count,
    ),
    State.ENDED: lambda count: _number(
        ngettext(
            "La collecte est terminée sur %(count)s compteur.",
            "La collecte est terminée sur %(count)s compteurs.",
            count,
        ),
        count,
    ),
    State.OPPOSED: lambda count: _number(
        ngettext(
            "Votre opposition est enregistrée pour %(count)s compteur.",
            "Votre opposition est enregistrée pour %(count)s compteurs.",
            count,
        ),
        count,
    ),
}


def _number(said: str, count: int) -> str:
    return said % {"count": formats.number(count)}


class Unclear(Exception):
    """The form does not say which points: it would be read as more than was meant. Its text says what to do."""


def _chosen(actor: Membership, query: QueryDict, now: datetime) -> Points:
    """The points ticked, or all that the filters let through; those that the company has left are not among
    them.

    Raises `PointNotFound` for a point that the actor may not read, and `Unclear`.
    """
    today = civil_day_of(now, get_default_timezone())
    mine = with_collection(
        points_readable_by(actor=actor, service=EntitlementCode.DATA_SERVICES, today=today, held=True),
        today=today,
    )
    if query.get("tous"):
        if query.getlist("point"):
            raise Unclear(
                _("Vous avez choisi toute la liste, et certains compteurs : gardez l’un ou l’autre.")
            )
        form = PointFilterForm(query, cities=cities_of(mine))
        if form.errors:
            raise Unclear(
                _(
                    "L’un des filtres n’existe plus : rien n’a été choisi. Choisissez de nouveau dans la liste."
                )
            )
        return narrow(mine, form.wanted, today=today)
    ids = set(query.getlist("point"))
    readable = points_readable_by(actor=actor, service=EntitlementCode.DATA_SERVICES, today=today).filter(
        pk__in=ids
    )
    if unknown := ids - set(readable.values_list("pk", flat=True)):
        raise PointNotFound(min(unknown))
    return mine.filter(pk__in=ids)


def _carried(query: QueryDict) -> list[tuple[str, str]]:
    """What the confirmation sends again."""
    return [
        (name, value)
        for name, values in query.lists()
        for value in values
        if name not in (*OF_A_PAGE, "confirme")
    ]
