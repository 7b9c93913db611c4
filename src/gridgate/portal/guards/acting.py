"""For which company a form was opened, and the check that it acts for no other.

A person may act for several companies, one at a time in all their tabs. `{% csrf_token %}`, which every form holds, says
by its company's SIREN for whom the page was drawn; a form that says another company than the one open now, or none, is
refused before its view is called. Only what is named in `FOR_NO_COMPANY` is taken without.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase

from gridgate.accounts.middleware import choose_membership
from gridgate.organisations.models import Membership, User
from gridgate.organisations.queries import memberships_of
from gridgate.portal.guards.access import View
from gridgate.portal.refusals import error_pages

FIELD = "acting_for"
"""Of every form: the SIREN of the company it was opened for; empty for somebody who acts for none."""
BACK = "back_to_company"
"""Of the page of refusal: to act again for the company that the form names, and send it anew."""

SIREN = re.compile("[0-9]{9}")

OF_A_PAGE = frozenset({"csrfmiddlewaretoken", FIELD, BACK})
"""Fields of one page, not of what a person typed: a page that sends a form on has its own."""

FOR_NO_COMPANY = frozenset(
    {
        # One's own account, the same for every company.
        "account",
        "account_codes",
        "account_data",
        "account_deletion",
        "account_external",
        "account_key",
        "account_key_add",
        "account_notices",
        "account_password",
        "account_sessions",
        "account_totp",
        "step_up",
        "terms_accept",
        # Which company is open.
        "switch_organisation",
    }
)
"""Names of addresses whose forms act for a person. Those opened without signing in act for nobody, and need no name."""


def siren_of(request: HttpRequest) -> str | None:
    """What forms of the page say; None when nobody is signed in, or when the page tells that the registry does not
    answer.
    """
    membership: Membership | None = getattr(request, "membership", None)
    if membership is not None:
        return membership.organisation.siren
    if not hasattr(request, "membership"):
        return None
    return "" if getattr(getattr(request, "user", None), "is_authenticated", False) else None


def refusal(request: HttpRequest) -> HttpResponse | None:
    """The answer to a form that was opened for another company than the one open now; None for any other."""
    opened_for = sent_for(request)
    if opened_for == {siren_of(request)}:
        return None
    theirs = _one_of_theirs(request, opened_for)
    if theirs is not None and BACK in request.POST:
        choose_membership(request, theirs)
        request.session.save()  # at once: the form that follows is refused unless it is
        return HttpResponseRedirect(request.get_full_path(), preserve_request=True)
    # A form whose files are lost is filled in again: sent without them, it could say what nobody meant. One of a
    # button alone has no fields, and can be sent.
    kept = None if theirs is None or request.FILES else _kept(request)
    return error_pages.other_company(request, theirs, kept)


def sent_for(request: HttpRequest) -> set[str]:
    """The companies that the form says it was opened for: one, unless it was made by hand."""
    return set(request.POST.getlist(FIELD))


def _kept(request: HttpRequest) -> list[tuple[str, str]]:
    """The form as it was sent, but for what belongs to the page that sent it."""
    return [
        (name, value) for name, values in request.POST.lists() if name not in OF_A_PAGE for value in values
    ]


def _one_of_theirs(request: HttpRequest, opened_for: set[str]) -> Membership | None:
    """What the person is in the company that the form names; a company that is not theirs stays unknown."""
    siren = min(opened_for, default="")
    if len(opened_for) != 1 or not isinstance(request.user, User) or not SIREN.fullmatch(siren):
        return None
    return memberships_of(user=request.user).filter(organisation__siren=siren).first()


def for_its_company(view: View) -> View:
    """The check, for a view that the middleware leaves alone because it says `checks_company`."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        refused = refusal(request) if _acts(request) else None
        return view(request, *args, **kwargs) if refused is None else refused

    return checked


def _acts(request: HttpRequest) -> bool:
    """It is a form, of somebody signed in."""
    return request.method not in ("GET", "HEAD", "OPTIONS") and siren_of(request) is not None


class ActingMiddleware:
    """Refuses forms of another company. It stands behind what decides who is asking."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_: Any) -> HttpResponse | None:
        if not _acts(request):
            return None
        if not getattr(view, "login_required", True) or getattr(view, "checks_company", False):
            return None
        match = request.resolver_match
        return None if match is not None and match.url_name in FOR_NO_COMPANY else refusal(request)
