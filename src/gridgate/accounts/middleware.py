"""For which company a request acts; checked at every request, so that what ended has no effect any more."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control

from gridgate.accounts.own_account import acting_memberships, ended_membership
from gridgate.accounts.security.policy import with_asked_factor
from gridgate.accounts.security.sessions import SIGNED_IN_AT
from gridgate.organisations.models import Membership, User

MEMBERSHIP = "membership"
"""Session key: the membership that the person acts under."""


class MembershipMiddleware:
    """Sets `request.membership`, the actor of every query and operation; None when nobody is signed in, and for a
    person who acts for no company.

    The session ends, and the next page is the sign-in page, when the membership it was opened for has ended,
    when the account is disabled, when the password has changed elsewhere, and 12 hours after sign-in. Of the first,
    `request.acted_under` is what has ended.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        membership = _present_membership(request)
        if SESSION_KEY in request.session and (
            _is_over(request) or (membership is None and _had_one(request))
        ):
            request.acted_under = _acted_under(request)  # type: ignore[attr-defined]
            logout(request)
            membership = None
        request.membership = membership  # type: ignore[attr-defined]
        private = isinstance(request.user, User)
        response = self.get_response(request)
        if private and not response.has_header("Cache-Control"):
            # What one person saw must not come back from a shared computer's cache after they signed out.
            patch_cache_control(response, private=True, no_store=True)
        return response


def choose_membership(request: HttpRequest, membership: Membership) -> None:
    """Act for this company from the next request on."""
    request.session[MEMBERSHIP] = membership.pk


def _present_membership(request: HttpRequest) -> Membership | None:
    user = request.user
    if not isinstance(user, User) or _outlived(request.session):
        return None
    memberships = with_asked_factor(acting_memberships(user=user, path=request.path))
    if MEMBERSHIP in request.session:
        return memberships.filter(pk=request.session[MEMBERSHIP]).first()
    first = memberships.first()
    if first is not None:
        choose_membership(request, first)
    return first


def _is_over(request: HttpRequest) -> bool:
    return not isinstance(request.user, User) or _outlived(request.session)


def _had_one(request: HttpRequest) -> bool:
    """True when the session was opened for a company: it does not go on without."""
    return MEMBERSHIP in request.session


def _acted_under(request: HttpRequest) -> Membership | None:
    user = request.user
    if not isinstance(user, User) or _is_over(request):
        return None
    return ended_membership(user=user, pk=request.session[MEMBERSHIP])


def _outlived(session: Any) -> bool:
    # The session store counts from the last write; people are promised 12 hours from sign-in.
    return bool(timezone.now().timestamp() - session.get(SIGNED_IN_AT, 0) > settings.SESSION_COOKIE_AGE)
