"""What the account library asks of us: whom to let in, where its links lead, how its e-mails go out."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by companies' administrators and by the operator: nobody signs up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str) -> bool:
        """After sign-in one goes to a page of this host and no other, not even another name of the portal."""
        request: Any = self.request
        return bool(url) and url_has_allowed_host_and_scheme(
            url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # The library counts attempts by host name and address; by address alone, or each further name of the portal
        # would give five more guesses.
        return str(credentials.get("email", "")).strip().lower()
