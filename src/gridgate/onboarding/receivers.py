"""What becomes of open invitations as people join companies and leave them."""

from typing import Any

from django.dispatch import receiver

from gridgate.onboarding.operations.invitation_steps import cancel_on_joining, cancel_on_leaving
from gridgate.organisations.events import joins, leaves


@receiver(joins)
def _joins(**happened: Any) -> None:
    cancel_on_joining(happened["membership"], actor=happened["actor"], now=happened["now"])


@receiver(leaves)
def _leaves(**happened: Any) -> None:
    cancel_on_leaving(happened["membership"], actor=happened["actor"], now=happened["now"])
