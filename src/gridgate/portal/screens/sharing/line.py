"""One service by which a company reads, as a line of a table."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from gridgate.audit.queries.reads import Reads
from gridgate.portal.kit import formats
from gridgate.portal.screens.sharing import extents, lifecycle, service_data
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.portal.screens.sharing.tiles import can_extend, kept, state
from gridgate.sharing.queries.companies import Share


class Line:
    """What it is, which points, since when, until when, how much; and what can be done about it."""

    def __init__(self, share: Share, reads: Reads | None, moment: Moment) -> None:
        self.id = share.permission.pk if share.permission else None
        self.service = share.service
        self.name = share.service.text("name")
        self.purpose = share.says.text("purpose")
        self.data = service_data.kinds(share.says)
        self.step = service_data.capital(service_data.step(share.says.finest_resolution)) or _(
            "Celui du compteur"
        )
        self.directions = service_data.directions(share.says.directions)
        self.all_points, self.points, self.covered = share.all_points, share.points, share.covered
        self.partly_seen = share.exceeds
        self.history = share.permission.history_from if share.permission else None
        self.since, self.since_day = share.since, formats.day(share.since)
        self.last_day = moment.last_day_before(share.until) if share.until else None
        self.until_text = lifecycle.until(share.until, moment)
        self.basis = service_data.basis(share.says)
        self.delete_by = share.permission.delete_by if share.permission else None
        self.reads = reads.count if reads else 0
        self.last_read_at = reads.last_at if reads else None
        self.can_end = share.terminable and not share.exceeds
        self.exceeds = share.terminable and share.exceeds
        self.can_extend = can_extend(share, moment)
        self.kept = None if share.terminable else kept(share.service)
        self.tag = state([share], moment)

    @property
    def extent(self) -> str:
        """Its points in a sentence: how many; of those that the person does not see, no more than that they are."""
        return str(self._extent)

    @property
    def points_note(self) -> str:
        """What stands under the number of points that the person sees."""
        if self._extent.hides and self.all_points:
            return _("que vous voyez, sur tous ceux de l’entreprise")
        if self._extent.hides:
            return _("que vous voyez, sur %(all)s") % {"all": formats.number(self.covered)}
        return _("tous") if self.all_points else ""

    @property
    def _extent(self) -> extents.Extent:
        return extents.Extent(self.points, self.covered, everything=self.all_points, partly=self.partly_seen)


def alike(lines: Sequence[Line]) -> list[Line]:
    """Lines that say the same but for their points, as one: a company may hold one permission a point."""
    together: dict[tuple[object, ...], Line] = {}
    for line in lines:
        key = (line.service.pk, line.data, line.directions, line.all_points, line.since_day, line.last_day)
        if key in together:
            together[key].points += line.points
            together[key].covered += line.covered
        else:
            together[key] = line
    return list(together.values())
