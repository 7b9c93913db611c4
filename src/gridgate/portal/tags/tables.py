"""Tables: headers that sort, cells that become cards, pages."""

from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from gridgate.portal.tags.marks import drawn_icon, rendered

register = template.Library()


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
    arrow = drawn_icon({"ascending": "up", "descending": "down"}.get(direction, ""))
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
        rendered(content),
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
