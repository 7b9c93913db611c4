"""What the account library asks of us: whom to let in, where its links lead, how its e-mails go out."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _

from gridgate.organisations.models import User
from gridgate.organisations.security.log import address_of, tell
from gridgate.organisations.security.proof import By, prove
from gridgate.organisations.security.sessions import see
from gridgate.organisations.security.sign_ins import device_of, name_device, record_sign_in


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # the library has no types
    """Accounts are made by companies' administrators and by the operator: nobody signs up."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _(
            "Adresse ou mot de passe incorrect. Après cinq essais, une pause de cinq minutes s’impose."
        ),
        "too_many_login_attempts": _(
            "Trop d’essais. Revenez dans cinq minutes, ou demandez un nouveau mot de passe."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        """After sign-in one goes to a page of this host and no other, not even another name of the portal."""
        request: Any = self.request
        return bool(url) and url_has_allowed_host_and_scheme(
            url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )

    def is_ajax(self, request: HttpRequest) -> bool:
        """Never: the same page for every browser, whatever header it sends."""
        return False

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the screens say in their own words what there is to say."""

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt, and refuse it when there were too many.

        In one transaction of the database that keeps the counts: the library's own lock runs out after a while and
        its writes may fail in silence, so that on a slow disk two attempts could be counted as one.
        """
        refusal = None
        with transaction.atomic():
            try:
                super().pre_authenticate(request, **credentials)
            except ValidationError as error:
                refusal = error  # raised below, so that what was counted by address stays counted
        if refusal is not None:
            raise refusal

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Tell the log. Not which address was typed: it may be a password in the wrong field."""
        known = User.objects.filter(email__iexact=str(credentials.get("email", ""))).first()
        tell("sign-in refused", request=request, user=known, method="password")

    def get_login_stages(self) -> list[str]:
        return ["gridgate.organisations.security.stages.SecondFactorStage"]

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Whoever signs in by any door passes here: it is written down, told, and shown in the list of sessions."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        now, device, method = timezone.now(), device_of(request), _method(request, user)
        record_sign_in(
            user=user,
            method=method,
            address=address_of(request),
            user_agent=request.headers.get("User-Agent", ""),
            device=device,
            now=now,
        )
        name_device(response, device)
        see(request)
        if method in SECOND_FACTORS:
            prove(request, user, By.FACTOR, now=now)
        tell("signed in", request=request, user=user, method=method)
        return response

    def forget_failures(self, request: HttpRequest, *, email: str) -> None:
        """Let the person try again at once: they have just proved who they are in another way."""
        self._delete_login_attempts_cached_email(request, email=email)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # The library counts attempts by host name and address; by address alone, or each further name of the
        # portal would give five more guesses.
        return str(credentials.get("email", "")).strip().lower()


SECOND_FACTORS = ("totp", "webauthn", "recovery_codes")


def _method(request: HttpRequest, user: User) -> str:
    """How the person proved who they are, by the strongest of what they gave."""
    records = get_authentication_records(request, user)
    factors = [str(record["type"]) for record in records if record.get("method") == "mfa"]
    if factors:
        return factors[-1]
    by_provider = any(record.get("method") == "socialaccount" for record in records)
    return "openid" if by_provider else "password"
