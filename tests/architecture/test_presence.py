"""Whether somebody acts for a company is asked in one word, `present`: a date that is over is easily forgotten."""

import re
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2] / "src" / "gridgate"
_ASKED = re.compile(
    r"ended_at(?:__isnull)?\s*=\s*None|ended_at__\w+\s*=|\.ended_at\b(?!\s*=\s)|ended_at IS\b", re.I
)

OF_THE_ROW = {
    "organisations/models/memberships.py": 5,  # the word itself, what lapsed unwritten, by what it ended, the constraint
    "organisations/operations/members.py": 1,  # writing the end of what has lapsed
    "accounts/own_account.py": 1,  # the word as SQL, beside `until`
    "organisations/capability.py": 1,  # since when and until when, in a person's own copy
}
"""How many times each asks whether the row is closed, which is another question."""
OTHERS = {"portal/screens/sharing"}
"""A sharing has an `ended_at` of its own."""


def test_nobody_asks_for_the_end_of_a_membership_in_other_words() -> None:
    found = {
        str(file.relative_to(SOURCE)): count
        for file in SOURCE.rglob("*.py")
        if "migrations" not in file.parts
        and str(file.parent.relative_to(SOURCE)) not in OTHERS
        and (count := len(_ASKED.findall(file.read_text(encoding="utf-8"))))
    }
    assert found == OF_THE_ROW
