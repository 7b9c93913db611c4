"""People to invite, written as a table: read line by line, and judged before anybody is written to.

The columns are those of the export of users, in French or in English and in any order; without a line of names they
stand in the order of `COLUMNS`. Nothing here sends: `operations.invitations.invite_all` does.
"""

import csv
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from io import BytesIO, StringIO

from django.utils import timezone

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import folded, line
from gridgate.core.time import parse_day
from gridgate.onboarding.operations.invitations import Invitee
from gridgate.onboarding.operations.sending import LANGUAGES, LONGEST_NAME
from gridgate.onboarding.queries import invitations_of
from gridgate.organisations.last_days import end_of, today
from gridgate.organisations.models import Membership, UserGroup
from gridgate.organisations.operations.members import InvalidMember, parse_email
from gridgate.organisations.queries import groups_of, members_of
from gridgate.tables.diagnosis import UnusableFile
from gridgate.tables.text import from_utf16, unguarded, utf16
from gridgate.tables.workbook import kind_of, read_sheets

MOST = 100
"""How many people are invited at once: other writers wait while they are, for less than a second."""
BETWEEN_GROUPS = "|"
COLUMNS = ("email", "full_name", "role", "external", "groups", "language", "until")

_NAMES: Mapping[str, Collection[str]] = {
    "email": ("adresse e-mail", "e-mail", "email", "mail", "courriel", "e-mail address", "email address"),
    "full_name": ("prenom et nom", "nom complet", "first and last name", "full name", "name"),
    "first_name": ("prenom", "first name", "given name"),
    "last_name": ("nom", "nom de famille", "last name", "family name", "surname"),
    "role": ("role", "profil", "profile"),
    "external": ("rattachement", "affiliation"),
    "groups": ("groupes", "groupe", "groups", "group"),
    "until": (
        *("agit jusqu'au", "jusqu'au", "dernier jour", "date de fin"),
        *("acts until", "until", "last day", "end date"),
    ),
    "language": ("langue", "langue de l'invitation", "language", "language of the invitation"),
}
_NOT_ASKED = {
    *("etat", "depuis", "derniere connexion"),
    *("state", "status", "since", "last sign-in"),
}
"""Columns of the export that say how things stand."""
_COLUMN_OF = {name: column for column, names in _NAMES.items() for name in names}
_ROLES = {
    "": Membership.Role.USER,
    "utilisateur": Membership.Role.USER,
    "user": Membership.Role.USER,
    "administrateur": Membership.Role.ADMINISTRATOR,
    "administrator": Membership.Role.ADMINISTRATOR,
}
_EXTERNAL = {"": False, "interne": False, "internal": False, "externe": True, "external": True}
_LANGUAGES = {
    **{code: code for code in LANGUAGES},
    **dict.fromkeys(("francais", "french"), "fr"),
    **dict.fromkeys(("anglais", "english"), "en"),
}
_WRITTEN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_MOST_CELLS = 100_000
"""Of a workbook: a thousand lines of a hundred columns."""
LONGEST_LIST = 2**20
"""Characters of a list: it comes back in its box."""
_MOST_PARTS = 50
"""Between bars, in one cell; more where naming each group once takes more."""
_LONGEST_SAID = 100


class Finding(StrEnum):
    """What is said of one line; `MEMBER` and `INVITED` ask for nothing, the others are to be mended."""

    MEMBER = "member"
    INVITED = "invited"
    TWICE = "twice"
    EMAIL = "email"
    NAME_MISSING = "name_missing"
    NAME_TOO_LONG = "name_too_long"
    ROLE = "role"
    ROLE_RESERVED = "role_reserved"
    EXTERNAL = "external"
    GROUP = "group"
    LANGUAGE = "language"
    UNTIL = "until"
    UNTIL_PAST = "until_past"
    UNTIL_ADMINISTRATOR = "until_administrator"


class NotReadable(GridgateError):
    """The text is no list of people: `reason` is one of `empty`, `columns`, `too_many`, `too_long` and `broken`."""

    def __init__(self, reason: str, *, line: int = 0) -> None:
        self.reason, self.line = reason, line
        super().__init__(ErrorKind.INVALID, f"not a list of people: {reason}")


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One line of the table, and what is said of it. `person` is whom it would invite, when nothing is to be mended."""

    number: int
    text: str
    """As it was written."""
    email: str
    full_name: str
    person: Invitee | None = None
    findings: tuple[tuple[Finding, str], ...] = ()

    @property
    def known(self) -> bool:
        """The person is there already, or asked: there is nothing to do."""
        return any(finding in (Finding.MEMBER, Finding.INVITED) for finding, _value in self.findings)

    @property
    def wrong(self) -> bool:
        return bool(self.findings) and not self.known


@dataclass(frozen=True, slots=True)
class PeopleFile:
    """The lines in their order. `header` is the line of names as it was written, empty without one, and its number."""

    header: str
    header_number: int
    lines: tuple[PersonLine, ...]
    unread: tuple[str, ...] = ()
    """Columns that mean nothing here."""

    @property
    def invited(self) -> list[Invitee]:
        return [one.person for one in self.lines if one.person is not None]

    @property
    def wrong(self) -> list[PersonLine]:
        return [one for one in self.lines if one.wrong]

    @property
    def known(self) -> list[PersonLine]:
        return [one for one in self.lines if one.known]

    @property
    def left(self) -> str:
        """The lines to mend, as a table again: each stays on its line, and the others are left empty."""
        kept = [(one.number, one.text) for one in self.wrong]
        if self.header:
            kept.insert(0, (self.header_number, self.header))
        lines: list[str] = []
        for number, text in kept:
            lines += [""] * (number - 1 - len(lines))
            lines += text.split("\n")
        return "\n".join(lines)


def text_of(content: bytes) -> str | None:
    """A table's text: a workbook's one sheet, UTF-8, UTF-16, or the characters of Windows; None for anything else.

    Raises `NotReadable` for one that is too long.
    """
    if content.startswith(b"PK\x03\x04"):
        return _text_of_workbook(content)
    try:
        codec = utf16(content)
        text = from_utf16(content, codec) if codec else _of_eight_bits(content)
    except (UnusableFile, UnicodeDecodeError):
        return None
    if len(text) > LONGEST_LIST:
        raise NotReadable("too_long")
    return None if "\0" in text else text


def _of_eight_bits(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252")


def _text_of_workbook(content: bytes) -> str | None:
    """Each row on the line of its number, so that what is said of a line is found in the workbook."""
    file = BytesIO(content)
    try:
        sheets = (
            read_sheets(file, most_cells=_MOST_CELLS, most_characters=LONGEST_LIST)
            if kind_of(file) == "xlsx"
            else []
        )
    except UnusableFile as unusable:
        if unusable.fault.code == "large_workbook":
            raise NotReadable("too_long") from None
        return None
    if len(sheets) != 1:
        return None
    text, lines = StringIO(), 0
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    for number, cells in sheets[0].rows:
        text.write("\n" * max(0, number - 1 - lines))
        writer.writerow(" ".join(cell.splitlines()) for cell in cells)
        lines = max(lines + 1, number)
    if text.tell() > LONGEST_LIST:
        raise NotReadable("too_long")
    return text.getvalue()


def read_people(text: str, *, actor: Membership) -> PeopleFile:
    """Read and judge; three statements however many lines there are. Raises `NotReadable`."""
    rows = _rows(text)
    if not rows:
        raise NotReadable("empty")
    columns, unread, named = _columns(rows[0].cells)
    lines = rows[1:] if named else rows
    if not lines:
        raise NotReadable("empty")
    if len(lines) > MOST:
        raise NotReadable("too_many")
    judge = _Judge(actor)
    return PeopleFile(
        header=rows[0].text if named else "",
        header_number=rows[0].number,
        lines=tuple(judge.line(row, _said(row.cells, columns)) for row in lines),
        unread=unread,
    )


@dataclass(frozen=True, slots=True)
class _Row:
    number: int
    text: str
    cells: list[str]


def _rows(text: str) -> list[_Row]:
    """The lines that hold something, each with the number of its first line; a quoted cell may span several."""
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((one for one in lines if one.strip()), "")
    separator = max(";\t,", key=first.count)
    reader = csv.reader((f"{one}\n" for one in lines), delimiter=separator)
    rows, start = [], 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(_Row(start + 1, "\n".join(lines[start : reader.line_num]), cells))
            start = reader.line_num
    except csv.Error:
        raise NotReadable("broken", line=start + 1) from None
    return rows


def _columns(cells: list[str]) -> tuple[list[str], tuple[str, ...], bool]:
    """What each column holds ("" for one that is not read), those that are unknown, and whether the line names them."""
    if any("@" in cell for cell in cells):
        return list(COLUMNS), (), False
    columns = [_COLUMN_OF.get(folded(line(cell)), "") for cell in cells]
    known = [column for column in columns if column]
    if "email" not in known or len(set(known)) != len(known):
        raise NotReadable("columns")
    if "full_name" not in known and "first_name" not in known:  # « Nom » alone is the whole name
        columns = ["full_name" if column == "last_name" else column for column in columns]
    unread = [line(cell) for cell, column in zip(cells, columns, strict=True) if not column]
    return columns, tuple(name for name in unread if name and folded(name) not in _NOT_ASKED), True


def _said(cells: list[str], columns: list[str]) -> dict[str, str]:
    said = dict.fromkeys([*COLUMNS, "first_name", "last_name"], "")
    for column, cell in zip(columns, cells, strict=False):
        if column:
            said[column] = unguarded(line(cell))
    said["full_name"] = said["full_name"] or f"{said['first_name']} {said['last_name']}".strip()
    return said


@dataclass(slots=True)
class _Judge:
    """Knows the actor's company, and the lines that came before."""

    actor: Membership
    groups: dict[str, UserGroup] = field(init=False)
    members: set[str] = field(init=False)
    invited: set[str] = field(init=False)
    seen: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        actor = self.actor
        self.groups = {_spelled(group.name): group for group in groups_of(actor=actor)}
        self.members = {
            email.lower() for email in members_of(actor=actor).values_list("user__email", flat=True)
        }
        unclosed = invitations_of(actor=actor).unclosed()
        self.invited = {email.lower() for email in unclosed.values_list("email", flat=True)}

    def line(self, row: _Row, said: dict[str, str]) -> PersonLine:
        found = PersonLine(row.number, row.text, said["email"], said["full_name"])
        try:
            email = parse_email(said["email"])
        except InvalidMember:
            return replace(found, findings=((Finding.EMAIL, said["email"]),))
        if email.lower() in self.members:
            return replace(found, findings=((Finding.MEMBER, ""),))
        if email.lower() in self.invited:
            return replace(found, findings=((Finding.INVITED, ""),))
        groups, findings = self._groups(said["groups"])
        findings = [*self._of_the_person(said), *findings]
        if email.lower() in self.seen:
            findings.insert(0, (Finding.TWICE, str(self.seen[email.lower()])))
        self.seen.setdefault(email.lower(), row.number)
        if findings:
            return replace(found, findings=tuple(findings))
        person = Invitee(
            email=email,
            full_name=said["full_name"],
            language=_LANGUAGES[folded(said["language"])] if said["language"] else self.actor.user.language,
            role=_ROLES[folded(said["role"])],
            external=_EXTERNAL[folded(said["external"])],
            until=end_of(day) if (day := _day(said["until"])) else None,
            groups=tuple(groups),
        )
        return replace(found, email=email, person=person)

    def _of_the_person(self, said: dict[str, str]) -> list[tuple[Finding, str]]:
        findings = []
        if not said["full_name"]:
            findings.append((Finding.NAME_MISSING, ""))
        elif len(said["full_name"]) > LONGEST_NAME:
            findings.append((Finding.NAME_TOO_LONG, ""))
        role = _ROLES.get(folded(said["role"]))
        if role is None:
            findings.append((Finding.ROLE, said["role"]))
        elif role == Membership.Role.ADMINISTRATOR and not self.actor.is_administrator:
            findings.append((Finding.ROLE_RESERVED, ""))
        if folded(said["external"]) not in _EXTERNAL:
            findings.append((Finding.EXTERNAL, said["external"]))
        if said["language"] and folded(said["language"]) not in _LANGUAGES:
            findings.append((Finding.LANGUAGE, said["language"]))
        if said["until"]:
            findings += self._of_the_date(said["until"], role)
        return findings

    def _of_the_date(self, text: str, role: str | None) -> list[tuple[Finding, str]]:
        day = _day(text)
        if day is None:
            return [(Finding.UNTIL, text)]
        if day <= today(timezone.now()):
            return [(Finding.UNTIL_PAST, text)]
        return [(Finding.UNTIL_ADMINISTRATOR, "")] if role == Membership.Role.ADMINISTRATOR else []

    def _groups(self, text: str) -> tuple[list[UserGroup], list[tuple[Finding, str]]]:
        """The groups named, longest names first: a name may itself hold what stands between two."""
        parts = [part.strip() for part in text.split(BETWEEN_GROUPS)]
        bars = [name.count(BETWEEN_GROUPS) for name in self.groups]
        if len(parts) > max(_MOST_PARTS, sum(bars) + len(bars)):
            return [], [(Finding.GROUP, f"{text[:_LONGEST_SAID]}…")]
        widest = max(bars, default=0) + 1
        found: list[UserGroup] = []
        unknown = []
        while parts:
            for length in range(min(widest, len(parts)), 0, -1):
                name = f" {BETWEEN_GROUPS} ".join(parts[:length])
                group = self.groups.get(_spelled(name))
                if group is not None:
                    found.append(group)
                    break
            else:
                length = 1
                if parts[0]:
                    unknown.append((Finding.GROUP, parts[0]))
            parts = parts[length:]
        return list(dict.fromkeys(found)), unknown


def _day(text: str) -> date | None:
    """As the export and spreadsheets write it, `2027-03-31`, or as people do, `31/03/2027`."""
    written = _WRITTEN.fullmatch(text)
    if written is not None:
        day, month, year = written.groups()
        text = f"{year}-{month:0>2}-{day:0>2}"
    return parse_day(text.removesuffix(" 00:00:00").removesuffix("T00:00:00"))


def _spelled(name: str) -> str:
    """A group's name, however its letters and the spaces around a bar are written."""
    return BETWEEN_GROUPS.join(part.strip() for part in line(name).casefold().split(BETWEEN_GROUPS))
