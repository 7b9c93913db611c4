"""What a person reads when a page fails: what happened, what was kept, what to do, a reference to quote."""

import logging
import secrets
import sys
from collections.abc import Sequence
from typing import Any, TypeGuard

from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, DataError, IntegrityError, ProgrammingError
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template
from django.utils.translation import gettext as _

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.unavailability import is_unavailable
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.organisations.queries import administrators_of
from gridgate.sharing.signing import KeyUnusable

log = logging.getLogger("gridgate.portal.errors")
RETRY_SECONDS = 60


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, "errors/400.html", 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return _page(request, "errors/403.html", 403)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form sent from a page too old to be trusted, or from another site."""
    log.warning("form refused: %s", reason)
    return _page(request, "errors/403_form.html", 403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Absent and unreadable look the same."""
    return _page(request, "errors/404.html", 404)


def takes_forms_only(request: HttpRequest, allowed: HttpResponse) -> HttpResponse:
    """405 for an address that forms are sent to, opened as a page. `allowed` says the methods it takes.

    Of a form sent after the session had ended, the sign-in page comes back to such an address.
    """
    page = _page(request, "errors/405.html", 405)
    page["Allow"] = allowed["Allow"]
    return page


def unavailable(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """503 for what does not answer for now: the registry, the measurements, the access log, the key that signs receipts.

    The page says what was kept; what it is and the remedy go to the process's log, for whoever runs the portal: in one
    line, for there is no defect to find in a stack.
    """
    reference = _reference()
    log.error(
        "unavailable: %s %s, reference %s: %s", request.method, request.path, reference, _told(exception)
    )
    name = "errors/503_key.html" if isinstance(exception, KeyUnusable) else "errors/503.html"
    sent = request.method == "POST"
    again = request.path if sent else request.get_full_path()
    page = _render(request, name, 503, reference, {"sent": sent, "again": again})
    page["Retry-After"] = str(RETRY_SECONDS)
    page._has_been_logged = True  # type: ignore[attr-defined]  # or Django does so too, with the stack
    return page


def server_error(request: HttpRequest) -> HttpResponse:
    """Asks nothing of the registry when the registry is what failed, and says that it comes back."""
    error = sys.exception()
    if _does_not_answer(error):
        try:
            return unavailable(_of_nobody(request), error)
        except Exception:  # what follows asks for less
            log.exception("the page that says so failed too")
    reference = _reference()
    log.error("page failed: %s %s, reference %s", request.method, request.path, reference)
    try:
        return _render(request, "errors/500.html", 500, reference)
    except Exception:  # the failure page must come whatever failed
        log.exception("the failure page failed too, reference %s", reference)
        text = _(
            "Cette page n’a pas pu s’afficher. Rien n’a été enregistré. Référence à citer : %(reference)s"
        )
        return HttpResponse(
            text % {"reference": reference}, status=500, content_type="text/plain; charset=utf-8"
        )


def no_entitlement(request: HttpRequest, code: str) -> HttpResponse:
    """403 for a page that exists but asks an entitlement the person has not: names the entitlement and who
    can give it.
    """
    membership = getattr(request, "membership", None)
    context = {
        "entitlement": EntitlementCode(code).label
        if code in EntitlementCode.values
        else _("Administration de l’entreprise"),
        "administrators": _administrators(membership),
    }
    return _page(request, "403_entitlement.html", 403, context)


def no_company(request: HttpRequest) -> HttpResponse:
    """403 for a page about a company, asked for by a person who acts for none."""
    return _page(request, "errors/403_company.html", 403)


def other_company(
    request: HttpRequest, opened_for: Membership | None, fields: Sequence[tuple[str, str]] | None
) -> HttpResponse:
    """409 for a form opened for another company than the one open now. `opened_for` is what the person is there;
    `fields`, what they typed, is sent again if they go back to it; None for a form that cannot be sent again.
    """
    context = {
        "opened_for": opened_for,
        "can_be_sent": fields is not None,
        "fields": fields,
        "path": request.get_full_path(),
    }
    log.warning("form of another company refused: %s", request.path)
    return _page(request, "errors/409_company.html", 409, context)


def _does_not_answer(error: BaseException | None) -> TypeGuard[Exception]:
    """A database that is not there, that is damaged, or whose disk is full; not one that refuses what a defect of ours
    wrote.
    """
    if is_unavailable(error):
        return True
    if isinstance(error, GridgateError):
        return error.kind is ErrorKind.UNAVAILABLE
    ours = (IntegrityError, DataError, ProgrammingError)
    return isinstance(error, DatabaseError) and not isinstance(error, ours)


def _told(error: BaseException | None) -> str:
    """What does not answer, and the remedy, in one line."""
    cause = error
    while cause is not None and not isinstance(cause, GridgateError):
        cause = cause.__cause__
    if cause is not None or not isinstance(error, DatabaseError):
        return str(cause or error)
    first = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    return f"{first}. Run gridgate check, which says what is wrong with the instance's files and what to do."


def _of_nobody(request: HttpRequest) -> HttpRequest:
    """Who asks cannot be told while the registry does not answer: nothing that is drawn may depend on it."""
    request.user = AnonymousUser()
    request.membership = None  # type: ignore[attr-defined]
    return request


def _administrators(membership: Membership | None) -> Sequence[Membership]:
    return [] if membership is None else list(administrators_of(actor=membership)[:10])


def _reference() -> str:
    return secrets.token_hex(4).upper()


def _page(
    request: HttpRequest, template: str, status: int, context: dict[str, Any] | None = None
) -> HttpResponse:
    reference = _reference()
    log.info("answered %s: %s %s, reference %s", status, request.method, request.path, reference)
    return _render(request, template, status, reference, context)


def _render(
    request: HttpRequest, template: str, status: int, reference: str, context: dict[str, Any] | None = None
) -> HttpResponse:
    """With the menu when somebody is signed in, without it otherwise."""
    try:
        known = bool(getattr(getattr(request, "user", None), "is_authenticated", False))
    except DatabaseError:
        known = False
    layout = "base.html" if known else "solo.html"
    values = {"layout": layout, "reference": reference, "status": status, **(context or {})}
    return HttpResponse(get_template(template).render(values, request), status=status)
