"""Pages of a table: `?page=` and `?par_page=`, the lengths that `{% pager %}` offers."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest

LENGTHS = (12, 50, 200)


def page_of(request: HttpRequest, rows: Any, *, length: int = LENGTHS[0], name: str = "page") -> Page[Any]:
    """The page that the address asks for; the nearest one when there is no such page."""
    lengths = {str(one): one for one in LENGTHS}
    chosen = lengths.get(request.GET.get("par_page", ""), length)
    return Paginator(rows, chosen).get_page(request.GET.get(name))
