"""Who may ask for a code: members who may make requests, and people who act for no company, for themselves."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from gridgate.eic.kind import EIC, may_request
from gridgate.eic.models import EicRequest
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.portal.guards.access import AccountRequest, account_page
from gridgate.portal.refusals import error_pages

View = Callable[..., HttpResponseBase]


def asker_required(view: View) -> View:
    """For those who may make requests; the operator's staff treat them, and make none."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        actor: Membership | None = getattr(request, "membership", None)
        if may_request(actor):
            return view(request, *args, **kwargs)
        if actor is not None and actor.organisation.is_operator:
            return error_pages.forbidden(request)
        return error_pages.no_entitlement(request, EntitlementCode.REQUESTS)

    return account_page(guarded)


def own_request(request: AccountRequest, number: str) -> EicRequest:
    """One of the person's, or of their company's. Raises `RequestNotFound`."""
    return EIC.one_of(number, user=request.user, actor=request.membership)
