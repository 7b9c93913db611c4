"""What the account library asks of us: whom to let in, where its links lead, how its e-mails go out."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy as _


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

    def forget_failures(self, request: HttpRequest, *, email: str) -> None:
        """Let the person try again at once: they have just proved who they are in another way."""
        self._delete_login_attempts_cached_email(request, email=email)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # The library counts attempts by host name and address; by address alone, or each further name of the
        # portal would give five more guesses.
        return str(credentials.get("email", "")).strip().lower()
