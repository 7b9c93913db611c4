"""The register that everyone who is signed in may look up, as a list and as a file."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from gridgate.eic.codes import examine
from gridgate.eic.kind import may_request
from gridgate.eic.models import EicCode
from gridgate.eic.queries import codes_readable_by, narrow_codes
from gridgate.portal.guards.access import AccountRequest, account_page
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.spreadsheet import table_response
from gridgate.portal.screens.eic import code_faults, naming
from gridgate.portal.screens.eic.register_forms import RegisterFilters
from gridgate.tables.known import EIC_CODES

ORDERS = {"code": "code", "nom": "display_name", "type": "type"}
COLUMNS = ("code", "type", "display_name", "long_name", "responsible_party", "parent", "status")


@require_safe
@account_page
def index(request: AccountRequest) -> HttpResponse:
    """Code, type, names, responsible party, status: what a public register shows."""
    readable = codes_readable_by(user=request.user, actor=request.membership)
    form = RegisterFilters(request.GET)
    page = page_of(request, ordered(narrow_codes(readable, form.wanted), request.GET.get("tri", "")))
    context = {
        "form": form,
        "filters": form.in_force(request),
        "total": readable.count(),
        "page_obj": page,
        "rows": [row_of(code) for code in page],
        "may_ask": may_request(request.membership),
    }
    return render(request, "eic/register.html", context)


@require_safe
@account_page
def export(request: AccountRequest) -> StreamingHttpResponse:
    """The same list as a file, which `gridgate eic import` reads."""
    readable = codes_readable_by(user=request.user, actor=request.membership)
    codes = ordered(narrow_codes(readable, RegisterFilters(request.GET).wanted), request.GET.get("tri", ""))
    return table_response(
        request,
        f"codes-eic-{timezone.localdate(timezone=timezone.get_default_timezone())}.csv",
        heads(COLUMNS),
        _lines(codes, get_language() or "fr"),
        sheet=_("Codes EIC"),
    )


def ordered(codes: QuerySet[EicCode], order: str) -> QuerySet[EicCode]:
    """In the order that `?tri=` asks for, `-` before it for the other way round; by display name otherwise."""
    column = ORDERS.get(order.removeprefix("-"), ORDERS["nom"])
    return codes.order_by(f"-{column}" if order.startswith("-") else column, "code")


def row_of(code: EicCode) -> dict[str, Any]:
    return {
        "code": code,
        "type_name": naming.type_name(code.type),
        "status": naming.status(code),
        "doubt": "" if code.valid else doubt(code),
    }


def doubt(code: EicCode) -> str:
    """Why a code that another office issued is not sound."""
    return code_faults.fault(examine(code.pk))


def heads(columns: Sequence[str]) -> list[str]:
    """In the reader's words, which `gridgate eic import` reads."""
    return [EIC_CODES.head(name, get_language() or "fr") for name in columns]


def line_of(code: EicCode) -> list[Any]:
    """In the language that is set."""
    status = naming.status(code).text
    names = (code.display_name, code.long_name, code.responsible_party, code.parent)
    return [code.pk, code.type, *names, status]


def _lines(codes: QuerySet[EicCode], language: str) -> Iterator[list[Any]]:
    """The request is over when they are written: the language is set again."""
    for code in codes.iterator(chunk_size=2_000):
        with override(language):
            yield line_of(code)
