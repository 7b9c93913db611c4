"""In which language a page is written: the one chosen with the language button, else the person's own, else
the browser's, else French.
"""

from typing import Any

from django.conf import settings
from django.contrib.auth import user_logged_in
from django.contrib.auth.decorators import login_not_required
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from gridgate.accounts.onwards import leads_here
from gridgate.accounts.operations.own_account import update_profile


class LanguageMiddleware(LocaleMiddleware):
    """Django's, with the preference kept in the account between the cookie and the browser's wish."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if settings.LANGUAGE_COOKIE_NAME in request.COOKIES:
            return
        preferred = request.session.get(PREFERENCE) if hasattr(request, "session") else None
        if preferred in dict(settings.LANGUAGES):
            translation.activate(preferred)
            request.LANGUAGE_CODE = translation.get_language()


PREFERENCE = "language"


@receiver(user_logged_in)
def remember_preference(request: HttpRequest | None, user: Any, **_: Any) -> None:
    """Signing in brings the language of the account, except where this browser chose one."""
    if request is not None:
        request.session[PREFERENCE] = getattr(user, "language", settings.LANGUAGE_CODE)


@login_not_required
@require_POST
def switch(request: HttpRequest) -> HttpResponse:
    """`POST /langue/`: remember the language in a cookie and in the account, then come back to the page."""
    response = set_language(request)
    if not leads_here(request, response.get("Location", "/")):
        response["Location"] = "/"
    code = request.POST.get("language")
    user = getattr(request, "user", None)
    if code in dict(settings.LANGUAGES) and user is not None and user.is_authenticated:
        update_profile(user=user, full_name=user.full_name, language=code)
        request.session[PREFERENCE] = code
    return response
