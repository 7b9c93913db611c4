"""Points and holders from CSV: every line is imported, or reported with its number, column, value and remedy.

    report = import_points(content, now=now, dry_run=True)

Columns are those of `POINT_COLUMNS` and `HOLDER_COLUMNS`; docs/1-running/import.md says what each accepts.
"""
