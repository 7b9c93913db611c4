"""`{% load gridgate %}`: formatting filters and the components that take arguments. The recipe is
docs/3-extending/screen.md.
"""

import re
from datetime import date, datetime
from html import unescape
from typing import Any

from django import template
from django.forms import BoundField
from django.template.context import Context
from django.template.defaulttags import CsrfTokenNode
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import conditional_escape, format_html, format_html_join, strip_tags
from django.utils.safestring import SafeString, mark_safe

from gridgate.organisations.handles import handle_of
from gridgate.portal.guards import acting
from gridgate.portal.kit import formats, icons
from gridgate.portal.kit.charts.spark import Spark
from gridgate.portal.kit.formats import Number
from gridgate.portal.shell.favourites import star_of

register = template.Library()

_REFERENCE = re.compile(r"\b[A-Z]{2,4}-[0-9]{4,8}-[0-9A-Z]{4,8}\b")
"""What `core.references` draws, behind its prefix and its year or day."""

# --- Names of rows ---------------------------------------------------------------------------------------


@register.filter
def handle(number: int, kind: str) -> str:
    """What a row is called outside: `{{ group.pk|handle:"group" }}`."""
    return handle_of(kind, number)


# --- Numbers ---------------------------------------------------------------------------------------------


@register.filter
def num(value: Number | None, decimals: int = 0) -> str:
    """`{{ count|num }}` → `3 248`; `{{ value|num:1 }}` → `59,4`."""
    return formats.number(value, int(decimals))


@register.filter
def kwh(watt_hours: Number | None, decimals: int = 0) -> str:
    """Wh as kWh, without the unit (it is in the column's header): `{{ 16683000|kwh }}` → `16 683`."""
    return formats.number(None if watt_hours is None else watt_hours / 1000, int(decimals))


@register.filter
def kw(watts: Number | None, decimals: int = 0) -> str:
    """W as kW (or VA as kVA), without the unit: `{{ 262000|kw:1 }}` → `262,0`."""
    return formats.number(None if watts is None else watts / 1000, int(decimals))


@register.filter
def quantity(value: Number | None, unit: str) -> str:
    """In the unit that reads best: `{{ 965400000|quantity:"Wh" }}` → `965 MWh`; also "W" and "VA"."""
    return formats.quantity(value, unit)


@register.filter
def before_unit(unit: str) -> str:
    """What stands between a number and its unit where each is an element: `{{ unit|before_unit }}`."""
    return formats.before_unit(unit)


@register.filter
def percent(ratio: Number | None, decimals: int = 0) -> str:
    """A ratio of 0 to 1: `{{ 0.955|percent:1 }}` → `95,5 %`."""
    return formats.percent(ratio, int(decimals))


@register.filter
def duration(seconds: Number | None) -> str:
    """`{{ 5400|duration }}` → `1 h 30`."""
    return formats.duration(seconds)


@register.filter
def dash(value: object) -> object:
    """`–` for nothing (None or an empty text); 0 stays 0."""
    return formats.NONE if value is None or value == "" else value


# --- Days and instants -----------------------------------------------------------------------------------


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


# --- Identifiers and names -------------------------------------------------------------------------------


@register.filter
def id_groups(identifier: str | None) -> str:
    """PRM, SIREN, GSRN grouped for the eye, bare digits in the clipboard: `{{ point.id|id_groups }}`."""
    if not identifier:
        return formats.NONE
    parts = format_html_join("", "<i>{}</i>", ((part,) for part in formats.groups(str(identifier))))
    return format_html('<span class="id">{}</span>', parts)


@register.filter
def whole(code: object) -> str:
    """An EIC code, a number of a request, an address: no line breaks at their hyphens; a long address breaks between its
    parts alone. `{{ code|whole }}`.
    """
    parts = re.split(r"(?<=[/?&])(?=.)", str(code or formats.NONE))
    return format_html_join(mark_safe("<wbr>"), '<span class="id">{}</span>', ((part,) for part in parts))


@register.filter
def unbroken(text: object) -> str:
    """A sentence whose numbers of requests and of receipts no line breaks: `{{ message|unbroken }}`."""
    return mark_safe(_REFERENCE.sub(r'<span class="id">\g<0></span>', conditional_escape(str(text))))  # noqa: S308 -- escaped


@register.filter(is_safe=True)
def elided(text: str) -> str:
    """`{% filter elided %}` around a sentence with a name after « de » or « que »: `d’ACME`, `qu’ACME`."""
    return formats.elided(text)


@register.simple_tag
def mono(name: str, own: bool = False, size: str = "") -> str:
    """The square with a company's initials, beside its name: `{% mono company.legal_name own=True size="s"
    %}`.
    """
    classes = " ".join(filter(None, ["mono", size, "own" if own else ""]))
    return format_html('<span class="{}" aria-hidden="true">{}</span>', classes, formats.initials(name))


# --- Icons, tags, notices --------------------------------------------------------------------------------


@register.simple_tag
def icon(name: str, label: str = "") -> str:
    """`{% icon "check" %}` beside a word; alone it needs a name: `{% icon "check" label=_("Actif") %}`."""
    if name not in icons.names():
        raise template.TemplateSyntaxError(
            f"no icon {name!r} in static/icons.svg; there are: {', '.join(sorted(icons.names()))}"
        )
    target = f"{static('icons.svg')}#i-{name}"
    if label:
        return format_html('<svg class="i" role="img" aria-label="{}"><use href="{}"/></svg>', label, target)
    return format_html('<svg class="i" aria-hidden="true"><use href="{}"/></svg>', target)


_TAG_ICONS = {"good": "check", "warn": "alert", "bad": "x", "info": "info"}


@register.simple_tag
def tag(tone: str, text: str, icon: str | None = None) -> str:
    """A state in two or three words: `{% tag "good" _("Actif") %}`. Tones: good warn bad info "" (each with
    its icon, or `icon="lock"`).
    """
    drawn = _icon(_TAG_ICONS.get(tone, "") if icon is None else icon)
    return format_html('<span class="{}">{}{}</span>', f"tag {tone}".strip(), drawn, text)


def _icon(name: str) -> str:
    return icon(name) if name else ""


def _rendered(content: str) -> SafeString:
    """What the template put between a tag and its end: already escaped by the template itself."""
    return mark_safe(content.strip())  # noqa: S308


@register.simple_block_tag
def notice(content: str, tone: str = "", title: str = "", icon: str | None = None, role: str = "") -> str:
    """`{% notice "warn" title=_("7 compteurs sans données") %}what to do, with the link{% endnotice %}`;
    tones as for `tag`.
    """
    drawn = _icon(_TAG_ICONS.get(tone, "info") if icon is None else icon)
    head = format_html("<p><b>{}</b></p>", title) if title else ""
    body = content.strip()
    if body and not body.startswith("<"):
        body = format_html("<p>{}</p>", _rendered(body))
    attribute = format_html(' role="{}"', role) if role else ""
    return format_html(
        '<div class="{}"{}>{}<div>{}{}</div></div>',
        f"notice {tone}".strip(),
        attribute,
        drawn,
        head,
        _rendered(body),
    )


@register.simple_block_tag
def empty(content: str, icon: str, title: str, level: int = 3) -> str:
    """What will be here and the one thing to do: `{% empty "share" title=_("Personne ne lit vos données")
    %}<p>…</p><a class="btn">…</a>{% endempty %}`.
    """
    return format_html(
        '<div class="empty">{}<h{}>{}</h{}>{}</div>',
        _icon(icon),
        level,
        title,
        level,
        _rendered(content),
    )


# --- Tables ----------------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def th(
    context: Context, text: str, num: bool = False, sort: str = "", hidden: bool = False, css: str = ""
) -> str:
    """A column header. `sort="name"` makes it a link that sets `?tri=name` (then `-name`), keeping the rest
    of the address.
    """
    classes = " ".join(filter(None, ["num" if num else "", css]))
    attributes = format_html(' class="{}"', classes) if classes else ""
    if hidden:
        inner: str = format_html('<span class="vh">{}</span>', text)
    elif sort:
        inner, direction = _sort_link(context, text, sort)
        attributes = format_html('{} aria-sort="{}"', attributes, direction) if direction else attributes
    else:
        inner = text
    return format_html('<th role="columnheader" scope="col"{}>{}</th>', attributes, inner)


def _sort_link(context: Context, text: str, sort: str) -> tuple[str, str]:
    request = context["request"]
    chosen = request.GET.get("tri", "")
    query = request.GET.copy()
    query["tri"] = f"-{sort}" if chosen == sort else sort
    query.pop("page", None)
    direction = {sort: "ascending", f"-{sort}": "descending"}.get(chosen, "")
    arrow = _icon({"ascending": "up", "descending": "down"}.get(direction, ""))
    return format_html('<a href="?{}">{}{}</a>', query.urlencode(), text, arrow), direction


@register.simple_block_tag
def td(content: str, label: str = "", num: bool = False, css: str = "") -> str:
    """A cell; `label` is its column's name, shown when rows become cards: `{% td _("Segment") %}{{
    point.segment }}{% endtd %}`.
    """
    classes = " ".join(filter(None, ["num" if num else "", css]))
    return format_html(
        '<td role="cell"{}{}>{}</td>',
        format_html(' class="{}"', classes) if classes else "",
        format_html(' data-l="{}"', label) if label else "",
        _rendered(content),
    )


@register.simple_tag(takes_context=True)
def pager(context: Context, page: Any, sizes: str = "12 50 200") -> SafeString:
    """Under a table: `{% pager page_obj %}`. Needs Django's `Page`; keeps the address, sets `?page=` and
    `?par_page=`.
    """
    request = context["request"]

    def address(**changes: object) -> str:
        query = request.GET.copy()
        for key, value in changes.items():
            query[key] = str(value)
        if "par_page" in changes:
            query.pop("page", None)
        return f"?{query.urlencode()}"

    lengths = [int(size) for size in sizes.split()]
    return render_to_string(
        "components/pager.html",
        {
            "page": page,
            "total": page.paginator.count,
            "previous": address(page=page.previous_page_number()) if page.has_previous() else "",
            "next": address(page=page.next_page_number()) if page.has_next() else "",
            "sizes": [(size, address(par_page=size), size == page.paginator.per_page) for size in lengths]
            if page.paginator.count > lengths[0]
            else [],
        },
    )


# --- Places ----------------------------------------------------------------------------------------------


@register.simple_tag
def crumb(text: str, url_name: str = "", *arguments: object) -> str:
    """One step of the breadcrumbs, in `{% block crumbs %}`: `{% crumb company.legal_name "sharing_company"
    company.siren %}`.
    """
    if not url_name:
        return format_html("<li>{}</li>", unbroken(text))
    return format_html('<li><a href="{}">{}</a></li>', reverse(url_name, args=arguments), unbroken(text))


@register.simple_tag
def url_or_nothing(url_name: str) -> str:
    """The address of a page that may not be installed; empty when it is not."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""


# --- Forms and charts ------------------------------------------------------------------------------------


@register.simple_tag
def field(bound: BoundField) -> SafeString:
    """A label, its hint, the control and its error, tied together: `{% field form.prm %}`."""
    return SafeString(bound.as_field_group())


@register.simple_tag(takes_context=True)
def csrf_token(context: Context, siren: str | None = None) -> str:
    """Django's, of every form that is posted, and with it the company that the form is for: the one open now, or the
    one of this SIREN.
    """
    request = getattr(context, "request", None) or context.get("request")
    opened_for = acting.siren_of(request) if siren is None and request is not None else siren
    token = CsrfTokenNode().render(context)
    if opened_for is None:
        return token
    return token + format_html('<input type="hidden" name="{}" value="{}">', acting.FIELD, opened_for)


@register.simple_tag
def spark(chart: Spark) -> SafeString:
    """The sparkline of 30 days: `{% spark reads_per_day %}` with a `charts.sparkline(...)`."""
    return render_to_string("components/spark.html", {"chart": chart})


@register.simple_tag(takes_context=True)
def star(context: Context, title: str) -> SafeString:
    """The star by which a person keeps the page at hand; nothing on a page that is not one to keep."""
    plain = unescape(strip_tags(title)).strip()
    found = star_of(context["request"], plain)
    if found is None:
        return SafeString()
    return render_to_string("components/star.html", {"star": found, "title": plain}, context["request"])


# --- For skeletons ---------------------------------------------------------------------------------------


@register.simple_block_tag
def captured(content: str) -> str:
    """`{% captured as title %}{% block title %}{% endblock %}{% endcaptured %}`: a block whose text is used
    in several places.
    """
    return _rendered(content)
