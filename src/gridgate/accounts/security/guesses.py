"""How often a password or a second factor may be guessed.

Guesses are counted by account, and apart for a device that has signed in to the account before: whoever guesses at
somebody's password from elsewhere makes strangers wait, and not them.
"""

from django.http import HttpRequest
from django.utils import timezone

from gridgate.accounts.security.pace import (
    Attempt,
    by_account,
    by_address,
    forget,
)
from gridgate.accounts.security.session_store import kept_as
from gridgate.accounts.security.sign_ins import known_device
from gridgate.organisations.models import User

VOUCHED = "vouched"
"""Session key: the address whose mailbox was proved in this session, and when (seconds since 1970 UTC)."""
VOUCHED_SECONDS = 900


def password_attempt(request: HttpRequest, *, email: str) -> Attempt:
    """One guess at the password of an address, which may have no account: then it is counted all the same."""
    now = timezone.now()
    trusted = known_device(request, email=email) or _vouched(request, email)
    if trusted:
        return Attempt(by_account(f"password of {email} on {trusted}"), now=now)
    return Attempt(by_account(f"password of {email}"), by_address("guesses", request), now=now)


def factor_attempt(request: HttpRequest, user: User) -> Attempt:
    """One guess at the second factor of somebody whose password was right, or who is signed in."""
    trusted = known_device(request, email=user.email)
    name = f"second factor of {user.pk}" + (f" on {trusted}" if trusted else "")
    return Attempt(by_account(name, scarce=True), now=timezone.now())


def password_change_attempt(request: HttpRequest, user: User) -> Attempt:
    """One guess at the present password of somebody who is signed in. Each session has tries of its own, so that whoever
    has taken one over makes the owner wait in no other; all together have many more, which no session uses up alone as
    long as it lasts.
    """
    name = f"password change of {user.pk}"
    session = kept_as(request.session.session_key or "")
    return Attempt(by_account(f"{name} in {session}"), by_account(name, wide=True), now=timezone.now())


def letter_attempt(request: HttpRequest, name: str) -> Attempt:
    """One letter that anybody may have sent to an address. The link of one that is still to come is good for as long as
    the longest wait by default: whoever asks in somebody's place sends them what they wait for.
    """
    return Attempt(by_account(name, scarce=True), by_address("letters", request), now=timezone.now())


def vouch_for(request: HttpRequest, *, email: str) -> None:
    """The person has just proved in this session that the mailbox is theirs: they sign in without waiting."""
    forget(by_account(f"password of {email}"))
    request.session[VOUCHED] = [email, int(timezone.now().timestamp())]


def _vouched(request: HttpRequest, email: str) -> str:
    whose, at = request.session.get(VOUCHED, ("", 0))
    fresh = 0 <= timezone.now().timestamp() - at <= VOUCHED_SECONDS
    return f"the link of {at}" if fresh and whose == email else ""
