"""Files to begin from: the columns, and lines that import."""

from gridgate.metering.imports.holders import HOLDER_COLUMNS
from gridgate.metering.imports.points import POINT_COLUMNS

_POINTS = (
    ("30001480112233", "C4", "withdrawal", "12 rue des Forges", "69200", "Vénissieux", "120", "2020-03-01"),
    ("30001480525966", "P4", "injection", "2 rue du Côteau", "69500", "Bron", "100", "2021-09-15"),
)
_HOLDERS = (
    ("30001480112233", "111222337", "ACME Industries", "2024-01-01", ""),
    ("30001480525966", "111222337", "ACME Industries", "2024-01-01", "2026-07-01"),
)


def _file(columns: tuple[str, ...], lines: tuple[tuple[str, ...], ...]) -> bytes:
    rows = [columns, *lines]
    return ("\ufeff" + "".join(";".join(row) + "\r\n" for row in rows)).encode()


SAMPLES = {"points": _file(POINT_COLUMNS, _POINTS), "holders": _file(HOLDER_COLUMNS, _HOLDERS)}
