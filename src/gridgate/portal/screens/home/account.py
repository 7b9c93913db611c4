"""What the home page offers to people who act for no company: what is open to all, and what they asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from gridgate.accounts.own_account import Asked, requests_of
from gridgate.onboarding.operations.join_requests import own_join_requests
from gridgate.organisations.models import User
from gridgate.portal.screens.joining.asking import row_of

ENDED_LATELY = timedelta(days=30)
MOST = 5


@dataclass(frozen=True, slots=True)
class Way:
    """A page open to the person: where, and what it is for."""

    icon: str
    title: str
    detail: str
    url: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that is not decided yet. `to_complete`: it is the person's turn."""

    number: str
    title: str
    state: str
    to_complete: bool
    url: str


def steps_to_take() -> list[Way]:
    """The forms that need no company."""
    return list(
        _there(
            (
                "join_company",
                "building",
                _("Agir pour votre entreprise"),
                _("demander à ses administrateurs, par son SIREN ou son nom"),
            ),
            ("eic_requests", "layers", _("Codes EIC"), _("demander un code, chercher dans le registre")),
            (
                "kyc",
                "check",
                _("Questionnaire client"),
                _("ce que le gestionnaire de réseau demande avant un contrat"),
            ),
        )
    )


def public_pages() -> list[Way]:
    """What everyone may read."""
    return list(
        _there(
            ("receipt_verify", "shield", _("Vérifier un reçu"), _("qu’un partage a bien pris fin")),
            ("receipt_keys", "key", _("Clé publique des reçus"), _("pour les vérifier sans nous")),
            ("terms", "doc", _("Conditions générales"), _("la version en vigueur")),
            ("personal_data", "lock", _("Données personnelles"), _("ce qui est gardé, et combien de temps")),
            (
                "accessibility",
                "users",
                _("Accessibilité"),
                _("l’état de conformité, et que faire d’un obstacle"),
            ),
            ("help", "help", _("Aide"), _("les questions fréquentes, et qui contacter")),
        )
    )


def waiting(user: User) -> list[Waiting]:
    """The person's own requests that are not decided yet, the latest first."""
    return [_waiting(asked) for asked in requests_of(user=user) if asked.open]


def asked_to_join(user: User, now: datetime) -> list[dict[str, Any]]:
    """What the person asked of companies: what waits, and what ended lately, the latest first."""
    lately = now - ENDED_LATELY
    own = own_join_requests(user=user).filter(expires_at__gt=lately, withdrawn_at=None)
    return [row_of(one, now) for one in own[:MOST]]


def _waiting(pending: Asked) -> Waiting:
    if pending.kind == "eic_code":
        title, url = (
            _("Code EIC « %(name)s »") % {"name": pending.title},
            _address("eic_request", pending.number),
        )
    else:
        title, url = _("Questionnaire client"), _address("kyc")
    return Waiting(pending.number, title, pending.state, pending.to_complete, url)


def _there(*ways: tuple[str, str, str, str]) -> Iterator[Way]:
    for name, icon, title, detail in ways:
        url = _address(name)
        if url:
            yield Way(icon, title, detail, url)


def _address(name: str, *arguments: str) -> str:
    try:
        return reverse(name, args=arguments)
    except NoReverseMatch:
        return ""
