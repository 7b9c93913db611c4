"""A copy of all that the portal holds about the person: asked by a button, there at once."""

import json
from collections.abc import Iterator
from typing import Any

from allauth.core import ratelimit
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from gridgate.organisations.personal_data import export_of, reads_of
from gridgate.portal.access import AccountRequest, account_page
from gridgate.portal.screens.activation.gate import before_terms


@require_http_methods(["GET", "HEAD", "POST"])
@account_page
@before_terms
def page(request: AccountRequest) -> HttpResponseBase:
    """What the file holds; sent, the file."""
    if request.method != "POST":
        return render(request, "account/personal_data.html")
    too_many: HttpResponse | None = ratelimit.consume_or_429(
        request, action="personal_data", user=request.user
    )
    if too_many is not None:
        return too_many
    now = timezone.now()
    name = f"gridgate-{now:%Y-%m-%d}.json"
    return StreamingHttpResponse(
        _file(export_of(user=request.user, now=now), reads_of(user=request.user)),
        content_type="application/json; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )


def _file(said: dict[str, Any], reads: Iterator[dict[str, Any]]) -> Iterator[str]:
    """One JSON object, `reads` last and written as they come: there may be years of them."""
    yield json.dumps(said, ensure_ascii=False, indent=1).removesuffix("\n}") + ',\n "reads": ['
    before = "\n  "
    for read in reads:
        yield before + json.dumps(read, ensure_ascii=False)
        before = ",\n  "
    yield "\n ]\n}\n"
