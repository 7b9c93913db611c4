"""Which of the meters chosen are in no sum, and why."""

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext_lazy, ngettext

from gridgate.core.sharing import RefusalReason
from gridgate.dataplane.client import Decided
from gridgate.portal.kit import formats
from gridgate.portal.screens.measurements.several import Together

MOST_NAMED = 5
"""Of those that are not counted for one reason."""

_NOT_YET = gettext_lazy("Pas encore à votre entreprise ces jours-là\u202f: %(names)s.")
_NO_MORE = gettext_lazy("Plus à votre entreprise ces jours-là\u202f: %(names)s.")
_OTHER_WAY = gettext_lazy("Sans mesure dans ce sens\u202f: %(names)s.")
_NOT_OPEN = gettext_lazy("Pas ouverts à la lecture pour ces jours\u202f: %(names)s.")
_REASONS = {
    RefusalReason.NOT_YET_VALID: _NOT_YET,
    RefusalReason.BEFORE_HISTORY: _NOT_YET,
    RefusalReason.EXPIRED: _NO_MORE,
    RefusalReason.HOLDER_LEFT: _NO_MORE,
    RefusalReason.AFTER_TITLE: _NO_MORE,
    RefusalReason.BETWEEN_TITLES: gettext_lazy(
        "À votre entreprise avant et après, pas ces jours-là\u202f: %(names)s."
    ),
    RefusalReason.DIRECTION_NOT_COVERED: _OTHER_WAY,
}


def say_uncounted(together: Together, names: Mapping[str, str], decided: Decided) -> None:
    """Of the meters chosen, by number, that are not in the sums: those without the direction were not asked for."""
    counted = sum(1 for point in names if point in decided.granted)
    if counted == len(names):
        return
    whole = {"counted": formats.number(counted), "count": formats.number(len(names))}
    if counted:
        text = ngettext(
            "%(counted)s des %(count)s compteurs choisis est compté.",
            "%(counted)s des %(count)s compteurs choisis sont comptés.",
            counted,
        )
    else:
        text = ngettext(
            "Le compteur choisi n’est pas compté.",
            "Aucun des %(count)s compteurs choisis n’est compté.",
            len(names),
        )
    together.counted = text % whole
    by_reason: dict[str, list[str]] = {}
    for point, name in names.items():
        if point not in decided.granted:
            refused = decided.refused.get(point)
            reason = _OTHER_WAY if refused is None else _REASONS.get(refused.reason, _NOT_OPEN)
            by_reason.setdefault(str(reason), []).append(name)
    together.uncounted = [reason % {"names": _named(of_reason)} for reason, of_reason in by_reason.items()]


def _named(names: Sequence[str]) -> str:
    """Names have commas of their own."""
    texts, rest = list(names[:MOST_NAMED]), len(names) - MOST_NAMED
    if rest > 0:
        texts.append(ngettext("%(count)s autre", "%(count)s autres", rest) % {"count": formats.number(rest)})
    return "\u00a0· ".join(texts)
