"""Links to choose another password, and what a session keeps of one that was opened.

The link is good for an hour, and for the present password and last sign-in. Once opened, its token moves from the address
into the session; not the token itself, which would open the account to whoever reads sessions, but its hash and the
instant it was made at, from which it is worked out again to be compared.
"""

import hashlib

from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.utils.crypto import constant_time_compare
from django.utils.http import base36_to_int

from gridgate.organisations.models import User


class ResetLinks(PasswordResetTokenGenerator):
    """The library's tokens, that can be recognised by their hash."""

    def opened(self, token: str) -> str:
        """What to keep of the token of an opened link; it opens nothing by itself."""
        return f"{token.partition('-')[0]}-{hashlib.sha256(token.encode()).hexdigest()}"

    def is_good(self, user: User, opened: str) -> bool:
        """Whether the link that was opened still is good for this person."""
        try:
            at = base36_to_int(opened.partition("-")[0])
        except ValueError:
            return False
        for secret in (self.secret, *self.secret_fallbacks):
            token = self._make_token_with_timestamp(user, at, secret)
            if constant_time_compare(self.opened(token), opened):
                return bool(self.check_token(user, token))
        return False


reset_links = ResetLinks()
