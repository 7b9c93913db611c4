"""The parameters of a query string, each read by its rule, and every fault that was found in them."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeVar
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from gridgate.core.errors import GridgateError
from gridgate.core.time import FIRST_DAY, LAST_DAY, civil_day_bounds, may_be_asked, parse_day
from gridgate.facades.native.problems import InvalidParameter, invalid_parameters

_MOST_PARAMETERS: Final = 16
T = TypeVar("T")


class Given:
    """Parameters, and the faults found in them so far."""

    def __init__(
        self, query_string: bytes, *, known: Sequence[str], repeated: str = "", most: int = 0
    ) -> None:
        self._faults: list[InvalidParameter] = []
        self._values: dict[str, str] = {}
        self.repeated: dict[str, None] = {}
        """The values of the parameter that may be repeated, each once, in their order."""
        try:
            pairs = parse_qsl(
                query_string.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_PARAMETERS + most
            )
        except ValueError:
            raise invalid_parameters([InvalidParameter("query", "it cannot be decoded.")]) from None
        for name, value in pairs:
            if name not in known:
                self.fault(name[:64], f"is not known here. Known are {', '.join(known)}.")
            elif name == repeated:
                if not value:
                    self.fault(name, "is empty. Give it a value, or leave it out.")
                self.repeated[value] = None
                continue
            elif name in self._values:
                self.fault(name, "was given twice.")
            self._values[name] = value

    def read(self, name: str, parse: Callable[[str], T], *, optional: bool = False) -> T | None:
        text = self._values.get(name)
        if not text:
            if not optional:
                self.fault(name, "is required.")
            elif text is not None:
                # Whoever writes it means something, and would take the answer for what they meant.
                self.fault(name, "is empty. Give it a value, or leave it out.")
            return None
        try:
            return parse(text)
        except GridgateError as error:
            self.fault(name, f"{error}")
        except Wrong as error:
            self.fault(name, str(error))
        return None

    def fault(self, name: str, detail: str) -> None:
        self._faults.append(InvalidParameter(name, detail))

    def check(self) -> None:
        if self._faults:
            raise invalid_parameters(self._faults)


class Wrong(Exception):
    """Why a text is not a value of its parameter."""


W = TypeVar("W", bound=StrEnum)


def word(words: type[W]) -> Callable[[str], W]:
    def parse(text: str) -> W:
        try:
            return words(text)
        except ValueError:
            known = ", ".join(word.value for word in words)
            raise Wrong(f"is one of {known}.") from None

    return parse


_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OF_THE_CALENDAR: Final = f"of the calendar, from {FIRST_DAY.year} to {LAST_DAY.year}"
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def instant_or_day(text: str, zone: ZoneInfo) -> datetime:
    if not _DATE.fullmatch(text):
        return instant(text, or_day="a date, 2026-11-25, or ")
    day = parse_day(text)
    if day is None:
        raise Wrong(f"is no day {_OF_THE_CALENDAR}.")
    return civil_day_bounds(day, zone).start


def instant(text: str, *, or_day: str = "") -> datetime:
    # A plus sign that was not percent-encoded arrives as a space.
    text = re.sub(r" ([0-9]{2}:[0-9]{2})$", r"+\1", text)
    if not _INSTANT.fullmatch(text):
        raise Wrong(f"is {or_day}an instant with its offset, 2026-11-25T00:00:00+01:00.")
    try:
        instant = datetime.fromisoformat(text.upper())
    except ValueError:
        instant = None
    if instant is None or not may_be_asked(instant.date()):
        raise Wrong(f"is no instant {_OF_THE_CALENDAR}.")
    return instant.astimezone(UTC)
