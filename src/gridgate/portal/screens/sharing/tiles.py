"""A company's tile: everything by which it reads, in the plain words and figures that the page shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from gridgate.audit.queries.unusual import unusual_day
from gridgate.portal.kit import formats
from gridgate.portal.kit.charts.spark import Spark, sparkline
from gridgate.portal.kit.shapes import Tag
from gridgate.portal.screens.sharing import service_data
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.sharing.models import DataService
from gridgate.sharing.operations.extending import obstacle_to_extending
from gridgate.sharing.queries.companies import CompanySharing, Share

SOON_DAYS = 30
"""From how many days before its end on a share is said to end soon."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A service that cannot be ended: why, and whom to ask."""

    name: str
    why: str
    contact: str
    """An address to write to or to open; empty when there is none."""
    contact_label: str


@dataclass(frozen=True, slots=True)
class Unusual:
    text: str
    when: str
    on: date
    count: int
    usual: int

    @property
    def headline(self) -> str:
        return f"{self.text} {self.when}"


@dataclass(frozen=True, slots=True)
class Tile:
    name: str
    siren: str
    is_operator: bool
    tag: Tag
    why: str
    data: str
    points: str
    since: str
    until: str
    unusual: Unusual | None
    spark: Spark
    reads: int
    last_read_at: datetime | None
    kept: tuple[Kept, ...]
    partly: bool
    """Some services also cover points that this member does not see."""
    can_end: bool
    """At least one service can be ended, by this member."""
    exceeds: bool
    """At least one could be ended, but by someone who sees more points."""
    mixed: bool
    """Some services can be ended, others cannot."""
    extend: str
    """Where to prolong what ends soon; empty when nothing does."""

    @property
    def fixed(self) -> bool:
        return not self.can_end and not self.exceeds


def tile(
    company: CompanySharing, *, held: int, restricted: bool, days: Sequence[date], moment: Moment
) -> Tile:
    ends = soon(company.shares, moment)
    return Tile(
        name=company.company.legal_name,
        siren=company.company.siren,
        is_operator=company.company.is_operator,
        tag=state(company.shares, moment),
        why=purposes(company.shares),
        data=_data(company.shares),
        points=points_of(company, held=held, restricted=restricted),
        since=_since(company),
        until=_until(company, moment),
        unusual=unusual(company.reads, days),
        spark=_spark(company.reads, days),
        reads=sum(company.reads),
        last_read_at=company.last_read_at,
        kept=tuple(kept(share.service) for share in company.kept),
        partly=any(share.exceeds for share in company.shares),
        can_end=bool(company.terminable) and not company.exceeds,
        exceeds=bool(company.terminable) and company.exceeds,
        mixed=bool(company.terminable) and bool(company.kept),
        extend=reverse("sharing_extend", args=[ends.permission.pk])
        if ends and ends.permission and can_extend(ends, moment)
        else "",
    )


def state(shares: Sequence[Share], moment: Moment) -> Tag:
    """One tag a company: what matters most about it."""
    if not any(share.terminable for share in shares):
        return Tag("", _("Non résiliable"), "lock")
    if all(share.suspended for share in shares if share.terminable):
        return Tag("warn", _("Suspendu"), "clock")
    ending = soon(shares, moment)
    if ending is not None and ending.until is not None:
        return Tag("warn", expires(ending.until, moment), "clock")
    return Tag("good", _("Actif"), "check")


def soon(shares: Sequence[Share], moment: Moment) -> Share | None:
    """The share that ends first, when it does so soon."""
    ending = min(
        (share for share in shares if share.until), key=lambda share: share.until or moment.now, default=None
    )
    return ending if ending and ending.until and _days_left(ending.until, moment) <= SOON_DAYS else None


def can_extend(share: Share, moment: Moment) -> bool:
    """Whether this member may move its end."""
    if share.permission is None or share.exceeds:
        return False
    return obstacle_to_extending(share.permission, moment.now) is None


def expires(until: datetime, moment: Moment) -> str:
    days = _days_left(until, moment)
    if days <= 0:
        return _("Expire aujourd’hui")
    return ngettext("Expire dans %(days)s jour", "Expire dans %(days)s jours", days) % {"days": days}


def _days_left(until: datetime, moment: Moment) -> int:
    return (moment.last_day_before(until) - moment.today).days


def purposes(shares: Sequence[Share]) -> str:
    """What the company reads for; two purposes at most, then how many others."""
    said = list(dict.fromkeys(share.says.text("purpose") for share in shares))
    shown, others = said[:2], len(said) - 2
    if others > 0:
        shown.append(
            ngettext("%(count)s autre finalité", "%(count)s autres finalités", others) % {"count": others}
        )
    return "\u00a0· ".join(shown)


def kept(service: DataService) -> Kept:
    email = service.contact_email or service.provider.contact_email
    url = service.contact_url or service.provider.contact_url
    contact = f"mailto:{email}" if email else url
    return Kept(
        service.text("name"),
        service_data.why_kept(service),
        contact,
        _("Contacter %(name)s") % {"name": service.provider.legal_name} if contact else "",
    )


def points_of(company: CompanySharing, *, held: int, restricted: bool) -> str:
    if restricted and any(share.exceeds for share in company.shares):
        text = _("%(count)s de votre périmètre, et d’autres que vous ne voyez pas")
    elif restricted:
        text = _("%(count)s sur les %(all)s de votre périmètre")
    elif company.all_points:
        text = _("Tous vos compteurs, %(all)s")
    else:
        text = _("%(count)s sur %(all)s")
    return text % {"count": formats.number(company.points), "all": formats.number(held)}


def unusual(counts: Sequence[int], days: Sequence[date]) -> Unusual | None:
    """The day that stands out, in words; `days[i]` is the day of `counts[i]`."""
    day_found = unusual_day(counts)
    if day_found is None:
        return None
    on = days[day_found.index]
    text = _("%(times)s fois plus de lectures que d’habitude") % {"times": formats.number(day_found.times)}
    when = _("le %(day)s") % {"day": formats.day_and_month(on)}
    if (days[-1] - on).days < 2:
        near = _("aujourd’hui") if on == days[-1] else _("hier")
        when = f"{near}, {formats.day_and_month(on)}"
    return Unusual(text, when, on, day_found.count, day_found.usual)


def _data(shares: Sequence[Share]) -> str:
    texts = list(dict.fromkeys(service_data.data(share.says) for share in shares))
    if not texts:
        return formats.NONE
    return formats.series(texts[:1] + [text[:1].lower() + text[1:] for text in texts[1:]])


def _since(company: CompanySharing) -> str:
    if company.since is None:
        return _("que vous êtes titulaire")
    return pgettext("since", "le %(day)s") % {"day": formats.long_day(company.since)}


def _until(company: CompanySharing, moment: Moment) -> str:
    ends = [formats.long_day(moment.last_day_before(end)) for end in company.ends]
    if company.endless:
        return (
            _("tant que vous êtes titulaire") if not ends else _("%(first)s au plus tôt") % {"first": ends[0]}
        )
    if len(set(ends)) == 1:
        return ends[0]
    return _("%(first)s au plus tôt, %(last)s au plus tard") % {"first": ends[0], "last": ends[-1]}


def _spark(counts: Sequence[int], days: Sequence[date]) -> Spark:
    label = _("Lectures par jour sur %(days)s jours : %(total)s au total, %(most)s au plus en un jour") % {
        "days": len(days),
        "total": formats.number(sum(counts)),
        "most": formats.number(max(counts, default=0)),
    }
    found = unusual_day(counts)
    return sparkline(counts, label=label, hot=found.index if found else None)
