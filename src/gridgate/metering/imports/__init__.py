"""Points and holders from CSV: every line is imported, or reported with its number, column, value and remedy.

    report = import_points(content, now=now, dry_run=True)

Columns are those of `POINT_COLUMNS` and `HOLDER_COLUMNS`; docs/1-running/import.md says what each accepts.
"""

from gridgate.metering.imports.findings import Code, Finding, ImportReport, Level
from gridgate.metering.imports.holders import HOLDER_COLUMNS, import_holders
from gridgate.metering.imports.points import OPTIONAL_POINT_COLUMNS, POINT_COLUMNS, import_points
from gridgate.metering.imports.rows import Progress

__all__ = [
    "HOLDER_COLUMNS",
    "OPTIONAL_POINT_COLUMNS",
    "POINT_COLUMNS",
    "Code",
    "Finding",
    "ImportReport",
    "Level",
    "Progress",
    "import_holders",
    "import_points",
]
