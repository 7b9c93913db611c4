"""A copy of all that the portal holds about the person: asked by a button, there at once."""

import json
from collections.abc import Iterator
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from gridgate.accounts.personal_data import export_of, reads_of
from gridgate.accounts.security.pace import Attempt, Limit
from gridgate.organisations.models import User
from gridgate.portal.guards.access import AccountRequest, account_page
from gridgate.portal.guards.terms import before_terms
from gridgate.portal.refusals.waits import wait_first


@require_http_methods(["GET", "HEAD", "POST"])
@account_page
@before_terms
def page(request: AccountRequest) -> HttpResponseBase:
    """What the file holds; sent, the file."""
    if request.method != "POST":
        return render(request, "account/personal_data.html")
    now = timezone.now()
    attempt = Attempt(_twenty_an_hour(request.user), now=now)
    if not attempt.allowed:
        return wait_first(request, attempt)
    name = f"gridgate-{now:%Y-%m-%d}.json"
    return StreamingHttpResponse(
        _file(export_of(user=request.user, now=now), reads_of(user=request.user)),
        content_type="application/json; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
        },
    )


def _twenty_an_hour(user: User) -> Limit:
    """Each copy reads all that there is of the person."""
    return Limit(f"copies of the data of {user.pk}", 20, 60, 180, 180)


def _file(held: dict[str, Any], reads: Iterator[dict[str, Any] | None]) -> Iterator[str]:
    """One JSON object, `reads` last and written as they come: there may be years of them; after them how many could not
    be read.
    """
    yield json.dumps(held, ensure_ascii=False, indent=1).removesuffix("\n}") + ',\n "reads": ['
    before, unreadable = "\n  ", 0
    for read in reads:
        if read is None:
            unreadable += 1
            continue
        yield before + json.dumps(read, ensure_ascii=False)
        before = ",\n  "
    yield f'\n ],\n "reads_unreadable": {unreadable}\n}}\n'
