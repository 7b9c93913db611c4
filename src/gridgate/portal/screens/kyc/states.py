"""How the states, the steps and the end of a questionnaire are said."""

from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gridgate.core.errors import GridgateError
from gridgate.kyc.models import KycQuestionnaire
from gridgate.kyc.operations.time import REMINDERS, last_day_of
from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Tag
from gridgate.requests.models import RequestState
from gridgate.requests.operations.life import RequestNotOpen

_STATES: dict[str, tuple[str, Any, str]] = {
    RequestState.DRAFT: ("", gettext_lazy("Brouillon"), "pen"),
    RequestState.SUBMITTED: ("info", gettext_lazy("Envoyé"), "clock"),
    RequestState.IN_REVIEW: ("info", gettext_lazy("En cours d’examen"), "clock"),
    RequestState.RETURNED: ("warn", gettext_lazy("À compléter"), "alert"),
    RequestState.ACCEPTED: ("good", gettext_lazy("Accepté"), "check"),
    RequestState.REFUSED: ("bad", gettext_lazy("Refusé"), "x"),
    RequestState.WITHDRAWN: ("", gettext_lazy("Retiré"), "minus"),
}


def state(questionnaire: KycQuestionnaire, *, today: date) -> Tag:
    """The state in a word or two; of an accepted one, until when: `Valable jusqu’au …`, `Expire dans 23 jours`."""
    if questionnaire.state != RequestState.ACCEPTED:
        tone, text, icon = _STATES[questionnaire.state]
        return Tag(tone, str(text), icon)
    last = last_day_of(questionnaire)
    days = (last - today).days
    if days < 0:
        return Tag("bad", _("Expiré le %(day)s") % {"day": formats.day(last)})
    if days > max(REMINDERS):
        return Tag("good", _("Valable jusqu’au %(day)s") % {"day": formats.day(last)})
    return Tag("warn", _expires(days), "clock")


def _expires(days: int) -> str:
    if days == 0:
        return _("Expire aujourd’hui")
    return ngettext("Expire dans %(count)s jour", "Expire dans %(count)s jours", days) % {"count": days}


def event(step: str) -> str:
    """What a step in its life was."""
    return str(
        {
            RequestState.SUBMITTED: _("Envoyé"),
            RequestState.IN_REVIEW: _("Pris en charge"),
            RequestState.RETURNED: _("Complément demandé"),
            RequestState.ACCEPTED: _("Accepté"),
            RequestState.REFUSED: _("Refusé"),
            RequestState.WITHDRAWN: _("Retiré"),
        }.get(RequestState(step), "")
    )


def refusal(error: GridgateError) -> str:
    """Why an operation refused."""
    if isinstance(error, RequestNotOpen):
        return _("Ce questionnaire a changé d’état entre-temps. Voici où il en est.")
    return str(error)


def until(questionnaire: KycQuestionnaire) -> date | None:
    return last_day_of(questionnaire) if questionnaire.valid_until else None


def today(now: datetime) -> date:
    """The civil day of the network."""
    return formats.civil_day(now)
