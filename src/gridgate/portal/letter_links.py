"""Where letters lead: the screen on which each thing that they speak of is read or decided."""

from collections.abc import Callable

from django.urls import reverse

from gridgate.notifications import links

SCREENS = {
    "home": "home",
    "signing_in": "sign_in",
    "forgotten_password": "password_reset",
    "own_password": "account_password",
    "own_security": "account_security",
    "invitation": "activation",
    "join_requests": "company_join_requests",
    "lost_factors": "company_lost_factors",
    "objection": "lost_factor_objection",
    "eic_request": "eic_request",
    "questionnaire": "kyc",
    "request_on_desk": "operator_request",
    "sharing_with": "sharing_company",
    "permission_request": "sharing_request",
    "extension": "sharing_extend",
    "permissions_received": "permissions_received",
}
"""By what letters call it."""


def register() -> None:
    links.give({thing: _path_on(screen) for thing, screen in SCREENS.items()})


def _path_on(screen: str) -> Callable[..., str]:
    return lambda *named: reverse(screen, args=named)
