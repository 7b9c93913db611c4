"""A receipt as a document: what its signed payload says, in the reader's language."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gridgate.core.quantities import FlowDirection, Kind, bits
from gridgate.core.time import Resolution
from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Step
from gridgate.portal.screens.sharing import service_data

ACTS = {
    "revoke": gettext_lazy("Résiliation de partage de données"),
    "terminate": gettext_lazy("Fin de partage par l’entreprise tierce"),
    "expire": gettext_lazy("Fin de partage à l’échéance"),
    "invalidate": gettext_lazy("Fin de partage de plein droit"),
}
REASONS = {
    "move_out": gettext_lazy("le titulaire a quitté ces compteurs"),
    "opposition": gettext_lazy("le titulaire s’est opposé à la collecte de la courbe de charge"),
    "time": gettext_lazy("la durée convenue est écoulée"),
}
FINGERPRINT = 32
"""Hexadecimal digits of the fingerprint that a page shows: 128 bits, out of reach of chance."""


@dataclass(frozen=True, slots=True)
class Ended:
    """One line of what ended; permissions that say the same are told together."""

    service: str
    data: str
    points: int
    everything: bool
    since: datetime
    since_day: str
    reads: int


@dataclass(frozen=True, slots=True)
class Kept:
    service: str
    why: str
    contact: str


class Document:
    """What the page and the paper show of a receipt."""

    def __init__(self, payload: Mapping[str, Any], jws: str) -> None:
        zone = ZoneInfo(settings.TIME_ZONE)
        self.number = str(payload["number"])
        self.title = act(payload["act"])
        self.act = str(payload["act"])
        self.reason = _reason(payload)
        self.holder: dict[str, str] = payload["holder"]
        self.party: dict[str, str] = payload["eligible_party"]
        self.operator = str(payload["operator"]["name"])
        self.decided_by = str(payload["actor"]["name"]) if payload["act"] in ("revoke", "terminate") else ""
        self.effective_at = datetime.fromisoformat(payload["effective_at"])
        self.issued_at = datetime.fromisoformat(payload["issued_at"])
        self.zone = zone_name(zone)
        self.ended = _ended(payload["permissions"])
        self.kept = [_kept(service) for service in payload["kept"]]
        self.reads = sum(line.reads for line in self.ended)
        self.last_read_at = _last(payload["permissions"])
        self.delete_by = _delete_by(payload["permissions"])
        self.log_head = _groups(payload.get("last_log_head", "")[:FINGERPRINT])
        self.fingerprint = _groups(fingerprint(jws))
        self.on_paper = urlencode({"numero": self.number, "empreinte": fingerprint(jws)})
        self.key = key_of(jws)

    def steps(self, refused_at: datetime | None, today: date) -> list[Step]:
        """What was done, and what comes next. `refused_at`: when a read was first refused afterwards."""
        steps = [Step(_("Accès coupés"), formats.moment(self.effective_at, seconds=True), "done")]
        if refused_at is not None:
            steps.append(Step(_("Premier appel refusé"), formats.moment(refused_at, seconds=True), "done"))
        if self.delete_by is not None:
            label = _("Effacement par %(name)s") % {"name": self.party["name"]}
            note = _("au plus tard le %(day)s") % {"day": formats.long_day(self.delete_by)}
            steps.append(Step(label, note, "done" if self.delete_by < today else "current"))
        return steps


def act(code: str) -> str:
    return str(ACTS.get(code, ACTS["invalidate"]))


def fingerprint(jws: str) -> str:
    """The beginning of the SHA-256 of the signed file, in hexadecimal."""
    return hashlib.sha256(jws.strip().encode()).hexdigest()[:FINGERPRINT]


def key_of(jws: str) -> str:
    """The name of the key that signed, as the file says it; verifying it is another matter."""
    try:
        head = jws.split(".", 1)[0]
        return str(json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"])
    except (ValueError, KeyError, TypeError):
        return ""


def zone_name(zone: ZoneInfo) -> str:
    """`heure de Paris`; the zone itself when it is not a city's."""
    place = zone.key.rpartition("/")
    if not place[0]:
        return zone.key
    return formats.elided(_("heure de %(city)s") % {"city": place[2].replace("_", " ")})


def _reason(payload: Mapping[str, Any]) -> str:
    reason = str(payload.get("reason") or "")
    return str(REASONS.get(reason, reason))


def _ended(permissions: Sequence[Mapping[str, Any]]) -> list[Ended]:
    """Permissions in the order given; those alike in everything but their points are one line."""
    lines: dict[tuple[str, str, bool, str], list[Mapping[str, Any]]] = {}
    for permission in permissions:
        since = formats.day(datetime.fromisoformat(permission["since"]))
        key = (_translated(permission, "service"), _data(permission), permission["points"] == "all", since)
        lines.setdefault(key, []).append(permission)
    return [
        Ended(
            service,
            data,
            sum(one["points_count"] for one in alike),
            everything,
            datetime.fromisoformat(alike[0]["since"]),
            since,
            sum(one["reads"] for one in alike),
        )
        for (service, data, everything, since), alike in lines.items()
    ]


@dataclass(slots=True)
class _Says:
    kinds: int
    directions: int
    finest_resolution: int = 0
    legal_basis: str = "consent"


def _data(permission: Mapping[str, Any]) -> str:
    known = [Kind(kind) for kind in permission["kinds"] if kind in set(Kind)]
    directions = [FlowDirection(way) for way in permission["directions"] if way in set(FlowDirection)]
    step = Resolution.parse(permission["resolution"]).seconds if permission.get("resolution") else 0
    says = _Says(bits(known), bits(directions), step)
    return f"{service_data.kinds(says)}, {service_data.directions(says.directions)}"


def _kept(service: Mapping[str, Any]) -> Kept:
    reference = str(service.get("legal_reference") or "").rstrip(".")
    return Kept(_translated(service, "service"), reference, str(service.get("contact_email") or ""))


def _translated(said: Mapping[str, Any], name: str) -> str:
    return str((formats.current_language() == "en" and said.get(f"{name}_en")) or said[name])


def _last(permissions: Sequence[Mapping[str, Any]]) -> datetime | None:
    read = [datetime.fromisoformat(one["last_read_at"]) for one in permissions if one.get("last_read_at")]
    return max(read, default=None)


def _delete_by(permissions: Sequence[Mapping[str, Any]]) -> date | None:
    days = [date.fromisoformat(one["delete_by"]) for one in permissions if one.get("delete_by")]
    return max(days, default=None)


def _groups(digits: str) -> str:
    return " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))
