"""The request to erase what was read, ready to send to whoever read it (GDPR, article 17)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from django.utils import timezone
from django.utils.translation import gettext as _

from gridgate.portal.kit import formats
from gridgate.sharing.models import Receipt

NAMED = 20
"""How many metering points a request names: an address of an e-mail holds no more than some 2,000 characters."""


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    subject: str
    body: str
    contact: str
    """The e-mail address of whoever read; empty when none is known."""
    receipt: str

    @property
    def mailto(self) -> str:
        lines = self.body.replace("\n", "\r\n")
        return f"mailto:{quote(self.contact, safe='@')}?subject={quote(self.subject)}&body={quote(lines)}"


def erasure_request(receipt: Receipt, *, contact: str, sender: str) -> ErasureRequest:
    """What the holder may ask, after the end that the receipt proves. Its days are the network's, as on the receipt."""
    with timezone.override(None):
        return _written(receipt, contact, sender)


def _written(receipt: Receipt, contact: str, sender: str) -> ErasureRequest:
    says = receipt.payload
    holder, number = says["holder"], receipt.number
    ended = formats.long_day(datetime.fromisoformat(says["effective_at"]))
    paragraphs = [
        _("Bonjour,"),
        _("Le partage de données de %(holder)s (SIREN %(siren)s) avec %(party)s a pris fin le %(day)s.")
        % {
            "holder": holder["name"],
            "siren": holder["siren"],
            "party": says["eligible_party"]["name"],
            "day": ended,
        }
        + " "
        + _("Le reçu signé nº %(number)s le prouve.") % {"number": number},
        "\n".join(_permission(one) for one in says["permissions"]),
        _(
            "Nous vous demandons d’effacer toutes les données lues au titre de ces autorisations et leurs copies, en "
            "application, pour les données à caractère personnel, de l’article 17 du règlement (UE) 2016/679 (RGPD), "
            "et de nous confirmer par écrit la date de l’effacement, dans le mois qui suit ce message."
        ),
        _("Cordialement,") + f"\n{sender}\n{holder['name']}",
    ]
    subject = _("Demande d’effacement de données, reçu %(number)s") % {"number": number}
    return ErasureRequest(subject, "\n\n".join(paragraphs), contact, number)


def _permission(permission: Mapping[str, Any]) -> str:
    english = formats.current_language() == "en"
    lines = [
        _("Autorisation %(id)s") % {"id": permission["id"]},
        "- "
        + _("Service : %(name)s")
        % {"name": (english and permission.get("service_en")) or permission["service"]},
        "- "
        + _("Depuis le %(day)s") % {"day": formats.long_day(datetime.fromisoformat(permission["since"]))},
        "- " + _points(permission),
    ]
    if permission.get("delete_by"):
        day = formats.long_day(date.fromisoformat(permission["delete_by"]))
        lines.append("- " + _("Effacement convenu : au plus tard le %(day)s") % {"day": day})
    return "\n".join(lines)


def _points(permission: Mapping[str, Any]) -> str:
    if permission["points"] == "all":
        return _("Points de comptage : tous ceux que nous détenions, au nombre de %(count)s") % {
            "count": formats.number(permission["points_count"])
        }
    named = ", ".join(permission["points"][:NAMED])
    rest = len(permission["points"]) - NAMED
    if rest > 0:
        named = _("%(named)s et %(count)s de plus, que le reçu nomme tous") % {
            "named": named,
            "count": formats.number(rest),
        }
    return _("Points de comptage : %(named)s") % {"named": named}
