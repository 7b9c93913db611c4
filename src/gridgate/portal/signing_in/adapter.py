"""What the account library asks of us: whom to let in, where its links lead, how its e-mails go out."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.authentication import get_authentication_records
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from gridgate.accounts.onwards import leads_here
from gridgate.accounts.security import external_factor
from gridgate.accounts.security.guesses import password_attempt
from gridgate.accounts.security.log import address_of, log_event
from gridgate.accounts.security.pace import Attempt, in_words
from gridgate.accounts.security.proof import By, prove
from gridgate.accounts.security.sessions import see
from gridgate.accounts.security.sign_ins import device_of, name_device, record_sign_in
from gridgate.core.text import address
from gridgate.organisations.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # the library has no types
    """Accounts are made by companies' administrators and by the operator: nobody signs up."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": _(
            "Adresse ou mot de passe incorrect. Après plusieurs essais, une pause s’impose."
        ),
        "too_many_login_attempts": _(
            "Trop d’essais. Réessayez dans %(wait)s, ou demandez un nouveau mot de passe."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        """After sign-in one goes to a page of this host and no other, not even another name of the portal."""
        return leads_here(self.request, url or "")

    def is_ajax(self, request: HttpRequest) -> bool:
        """Never: the same page for every browser, whatever header it sends."""
        return False

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the screens say in their own words what there is to say."""

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt in our own way, and refuse it when there were too many for now."""
        attempt = password_attempt(request, email=_address(credentials))
        request.sign_in_attempt = attempt  # type: ignore[attr-defined]
        if not attempt.allowed:
            said = self.error_messages["too_many_login_attempts"] % {"wait": in_words(attempt.wait)}
            raise ValidationError(said, code="too_many_login_attempts")

    def _rollback_login_failed_rl_usage(self) -> None:
        """The library calls it for an attempt that has succeeded."""
        attempt: Attempt = self.request.sign_in_attempt
        attempt.take_back()

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Tell the log. Not which address was typed: it may be a password in the wrong field."""
        known = User.objects.filter(email__iexact=str(credentials.get("email", ""))).first()
        log_event("sign-in refused", request=request, user=known, method="password")

    def get_login_stages(self) -> list[str]:
        return ["gridgate.portal.signing_in.stages.SecondFactorStage"]

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
        external_factor.keep(request, user)
        told = {"second_factor": "provider"} if external_factor.is_brought(request, user) else {}
        log_event("signed in", request=request, user=user, method=method, **told)
        return response


SECOND_FACTORS = ("totp", "webauthn", "recovery_codes")


def _address(credentials: dict[str, Any]) -> str:
    return address(str(credentials.get("email", "")))


def _method(request: HttpRequest, user: User) -> str:
    """How the person proved who they are, by the strongest of what they gave."""
    records = get_authentication_records(request, user)
    factors = [str(record["type"]) for record in records if record.get("method") == "mfa"]
    if factors:
        return factors[-1]
    by_provider = any(record.get("method") == "socialaccount" for record in records)
    return "openid" if by_provider else "password"
