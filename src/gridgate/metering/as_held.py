"""What each company is shown of its points: the versions of its own time, and nothing of anybody else's.

- While its title lasts, the version of the day.
- Once it has ended, the version of its last day, for good: what the point became since is the next holder's.
- Before it begins, no version: the present one is the present holder's.
- A company that left a point and came back is shown what it last knew until the day it comes back.
- What the registry does not know of a title's time is not replaced by what it knows of another's.

`PointAsHeld` keeps the answer for every day, so that lists join it, and a version or a title that begins at
midnight is shown from midnight without anything having to run. Call `project` in the transaction that wrote titles
or versions.
"""

from collections.abc import Iterable, Sequence

from django.db import connection, transaction

from gridgate.core.quantities import FlowDirection, bits
from gridgate.metering.chunks import chunks

_CHUNK = 5_000
"""Parameters of one statement: SQLite takes 32,766 of them."""

_ALWAYS = "0001-01-01"

# `next_from` is the day on which the same holder comes back to the point.
_INSERT = f"""
INSERT INTO metering_pointasheld
    (holder_id, metering_point_id, directions, version_id, held_from, held_to, shown_from, shown_to)
WITH title AS (
    SELECT holder_id, metering_point_id, valid_from, valid_to,
           LEAD(valid_from) OVER own AS next_from, ROW_NUMBER() OVER own AS place,
           COALESCE((SELECT MAX(v.directions & 1) + MAX(v.directions & 2) FROM metering_pointversion v
                     WHERE v.metering_point_id = h.metering_point_id
                       AND (h.valid_to IS NULL OR v.valid_from < h.valid_to)
                       AND (v.valid_to IS NULL OR v.valid_to > h.valid_from)), {bits(FlowDirection)}) AS directions
    FROM metering_titleholding h
    WHERE {{scope}}
    WINDOW own AS (PARTITION BY holder_id, metering_point_id ORDER BY valid_from)
)
SELECT t.holder_id, t.metering_point_id, t.directions, v.id, t.valid_from, t.valid_to,
       CASE WHEN v.valid_from > t.valid_from THEN v.valid_from ELSE t.valid_from END,
       CASE WHEN v.valid_to IS NULL OR v.valid_to >= t.valid_to THEN t.next_from ELSE v.valid_to END
FROM title t
JOIN metering_pointversion v ON v.metering_point_id = t.metering_point_id
 AND (t.valid_to IS NULL OR v.valid_from < t.valid_to)
 AND (v.valid_to IS NULL OR v.valid_to > t.valid_from)
UNION ALL
SELECT t.holder_id, t.metering_point_id, t.directions, NULL, t.valid_from, t.valid_to, '{_ALWAYS}', t.valid_from
FROM title t
WHERE t.place = 1
UNION ALL
SELECT t.holder_id, t.metering_point_id, t.directions, NULL, t.valid_from, t.valid_to, t.valid_from,
       COALESCE((SELECT MIN(v.valid_from) FROM metering_pointversion v
                 WHERE v.metering_point_id = t.metering_point_id AND v.valid_from > t.valid_from
                   AND (t.valid_to IS NULL OR v.valid_from < t.valid_to)), t.next_from)
FROM title t
WHERE NOT EXISTS (SELECT 1 FROM metering_pointversion v
                  WHERE v.metering_point_id = t.metering_point_id AND v.valid_from <= t.valid_from)
"""  # noqa: S608 -- composed of constants


def project(point_ids: Iterable[str]) -> None:
    """Write anew what is shown of these points."""
    for ids in chunks(point_ids, _CHUNK):
        scope = f"metering_point_id IN ({', '.join(['%s'] * len(ids))})"
        _execute(f"DELETE FROM metering_pointasheld WHERE {scope}", ids)  # noqa: S608 -- placeholders
        _execute(_INSERT.format(scope=scope), ids)


def rebuild() -> int:
    """Write everything anew and return how many rows there are. What it writes is what was there already."""
    with transaction.atomic():
        _execute("DELETE FROM metering_pointasheld", ())
        return _execute(_INSERT.format(scope="1 = 1"), ())


def _execute(statement: str, parameters: Sequence[str]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)
