"""How numbers, dates and identifiers are written on a screen, in French and in English.

Every function takes the value and returns text; `language` ("fr" or "en") defaults to the language of the
request. No value (`None`) is written `–`, never 0. Spaces are the typographer's: narrow no-break (U+202F) in
thousands, no-break (U+00A0) before a unit, before `%` a narrow one in French and none in English; the minus sign is
U+2212.

A day without a time is a civil day of the network, for everyone: a sharing begins on the same day whoever looks. A
clock time, and the day written with it, is the reader's own (`portal/shell/time_zone.py`).
"""

import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from django.utils import timezone
from django.utils.translation import get_language

NONE = "–"
NARROW = "\u202f"
NO_BREAK = "\u00a0"
MINUS = "\u2212"

Number = int | float | Decimal

_ELISION = re.compile(
    r"\b([dD]|[qQ]u)e (?=(?:<b>)?(?!onze\b|oui\b)(?:[aeiouàâäéèêëîïôöùûü]|y[^aeiou\s]))", re.IGNORECASE
)

_MONTHS = {
    "fr": [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
}
_MONTHS_SHORT = {
    "fr": ["janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."],
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sept", "Oct", "Nov", "Dec"],
}
_DAYS = {
    "fr": ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
    "en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
}
_DAYS_SHORT = {
    "fr": ["lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."],
    "en": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
}


def current_language(language: str | None = None) -> str:
    """ "en" when English was asked for, "fr" in every other case."""
    return "en" if (language or get_language() or "fr").lower().startswith("en") else "fr"


def number(value: Number | None, decimals: int = 0, language: str | None = None) -> str:
    """`16683.25` with one decimal: `16 683,3` in French, `16 683.3` in English."""
    if value is None:
        return NONE
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    if rounded == 0:
        rounded = abs(rounded)  # no "minus zero"
    text = f"{abs(rounded):,.{decimals}f}".replace(",", NARROW)
    text = text.replace(".", decimal_mark(language))
    return MINUS + text if rounded < 0 else text


def decimal_mark(language: str | None = None) -> str:
    return "," if current_language(language) == "fr" else "."


def before_unit(unit: str, language: str | None = None) -> str:
    """What stands between a number and its unit."""
    if unit != "%":
        return NO_BREAK
    return NARROW if current_language(language) == "fr" else ""


def with_unit(value: Number | None, unit: str, decimals: int = 0, language: str | None = None) -> str:
    """A number and its unit, with the space between them; `–` alone when there is no value."""
    return NONE if value is None else number(value, decimals, language) + before_unit(unit, language) + unit


def weight(size: int, language: str | None = None) -> str:
    """Of a file, in bytes.

    >>> weight(83_000, "fr"), weight(1_500_000, "en")
    ('81\xa0Ko', '1.4\xa0MB')
    """
    units = ("kB", "MB") if current_language(language) == "en" else ("Ko", "Mo")
    if size < 1024 * 1024:
        return with_unit(max(1, round(size / 1024)), units[0], language=language)
    return with_unit(size / 1024 / 1024, units[1], 1, language=language)


def decimals(values: Iterable[Number | None], usual: int = 1) -> int:
    """How many decimals values in kW or kWh need for none but zero to be written as zero: thirty watts are not 0,0 kW."""
    least = Decimal(5).scaleb(-usual - 1)
    return 3 if any(0 < abs(Decimal(str(value))) < least for value in values if value is not None) else usual


def scaled(value: Number | None, unit: str) -> tuple[float | None, str]:
    """The value in the unit in which it reads best: `(965.4, "MWh")` for 965 400 000 Wh."""
    if value is None:
        return None, "k" + unit
    amount = float(value)
    for prefix, factor, least in (("G", 1e9, 1e10), ("M", 1e6, 1e8), ("k", 1e3, 1e3)):
        if abs(amount) >= least:
            return amount / factor, prefix + unit
    return amount, unit


def quantity(value: Number | None, unit: str, language: str | None = None) -> str:
    """W, Wh or VA written in the unit in which it reads best, three figures or more: `262 kW`, `71 240 kWh`,
    `965 MWh`.
    """
    amount, best = scaled(value, unit)
    if amount is None:
        return NONE
    decimals = 0 if best == unit or abs(amount) >= 100 else 1
    return with_unit(amount, best, decimals, language)


def percent(ratio: Number | None, decimals: int = 0, language: str | None = None) -> str:
    """A ratio of 0 to 1 as a percentage: `95,5 %` in French, `95.5%` in English."""
    return with_unit(None if ratio is None else Decimal(str(ratio)) * 100, "%", decimals, language)


def change(ratio: Number, decimals: int = 1) -> str:
    """By how much something changed, without its sign: `4,1 %`; nothing when that would be written as zero."""
    text = percent(abs(Decimal(str(ratio))), decimals)
    return "" if text == percent(0, decimals) else text


def local(instant: datetime) -> datetime:
    """The instant on the clock of whoever reads the page."""
    return timezone.localtime(instant)


def civil_day(value: date | datetime) -> date:
    """The network's civil day of an instant; a day stays what it is."""
    if not isinstance(value, datetime):
        return value
    return timezone.localtime(value, timezone.get_default_timezone()).date()


def _day_number(day: date, language: str) -> str:
    return "1ᵉʳ" if day.day == 1 and language == "fr" else str(day.day)


def said(name: str, value: str, language: str | None = None) -> str:
    """A name and its value: `lundi 9 : 3 208,4 kWh`; in English without the space before the colon."""
    return f"{name}{NO_BREAK if current_language(language) == 'fr' else ''}: {value}"


def series(texts: Iterable[str], language: str | None = None) -> str:
    """Texts that may hold commas, one after another: `a, b ; c`; in English without the space: `a, b; c`."""
    return f"{NARROW if current_language(language) == 'fr' else ''}; ".join(texts)


def quoted(text: str, language: str | None = None) -> str:
    """`« Énergie »`; in English `“Énergie”`."""
    return f"«{NO_BREAK}{text}{NO_BREAK}»" if current_language(language) == "fr" else f"“{text}”"


def day(value: date | datetime | None, language: str | None = None) -> str:
    """For tables: `17 nov. 2026`, `1ᵉʳ mars 2024`; `17 Nov 2026` in English."""
    if value is None:
        return NONE
    tongue, on = current_language(language), civil_day(value)
    return NO_BREAK.join([_day_number(on, tongue), _MONTHS_SHORT[tongue][on.month - 1], str(on.year)])


def long_day(value: date | datetime | None, language: str | None = None) -> str:
    """For sentences: `17 novembre 2026`, `1ᵉʳ mars 2024`; `17 November 2026` in English."""
    if value is None:
        return NONE
    tongue, on = current_language(language), civil_day(value)
    return f"{_day_number(on, tongue)}{NO_BREAK}{_MONTHS[tongue][on.month - 1]} {on.year}"


def week_day(value: date | datetime | None, language: str | None = None) -> str:
    """`mardi 17 novembre 2026`; `Tuesday 17 November 2026` in English."""
    if value is None:
        return NONE
    tongue, on = current_language(language), civil_day(value)
    return f"{_DAYS[tongue][on.weekday()]} {long_day(on, tongue)}"


def day_in_week(value: date | datetime | None, language: str | None = None, *, short: bool = False) -> str:
    """`mardi 17`, `mercredi 1ᵉʳ`, or `mar. 17` when short; `Tuesday 17`, `Tue 17` in English."""
    if value is None:
        return NONE
    tongue, on = current_language(language), civil_day(value)
    return f"{(_DAYS_SHORT if short else _DAYS)[tongue][on.weekday()]}{NO_BREAK}{_day_number(on, tongue)}"


def day_and_month(value: date | datetime | None, language: str | None = None, *, short: bool = False) -> str:
    """`10 novembre`, or `10 nov.` when short."""
    if value is None:
        return NONE
    tongue, on = current_language(language), civil_day(value)
    return f"{_day_number(on, tongue)}{NO_BREAK}{(_MONTHS_SHORT if short else _MONTHS)[tongue][on.month - 1]}"


def month(value: date | datetime | None, language: str | None = None, *, short: bool = False) -> str:
    """`novembre 2026`, or `nov.` when short."""
    if value is None:
        return NONE
    tongue, on = current_language(language), civil_day(value)
    return (
        _MONTHS_SHORT[tongue][on.month - 1]
        if short
        else f"{_MONTHS[tongue][on.month - 1]}{NO_BREAK}{on.year}"
    )


def period(first: date | None, last: date | None, language: str | None = None) -> str:
    """Two civil days, both included, nothing said twice: `9 – 15 novembre 2026`, `28 déc. 2026 – 3 janv.
    2027`.
    """
    if first is None or last is None:
        return NONE
    tongue = current_language(language)
    if first == last:
        return long_day(first, tongue)
    if (first.year, first.month) == (last.year, last.month):
        return f"{_day_number(first, tongue)}{NO_BREAK}– {long_day(last, tongue)}"
    if first.year == last.year:
        return f"{day_and_month(first, tongue, short=True)} – {day(last, tongue)}"
    return f"{day(first, tongue)} – {day(last, tongue)}"


def clock(instant: datetime | None, *, seconds: bool = False) -> str:
    """`14:32`, or `14:32:07`."""
    return NONE if instant is None else local(instant).strftime("%H:%M:%S" if seconds else "%H:%M")


def moment(instant: datetime | None, language: str | None = None, *, seconds: bool = False) -> str:
    """`17 novembre 2026 à 14:32`; `17 November 2026 at 14:32` in English."""
    if instant is None:
        return NONE
    tongue = current_language(language)
    at = "à" if tongue == "fr" else "at"
    return f"{long_day(local(instant).date(), tongue)} {at}{NO_BREAK}{clock(instant, seconds=seconds)}"


def relative(instant: datetime | None, now: datetime, language: str | None = None) -> str:
    """`aujourd’hui à 05:02`, `hier à 14:20`, `10 novembre à 07:30`, with the year when it is not this one."""
    if instant is None:
        return NONE
    tongue = current_language(language)
    on, today = local(instant).date(), local(now).date()
    near = {
        0: {"fr": "aujourd’hui", "en": "today"},
        1: {"fr": "hier", "en": "yesterday"},
        -1: {"fr": "demain", "en": "tomorrow"},
    }
    distance = (today - on).days
    if distance in near:
        text = near[distance][tongue]
    else:
        text = day_and_month(on, tongue) if on.year == today.year else long_day(on, tongue)
    return f"{text} {'à' if tongue == 'fr' else 'at'}{NO_BREAK}{clock(instant)}"


def duration(seconds: Number | None, language: str | None = None) -> str:
    """`45 min`, `1 h 30`, `51 h`: hours go on counting past a day; `1 h 30 min` in English."""
    if seconds is None:
        return NONE
    minutes = int(seconds) // 60
    if minutes < 60:
        return with_unit(minutes, "min")
    hours, rest = divmod(minutes, 60)
    text = with_unit(hours, "h")
    if rest:
        text += (
            f"{NO_BREAK}{rest:02d}"
            if current_language(language) == "fr"
            else NO_BREAK + with_unit(rest, "min")
        )
    return text


_GROUPS = {9: (3, 3, 3), 14: (2, 3, 3, 3, 3), 18: (2, 4, 4, 4, 4)}


def groups(identifier: str) -> list[str]:
    """How the eye reads a long identifier: PRM 2-3-3-3-3, SIREN 3-3-3, GSRN 2-4-4-4-4; others whole."""
    text = str(identifier)
    sizes = _GROUPS.get(len(text))
    if sizes is None or not text.isdigit():
        return [text]
    ends = [sum(sizes[: index + 1]) for index in range(len(sizes))]
    return [text[end - size : end] for end, size in zip(ends, sizes, strict=True)]


def elided(text: str, language: str | None = None) -> str:
    """A sentence into which a name was put: `Demande de ACME` becomes `Demande d’ACME`; English has nothing to elide.

    A name that begins with h keeps its `de`: only whoever bears it knows better.
    """
    return _ELISION.sub(r"\1’", text) if current_language(language) == "fr" else text


def initials(name: str) -> str:
    """Two letters for a company: `AC` for ACME Industries, `T1` for Tiers 1, `RD` for Réseau Démo."""
    words = [word for word in name.replace("-", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    if words[0].isupper() and len(words[0]) > 2:
        return words[0][:2].upper()
    return (words[0][0] + words[1][0]).upper() if len(words) > 1 else words[0][:2].upper()
