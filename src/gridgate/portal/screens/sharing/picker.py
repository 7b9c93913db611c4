"""Choosing metering points in a form: all of them, those ticked, those pasted. Works without script.

Few points are a list of ticks. Many are searched: what is ticked stays ticked from one search to the next,
because it comes back in the form; a long list can be pasted.
"""

import re
from collections.abc import Collection

from django.db.models import Q, QuerySet
from django.http import QueryDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.metering.models import MeteringPoint
from gridgate.portal.kit import formats
from gridgate.portal.kit.searching import searched

FEW = 30
SHOWN = 8
"""How many of a few points show at once; the others are one press away."""
FOUND = 20
LISTED = 50
"""How many of the points chosen are named one by one before they are given."""
_BETWEEN = re.compile(r"[\s,;]+")


class PointPicker:
    """What the form shows, and what was chosen.

    `points` are those one may choose from; `all_choice` offers "all, now and later" as a choice of its own. The form
    begins with nothing chosen, or, to answer a request, with exactly what is asked (`as_asked`). What says two things
    at once is refused, and stays in the form.
    """

    def __init__(
        self,
        data: QueryDict | None,
        *,
        points: QuerySet[MeteringPoint],
        all_choice: bool,
        as_asked: bool = False,
    ) -> None:
        self._points = points
        self._data = data
        self.all_choice = all_choice
        self.total = points.count()
        self.few = self.total <= FEW
        self.searching = bool(data) and not self.few
        self.query = searched(data)
        self.paste = data.get("paste", "") if data else ""
        self.error = ""
        self._unclear = False
        if data:
            scopes = set(data.getlist("scope")) - {""}
            self._unclear = len(scopes) > 1 or not scopes <= {"all", "some"}
            self.scope = "" if self._unclear else "".join(scopes)
            self._asked_for = list(dict.fromkeys(data.getlist("point")))
            self._ticked = self._known(self._asked_for)
        else:
            self.scope = "all" if as_asked and self.offers_scope else ""
            self._ticked = self._everything if as_asked and not self.offers_scope else {}
            self._asked_for = list(self._ticked)

    @property
    def offers_scope(self) -> bool:
        """True when "all of them" is one press: as a choice of its own, or because they are many."""
        return self.all_choice or not self.few

    def chosen(self) -> list[str] | None:
        """The identifiers chosen; None for "all, now and later". Fills `error` when the form does not say which."""
        pasted = [text for text in _BETWEEN.split(self.paste) if text]
        if self._unclear:
            self.error = _("Choisissez tous les compteurs, ou certains d’entre eux.")
            return []
        if self.scope == "all":
            return self._all(named=len(set(self._asked_for) | set(pasted)))
        known = self._known(pasted)
        unknown = [text for text in self._asked_for if text not in self._ticked]
        unknown += [text for text in pasted if text not in known]
        if unknown:
            error = _("« %(text)s » n’est pas l’un des compteurs proposés.") % {"text": unknown[0][:30]}
            more = len(unknown) - 1
            also = ngettext("%(count)s autre non plus.", "%(count)s autres non plus.", more)
            error += " " + also % {"count": formats.number(more)} if more else ""
            self.error = error
            return []
        chosen = list({**self._ticked, **known})
        if not chosen:
            self.error = _("Choisissez au moins un compteur.")
        return chosen

    def _all(self, *, named: int) -> list[str] | None:
        if not self.offers_scope:
            self.error = _("« Tous » n’est pas un choix proposé ici : cochez les compteurs.")
            return []
        if named:
            text = ngettext(
                "Vous avez choisi tous les compteurs, et %(count)s en particulier : gardez l’un ou l’autre.",
                "Vous avez choisi tous les compteurs, et %(count)s en particulier : gardez l’un ou l’autre.",
                named,
            )
            self.error = text % {"count": formats.number(named)}
            return []
        return None if self.all_choice else list(self._points.values_list("pk", flat=True))

    @property
    def carried(self) -> list[tuple[str, str]]:
        """The choice as hidden fields say it again."""
        said = [("scope", self.scope), ("paste", self.paste), *(("point", one) for one in self._asked_for)]
        return [(name, value) for name, value in said if value]

    def named(self, chosen: Collection[str]) -> list[MeteringPoint]:
        """The first of the points chosen, by name."""
        return list(self._points.filter(pk__in=chosen)[:LISTED])

    @property
    def ticks(self) -> list[tuple[MeteringPoint, bool]]:
        """The points to show, and whether each is ticked."""
        if self.few:
            return [(point, point.pk in self._ticked) for point in self._everything.values()]
        found = self._search() if self.query else []
        ticked = [(point, True) for point in self._ticked.values()]
        return ticked + [(point, False) for point in found if point.pk not in self._ticked]

    @property
    def first(self) -> list[tuple[MeteringPoint, bool]]:
        return self.ticks[:SHOWN] if self.few else self.ticks

    @property
    def others(self) -> list[tuple[MeteringPoint, bool]]:
        return self.ticks[SHOWN:] if self.few else []

    @property
    def found_count(self) -> int:
        return self._matching().count() if self.query and not self.few else 0

    def samples(self, count: int) -> list[MeteringPoint]:
        """The first of the points to choose from."""
        return list(self._everything.values())[:count] if self.few else list(self._points[:count])

    @cached_property
    def _everything(self) -> dict[str, MeteringPoint]:
        return {point.pk: point for point in self._points[:FEW]}

    def _known(self, identifiers: list[str]) -> dict[str, MeteringPoint]:
        return {point.pk: point for point in self._points.filter(pk__in=identifiers)} if identifiers else {}

    def _matching(self) -> QuerySet[MeteringPoint]:
        digits = re.sub(r"\s", "", self.query)
        return self._points.filter(
            Q(pk__startswith=digits)
            | Q(label__icontains=self.query)
            | Q(city__icontains=self.query)
            | Q(postcode__startswith=digits)
        )

    def _search(self) -> list[MeteringPoint]:
        return list(self._matching()[:FOUND])
