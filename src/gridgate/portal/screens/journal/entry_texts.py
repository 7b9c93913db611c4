"""How an entry of the access log is said: what, which period, the answer, on what ground, by which way."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gridgate.audit.lines import GRANTED, LogEntry
from gridgate.core.quantities import FlowDirection
from gridgate.core.sharing import Basis, RefusalReason
from gridgate.portal.kit import formats
from gridgate.portal.screens.sharing import service_data
from gridgate.portal.shell.context import operator_name

REASONS = {
    RefusalReason.NO_PERMISSION: gettext_lazy("Aucune autorisation"),
    RefusalReason.NOT_YET_VALID: gettext_lazy("Autorisation pas encore commencée"),
    RefusalReason.EXPIRED: gettext_lazy("Autorisation échue"),
    RefusalReason.HOLDER_LEFT: gettext_lazy("Titulaire parti"),
    RefusalReason.KIND_NOT_COVERED: gettext_lazy("Donnée non autorisée"),
    RefusalReason.DIRECTION_NOT_COVERED: gettext_lazy("Sens non autorisé"),
    RefusalReason.RESOLUTION_TOO_FINE: gettext_lazy("Pas de temps plus fin qu’autorisé"),
    RefusalReason.BEFORE_HISTORY: gettext_lazy("Hors historique autorisé"),
    RefusalReason.AFTER_TITLE: gettext_lazy("Après la fin de titularité"),
    RefusalReason.BETWEEN_TITLES: gettext_lazy("Entre deux titularités"),
}
CHANNELS = {
    "api:native": gettext_lazy("API"),
    "api:enedis": gettext_lazy("API, format Enedis"),
    "screen": gettext_lazy("Écran"),
    "export": gettext_lazy("Export"),
    "file": gettext_lazy("Fichier"),
}


def channel(code: str) -> str:
    known = CHANNELS.get(code)
    return str(known) if known else code.replace("api:", "API, ")


COMMANDS = {"gridgate export": gettext_lazy("une commande du gestionnaire de réseau")}
"""What the log names beside programs: they read at the command line."""


def program(client_id: str, names: Mapping[str, str]) -> str:
    """How a program, or a command, is called; that it was a program, when it is gone."""
    if client_id in COMMANDS:
        return str(COMMANDS[client_id])
    return (names.get(client_id) or _("un programme retiré")) if client_id else ""


def by(person: str, client_id: str, names: Mapping[str, str]) -> str:
    """The person who read, else the program; empty when the log names neither."""
    return person or program(client_id, names)


def reason(outcome: str) -> str:
    """Why a read was refused; the code itself when it is not one of ours."""
    known = REASONS.get(RefusalReason(outcome)) if outcome in set(RefusalReason) else None
    return str(known) if known else outcome.replace("_", " ")


def data(kind: str, flow: str) -> str:
    """`Courbe de charge`, `Courbe de charge, injection`."""
    said = service_data.kind(kind) if kind else formats.NONE
    return f"{said}, {_('injection')}" if flow == FlowDirection.INJECTION else said


def direction(code: str) -> str:
    return str(service_data.DIRECTIONS[FlowDirection(code)]) if code in set(FlowDirection) else code


def ground(entry: LogEntry, services: dict[str, str]) -> str:
    """On what ground it was read, or why it was refused; `services` names the service of each permission."""
    if entry.outcome != GRANTED:
        return reason(entry.outcome)
    if entry.permission:
        return services.get(entry.permission) or _("Une autorisation que vous ne voyez pas")
    if entry.basis == Basis.TITLE:
        return _("Titulaire")
    return _("Commande du gestionnaire de réseau") if entry.basis == "operator" else _("Non précisé")


def instant(at: datetime, now: datetime) -> str:
    """`17 nov. 14:20:03`, with the year when it is not this one."""
    same = formats.civil_day(at).year == formats.civil_day(now).year
    on = formats.day_and_month(at, short=True) if same else formats.day(at)
    return f"{on} {formats.clock(at, seconds=True)}"


def period(start: datetime | None, end: datetime | None, zone: ZoneInfo) -> str:
    """The period of the data: whole days when it is, else with its hours."""
    if start is None or end is None:
        return formats.NONE
    first, last = start.astimezone(zone), end.astimezone(zone)
    if _midnight(first) and _midnight(last) and last > first:
        return _days(first.date(), last.date() - timedelta(days=1))
    if first.date() == last.date():
        return f"{formats.day(first)}, {first:%H:%M} – {last:%H:%M}"
    return f"{formats.day(first)} {first:%H:%M} – {formats.day(last)} {last:%H:%M}"


def _days(first: date, last: date) -> str:
    """`24 nov. 2026`, `18 – 24 nov. 2026`, `26 oct. – 24 nov. 2026`: short, for a column."""
    if first == last:
        return formats.day(last)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} – {formats.day(last)}"
    if first.year == last.year:
        return f"{formats.day_and_month(first, short=True)} – {formats.day(last)}"
    return f"{formats.day(first)} – {formats.day(last)}"


def _midnight(at: datetime) -> bool:
    return (at.hour, at.minute, at.second) == (0, 0, 0)


def lacking(count: int) -> str:
    """What a file says of entries that are counted and cannot be read."""
    text = ngettext(
        "Un fichier du journal ne peut pas être lu : %(count)s accès manque ici. Prévenez %(operator)s.",
        "Un fichier du journal ne peut pas être lu : %(count)s accès manquent ici. Prévenez %(operator)s.",
        count,
    )
    return text % {"count": formats.number(count), "operator": operator_name()}
