"""Who may open a page. Views name it with one decorator; queries decide which objects they find.

A page is for people who act for a company, unless it says `account_page`: then for everyone who has an account.

Three answers, and never another: a page that is known but asks a right the person lacks is a 403 that names
whom to ask; an object of another company, or outside the perimeter, is the same 404 as one that does not
exist; nobody signed in goes to the sign-in page.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.organisations.models import Membership, User
from gridgate.portal.kit import formats
from gridgate.portal.refusals import error_pages

View = Callable[..., HttpResponseBase]


class MemberRequest(HttpRequest):
    """A request of somebody who acts for a company, as every view receives it unless it is marked
    `login_not_required` or `account_page`.
    """

    user: User
    membership: Membership


class AccountRequest(HttpRequest):
    """A request of somebody signed in, who may act for no company; of views marked `account_page`."""

    user: User
    membership: Membership | None


def account_page(view: View) -> View:
    """For everyone who has an account, be it for a company or for none."""
    view.account_page = True  # type: ignore[attr-defined]
    return view


def entitlement_required(code: str) -> Callable[[View], View]:
    """For members with the entitlement, such as `EntitlementCode.DATA_SERVICES`; administrators hold all."""
    return _guard(lambda actor: actor.has(code), lambda request: error_pages.no_entitlement(request, code))


def operator_required(view: View) -> View:
    """For the staff of the network operator."""
    return _guard(lambda actor: actor.organisation.is_operator, error_pages.forbidden)(view)


def administrator_required(view: View) -> View:
    """For the administrators of the company."""
    return _guard(
        lambda actor: actor.is_administrator,
        lambda request: error_pages.no_entitlement(request, "administration"),
    )(view)


def _guard(
    allows: Callable[[Membership], bool], refuse: Callable[[HttpRequest], HttpResponse]
) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            actor = getattr(request, "membership", None)
            if actor is None or not allows(actor):
                return refuse(request)
            return view(request, *args, **kwargs)

        return guarded

    return decorate


class SignInMiddleware(LoginRequiredMiddleware):
    """Sends to the sign-in page who is not signed in; who was until now learns there why."""

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> HttpResponseRedirect:
        if request.COOKIES.get(settings.SESSION_COOKIE_NAME) and request.session.is_empty():
            ended = getattr(request, "acted_under", None)
            messages.info(request, _session_over() if ended is None else acts_no_more(ended))
        return super().handle_no_permission(request, view_func)


def _session_over() -> str:
    return _(
        "Votre session a pris fin : elle a expiré, vos moyens de connexion ont changé, ou elle a été fermée "
        "d’ailleurs."
    )


def acts_no_more(membership: Membership) -> str:
    """Of a membership that has ended, in a sentence to whose it was."""
    company = membership.organisation.legal_name
    if membership.ended_by_its_day:
        return _("Vous agissiez pour %(company)s jusqu’au %(day)s inclus. Cette date est passée.") % {
            "company": company,
            "day": formats.long_day(membership.last_day),
        }
    return _("Vous n’agissez plus pour %(company)s.") % {"company": company}


class CompanyMiddleware:
    """Keeps the pages that are about a company from people who act for none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_: Any) -> HttpResponse | None:
        if not request.user.is_authenticated or getattr(request, "membership", None) is not None:
            return None
        open_to_all = not getattr(view, "login_required", True)
        return (
            None if open_to_all or getattr(view, "account_page", False) else error_pages.no_company(request)
        )


class RefusalMiddleware:
    """Turns what queries, operations and addresses refuse into a page, so that no view has to or answers
    otherwise.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        return (
            error_pages.takes_forms_only(request, response)
            if _takes_forms_only(request, response)
            else response
        )

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        page = _PAGES.get(exception.kind) if isinstance(exception, GridgateError) else None
        return page(request, exception) if page else None


def _takes_forms_only(request: HttpRequest, response: HttpResponse) -> bool:
    """Of a page asked for, Django's own refusal, and not the answer of an interface in its own words."""
    refused = isinstance(response, HttpResponseNotAllowed) and not response.content
    return refused and request.method in ("GET", "HEAD")


_PAGES: dict[ErrorKind, Callable[[HttpRequest, Exception], HttpResponse]] = {
    ErrorKind.NOT_FOUND: error_pages.not_found,
    ErrorKind.FORBIDDEN: error_pages.forbidden,
    ErrorKind.MALFORMED: error_pages.bad_request,
    ErrorKind.INVALID: error_pages.bad_request,
    ErrorKind.UNAVAILABLE: error_pages.unavailable,
}
