"""How often a second factor may be guessed, over all processes."""

from allauth.core.internal import ratelimit
from django.db import transaction
from django.http import HttpRequest

from gridgate.organisations.models import User


class Attempt:
    """One guess, counted before it is looked at. `allowed` is False when there were too many."""

    def __init__(self, request: HttpRequest, user: User) -> None:
        # In one transaction of the database that keeps the counts, see `AccountAdapter.pre_authenticate`.
        with transaction.atomic():
            self._usage = ratelimit.consume(
                request, app="allauth.account", action="second_factor", key=f"second factor of {user.pk}"
            )

    @property
    def allowed(self) -> bool:
        return self._usage is not None

    def was_right(self) -> None:
        """Take this one back, and only this one: or whoever guesses would begin anew each time the person signs in."""
        if self._usage is not None:
            with transaction.atomic():
                self._usage.rollback()
