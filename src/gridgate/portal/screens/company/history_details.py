"""What the history says of what was and what became.

To add a value that an event records: a line in `_NAMES`, and in `_WORDS` when the value itself asks for words.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gridgate.accounts.models import LostFactor, SensitiveAct
from gridgate.audit.models import AuditEvent
from gridgate.core.roles import BeneficiaryRole
from gridgate.metering.states import State
from gridgate.organisations.catalogue import BY_CODE, ROLE_LABELS
from gridgate.organisations.last_days import last_day
from gridgate.organisations.models import Membership
from gridgate.portal.kit import formats
from gridgate.portal.screens.company.history_sentences import grouped_digits
from gridgate.requests.models import RequestState

SHOWN = 5
"""How many items of a long list a page shows; the file has them all."""


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that changed: its name, what it was, what it became. An empty side says nothing."""

    name: str
    was: str = ""
    became: str = ""


def details(event: AuditEvent, *, most: int | None = SHOWN) -> list[Detail]:
    """What was and what became, in words. `most`: how many items of a long list; None for all."""
    before: Mapping[str, Any] = event.before if isinstance(event.before, dict) else {}
    after: Mapping[str, Any] = event.after if isinstance(event.after, dict) else {}
    say = _say_of_questionnaire if event.action.startswith("kyc.") else _say
    changed = []
    for name in {**before, **after}:
        if name == "points" and not _by_point({**before, **after}.get("service")):
            continue
        was, became = before.get(name), after.get(name)
        if isinstance(was, list) and isinstance(became, list) and name in _LISTS:
            # Of two long lists, who reads wants what left the one and came into the other.
            left, came = _LISTS[name]
            if gone := [one for one in was if one not in became]:
                changed.append(Detail(str(left), _say(name, gone, most)))
            if new := [one for one in became if one not in was]:
                changed.append(Detail(str(came), became=_say(name, new, most)))
            continue
        if (name not in before or name not in after) and _is_nothing(became if name in after else was):
            continue  # an optional fact of something that came or went, and that it never had
        same = name in before and name in after and was == became
        changed.append(
            Detail(
                str(_NAMES.get(name, name)),
                say(name, was, most) if name in before and not same else "",
                say(name, became, most) if name in after else "",
            )
        )
    return changed


def _by_point(service: Any) -> bool:
    return service not in BY_CODE or BY_CODE[service].by_point


def _say_of_questionnaire(name: str, value: Any, most: int | None) -> str:
    """As `_say`; a questionnaire is « accepté » where a request is « acceptée »."""
    return str(_OF_QUESTIONNAIRE.get(str(value), value)) if name == "state" else _say(name, value, most)


_OF_QUESTIONNAIRE: dict[str, Any] = {
    RequestState.DRAFT: gettext_lazy("brouillon"),
    RequestState.SUBMITTED: gettext_lazy("envoyé"),
    RequestState.IN_REVIEW: gettext_lazy("en cours d’examen"),
    RequestState.RETURNED: gettext_lazy("à compléter"),
    RequestState.ACCEPTED: gettext_lazy("accepté"),
    RequestState.REFUSED: gettext_lazy("refusé"),
    RequestState.WITHDRAWN: gettext_lazy("retiré"),
}


_LISTS: dict[str, tuple[Any, Any]] = {
    "members": (gettext_lazy("Membres sortis"), gettext_lazy("Membres entrés")),
    "groups": (gettext_lazy("Groupes quittés"), gettext_lazy("Groupes rejoints")),
}

_NAMES: dict[str, Any] = {
    "external_id": gettext_lazy("Identifiant dans l’annuaire"),
    "active": gettext_lazy("Actif"),
    "full_name": gettext_lazy("Nom"),
    "provider": gettext_lazy("Fournisseur d’identité"),
    "last_day": gettext_lazy("Dernier jour"),
    "months_valid": gettext_lazy("Validité en mois"),
    "sections": gettext_lazy("Rubriques"),
    "group": gettext_lazy("Groupe"),
    "apis": gettext_lazy("API"),
    "role": gettext_lazy("Rôle"),
    "external": gettext_lazy("Rattachement"),
    "until": gettext_lazy("Agit jusqu’au"),
    "why": gettext_lazy("Raison"),
    "message": gettext_lazy("Message"),
    "identity": gettext_lazy("Identité vérifiée"),
    "note": gettext_lazy("Vu ou entendu"),
    "name": gettext_lazy("Nom"),
    "members": gettext_lazy("Membres"),
    "member": gettext_lazy("Membre"),
    "place_terms": gettext_lazy("Dates des membres"),
    "services": gettext_lazy("Services"),
    "service_terms": gettext_lazy("Dates des services"),
    "service": gettext_lazy("Service"),
    "points": gettext_lazy("Points"),
    "groups": gettext_lazy("Groupes"),
    "email": gettext_lazy("Adresse e-mail"),
    "expires_at": gettext_lazy("Lien valable jusqu’au"),
    "expired_at": gettext_lazy("Expirée depuis le"),
    "legal_name": gettext_lazy("Raison sociale"),
    "siren": gettext_lazy("SIREN"),
    "roles": gettext_lazy("Rôles sur le réseau"),
    "contact_email": gettext_lazy("Adresse de contact"),
    "contact_url": gettext_lazy("Page de contact"),
    "email_domains": gettext_lazy("Domaines des adresses e-mail"),
    "valid_from": gettext_lazy("Début"),
    "valid_to": gettext_lazy("Dernier jour"),
    "valid_until": gettext_lazy("Valable jusqu’au"),
    "version": gettext_lazy("Version"),
    "state": gettext_lazy("État"),
    "reason": gettext_lazy("Motif"),
    "code": gettext_lazy("Code"),
    "number": gettext_lazy("Numéro"),
    "type": gettext_lazy("Type"),
    "display_name": gettext_lazy("Nom d’affichage"),
    "strong_for_operator": gettext_lazy("Double authentification du gestionnaire de réseau"),
    "strong_for_administrators": gettext_lazy("Double authentification des administrateurs"),
    "strong_for_users": gettext_lazy("Double authentification des utilisateurs"),
    "step_up_acts": gettext_lazy("Actes confirmés par un code"),
    "provider_issuer": gettext_lazy("Fournisseur d’identité dont le second facteur compte"),
    "provider_acr": gettext_lazy("Second facteur du fournisseur : valeurs de acr"),
    "provider_amr": gettext_lazy("Second facteur du fournisseur : valeurs de amr"),
    "provider_minutes": gettext_lazy("Minutes, au plus, depuis la connexion chez le fournisseur"),
    "titles": gettext_lazy("Titres"),
    "formatted_name": gettext_lazy("Nom complet"),
    "given_name": gettext_lazy("Prénom"),
    "family_name": gettext_lazy("Nom de famille"),
    "preferred_language": gettext_lazy("Langue préférée"),
    "restored": gettext_lazy("Changements rétablis"),
    "to_make_again": gettext_lazy("Changements à refaire"),
    "given_up": gettext_lazy("Empreinte de ce qui n’est plus attendu"),
}


def _is_nothing(value: Any) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _say(name: str, value: Any, most: int | None) -> str:
    if _is_nothing(value):
        return formats.NONE
    word = _WORDS.get(name)
    if word is not None:
        return word(value, most)
    if isinstance(value, bool):
        return _("oui") if value else _("non")
    if isinstance(value, list):
        return _listed([str(one) for one in value], most)
    if isinstance(value, str) and (instant := _instant(value)):
        return instant
    return str(value)


def _instant(text: str) -> str:
    """A day or an instant as it was recorded, written as people do; empty for another text."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d(T.*)?", text):
        return ""
    try:
        if "T" in text:
            return formats.moment(datetime.fromisoformat(text))
        return formats.day(date.fromisoformat(text))
    except ValueError:
        return ""


def _listed(items: Sequence[str], most: int | None) -> str:
    """`a, b, c et 9 autres`."""
    if most is None or len(items) <= most:
        return ", ".join(items)
    left = len(items) - most
    more = ngettext("et %(count)s autre", "et %(count)s autres", left) % {"count": formats.number(left)}
    return f"{', '.join(items[:most])} {more}"


def _role(value: Any, most: int | None) -> str:
    return str(Membership.Role(value).label) if value in Membership.Role.values else str(value)


def _identity(value: Any, _most: int | None) -> str:
    return str(dict(LostFactor.How.choices).get(value, value))


def _external(value: Any, most: int | None) -> str:
    return _("externe") if value else _("interne")


def _until(value: Any, most: int | None) -> str:
    """Recorded as the instant that ends the last day."""
    try:
        return _("%(day)s inclus") % {"day": formats.day(last_day(datetime.fromisoformat(str(value))))}
    except ValueError:
        return str(value)


def _why(value: Any, most: int | None) -> str:
    known = {"until": _("à la date fixée"), "other_request": _("avec une autre de ses demandes")}
    return known.get(value, str(value))


def _service(value: Any, most: int | None) -> str:
    return BY_CODE[value].label if value in BY_CODE else str(value)


def _points(value: Any, most: int | None) -> str:
    """Under a name that says what they are."""
    if value == "all":
        return _("tous, présents et à venir")
    return _listed([grouped_digits(one) for one in value] if most else value, most)


def _counted_points(value: Any, most: int | None) -> str:
    count = ngettext("%(count)s point", "%(count)s points", len(value)) % {
        "count": formats.number(len(value))
    }
    return formats.said(count, _points(value, most))


def _services(value: Any, most: int | None) -> str:
    texts = []
    for code, points in value.items():
        service = _service(code, most)
        texts.append(service if points == "all" else f"{service} ({_counted_points(points, most)})")
    return formats.series(texts)


def _company_roles(value: Any, most: int | None) -> str:
    known = {role.value: str(ROLE_LABELS[role]) for role in BeneficiaryRole}
    return ", ".join(known.get(code, str(code)) for code in value)


def _state(value: Any, most: int | None) -> str:
    known = {str(code): str(label) for code, label in (*RequestState.choices, *State.choices)}
    return known.get(str(value), str(value)).lower()


def _titles(value: Any, most: int | None) -> str:
    """Recorded as `30001480112233 2024-01-01/2026-07-01`, the end not covered; `..` without one."""
    return _listed([_title(one) for one in value], most)


def _title(text: str) -> str:
    point, _space, period = text.partition(" ")
    begins, _slash, ends = period.partition("/")
    try:
        first = formats.day(date.fromisoformat(begins))
        last = "" if ends == ".." else _day_before(ends)
    except ValueError:
        return text
    if not last:
        return _("%(point)s depuis le %(first)s") % {"point": point, "first": first}
    return _("%(point)s du %(first)s au %(last)s") % {"point": point, "first": first, "last": last}


def _service_terms(value: Any, most: int | None) -> str:
    return _terms({_service(code, most): days for code, days in value.items()}, most)


def _terms(value: Any, most: int | None) -> str:
    """By name, the first day and the first that is not covered, of which one may be missing."""
    return formats.series(f"{name} ({_days(days)})" for name, days in value.items())


def _days(days: Mapping[str, str]) -> str:
    first, ends = days.get("valid_from"), days.get("valid_to")
    begins = formats.day(date.fromisoformat(first)) if first else ""
    if not ends:
        return _("dès le %(day)s") % {"day": begins}
    if not begins:
        return _("jusqu’au %(day)s inclus") % {"day": _day_before(ends)}
    return _("du %(first)s au %(last)s inclus") % {"first": begins, "last": _day_before(ends)}


def _day_before(text: str) -> str:
    return formats.day(date.fromisoformat(text) - timedelta(days=1))


def _last_day(value: Any, most: int | None) -> str:
    """Recorded as the first civil day that is not covered."""
    try:
        return _day_before(str(value))
    except ValueError:
        return _instant(str(value)) or str(value)


def _apis(value: Any, most: int | None) -> str:
    known = {"native": _("API du portail"), "enedis": _("API au format Enedis")}
    return ", ".join(known.get(code, str(code)) for code in value)


def _acts(value: Any, most: int | None) -> str:
    known = {str(code): str(label) for code, label in SensitiveAct.choices}
    return ", ".join(known.get(code, str(code)) for code in value)


_WORDS: dict[str, Callable[[Any, int | None], str]] = {
    "identity": _identity,
    "role": _role,
    "external": _external,
    "until": _until,
    "why": _why,
    "service": _service,
    "points": _points,
    "services": _services,
    "roles": _company_roles,
    "step_up_acts": _acts,
    "apis": _apis,
    "state": _state,
    "titles": _titles,
    "valid_to": _last_day,
    "place_terms": _terms,
    "service_terms": _service_terms,
}
