"""Days and instants as a page writes them."""

from datetime import date, datetime

from django import template
from django.template.context import Context
from django.utils import timezone
from django.utils.html import format_html

from gridgate.portal.kit import formats

register = template.Library()


@register.filter
def day(value: date | datetime | None) -> str:
    """In a table: `17 nov. 2026`."""
    return formats.day(value)


@register.filter
def long_day(value: date | datetime | None) -> str:
    """In a sentence: `17 novembre 2026`."""
    return formats.long_day(value)


@register.filter
def week_day(value: date | datetime | None) -> str:
    """`mardi 17 novembre 2026`."""
    return formats.week_day(value)


@register.filter
def day_in_week(value: date | datetime | None) -> str:
    """`mardi 17`, as the first column of a week."""
    return formats.day_in_week(value)


@register.filter
def day_and_month(value: date | datetime | None) -> str:
    """`10 novembre`."""
    return formats.day_and_month(value)


@register.filter
def month(value: date | datetime | None) -> str:
    """`novembre 2026`."""
    return formats.month(value)


@register.simple_tag
def period(first: date | None, last: date | None) -> str:
    """Both days included: `{% period first last %}` → `9 – 15 novembre 2026`."""
    return formats.period(first, last)


@register.filter
def clock(instant: datetime | None, seconds: str = "") -> str:
    """`14:32`; `{{ at|clock:"seconds" }}` → `14:32:07`."""
    return formats.clock(instant, seconds=bool(seconds))


@register.filter
def moment(instant: datetime | None, seconds: str = "") -> str:
    """`17 novembre 2026 à 14:32`; with `:"seconds"` for a proof, `… à 14:32:07`."""
    return formats.moment(instant, seconds=bool(seconds))


@register.simple_tag(takes_context=True)
def relative(context: Context, instant: datetime | None) -> str:
    """`{% relative instant %}` → `aujourd’hui à 05:02`. Counts from `now` in the context, else from the
    clock.
    """
    return formats.relative(instant, context.get("now") or timezone.now())


@register.simple_tag(name="time")
def time_element(instant: date | datetime | None, text: str = "") -> str:
    """A `<time>` that machines can read: `{% time at %}`, `{% time at text %}`; default text as `day`, with
    the hour for instants.
    """
    if instant is None:
        return formats.NONE
    if not isinstance(instant, datetime):
        return format_html(
            '<time class="nowrap" datetime="{}">{}</time>', instant.isoformat(), text or formats.day(instant)
        )
    at = formats.local(instant)
    shown = text or f"{formats.day(at.date())} {formats.clock(at)}"
    return format_html('<time class="nowrap" datetime="{}">{}</time>', at.isoformat(), shown)
