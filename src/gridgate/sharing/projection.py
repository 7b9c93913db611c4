"""The access projection: what the data plane decides from, one table, written where the facts are written.

A line says that a reader may read data of one point, stamped within `[data_from, data_to)`, at instants
within `[valid_from, valid_until)`.

- A *title* gives its holder one line: the data of the title, from its first day on, for good, in the directions that
  the point has had in its time (`metering.as_held`). A former
  holder goes on reading the time that was theirs, and nothing after.
- An *active permission* gives one line for each title of its holder on each of its points. It reads the
  data of that title from `history_from` on, as long as the permission lasts and its holder holds the point:
  a title that ends, ends the reading by third parties at that midnight, whether or not anything else has
  run by then. (A holder who left a point and came back has two titles on it, and the permission a line for
  the data of each.)
- While the collection of a point's load curve is opposed, permissions have no load curve on it.
- What is suspended or has ended has no line.
- A point that its holder *left* while a permission covered it leaves an empty line, of no length in data or time: it
  gives nothing, and says why nothing is given, until the holder is back or the permission ends otherwise.

Every line comes from one of the three SELECTs below, for a permission, for some points, or for everything.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from gridgate.core.quantities import Kind, bits
from gridgate.core.sharing import PermissionState
from gridgate.core.time import civil_day_bounds
from gridgate.sharing.models import Permission

_CHUNK = 5000
"""Parameters of one statement: SQLite takes 32,766 of them."""

_INSERT = """
INSERT INTO sharing_accessline
    (reader_id, metering_point_id, holder_id, basis, permission_id, kinds, directions, finest_resolution,
     data_from, data_to, valid_from, valid_until)
"""

_TITLES = f"""
SELECT h.holder_id, h.metering_point_id, h.holder_id, 'title', NULL, {bits(Kind)},
       (SELECT MAX(a.directions) FROM metering_pointasheld a
        WHERE a.holder_id = h.holder_id AND a.metering_point_id = h.metering_point_id AND a.held_from = h.valid_from), 0,
       gridgate_midnight(h.valid_from), gridgate_midnight(h.valid_to), gridgate_midnight(h.valid_from), NULL
FROM metering_titleholding h
WHERE {{scope}}
"""  # noqa: S608 -- composed of constants

# `h` is the title whose data is read, `t` the one that its holder reads it under: the same, but for a holder
# who came back. The bounds are worked out in the inner SELECT, and what they leave empty is left out by the
# outer one. CROSS JOIN makes SQLite take the tables in this order, and `+ 0` keeps it from going through a
# holder's fifty thousand titles for each of them.
_PERMISSIONS = f"""
SELECT reader, point, holder, 'permission', permission, kinds, directions, finest_resolution,
       CASE WHEN title_from < history_from THEN history_from ELSE title_from END, title_to,
       CASE WHEN tenure_from < begins THEN begins ELSE tenure_from END,
       CASE WHEN ends IS NULL OR tenure_to < ends THEN tenure_to ELSE ends END
FROM (
    SELECT p.eligible_party_id AS reader, h.metering_point_id AS point, p.holder_id AS holder,
           p.id AS permission,
           CASE WHEN c.state = 'opposed' THEN p.kinds & ~{Kind.LOAD_CURVE.bit} ELSE p.kinds END AS kinds,
           p.directions, p.finest_resolution,
           gridgate_midnight(p.history_from) AS history_from,
           gridgate_midnight(h.valid_from) AS title_from, gridgate_midnight(h.valid_to) AS title_to,
           gridgate_midnight(t.valid_from) AS tenure_from, gridgate_midnight(t.valid_to) AS tenure_to,
           gridgate_epoch(p.valid_from) AS begins, gridgate_epoch(p.valid_until) AS ends
    FROM {{tables}}
    CROSS JOIN metering_titleholding t
    LEFT JOIN metering_loadcurvecollection c
           ON c.metering_point_id = h.metering_point_id AND c.holder_id = h.holder_id AND c.until IS NULL
    WHERE p.holder_id = h.holder_id AND t.metering_point_id = h.metering_point_id AND t.holder_id + 0 = h.holder_id
      AND p.state = '{PermissionState.ACTIVE}' AND {{scope}}
      AND (p.all_points OR EXISTS (SELECT 1 FROM sharing_permissionpoint n
                                   WHERE n.permission_id = p.id
                                     AND n.metering_point_id = h.metering_point_id))
) AS line
WHERE kinds <> 0
  AND (title_to IS NULL OR title_to > history_from)
  AND (tenure_to IS NULL OR tenure_to > begins)
  AND (ends IS NULL OR ends > begins)
  AND (ends IS NULL OR ends > tenure_from)
"""  # noqa: S608 -- composed of constants

# A day is taken from what was told, not from the title: a title that is corrected afterwards opens nothing.
_LEFT = f"""
SELECT p.eligible_party_id, n.metering_point_id, p.holder_id, 'permission', p.id, p.kinds, p.directions,
       p.finest_resolution, gridgate_midnight(n.left_on), gridgate_midnight(n.left_on),
       gridgate_midnight(n.left_on), gridgate_midnight(n.left_on)
FROM sharing_pointleft n
JOIN sharing_permission p ON p.id = n.permission_id
WHERE p.state IN ('{PermissionState.ACTIVE}', '{PermissionState.SUSPENDED}', '{PermissionState.INVALIDATED}')
  AND {{scope}}
  AND NOT EXISTS (SELECT 1 FROM metering_titleholding h
                  WHERE h.metering_point_id = n.metering_point_id AND h.holder_id = p.holder_id
                    AND (h.valid_to IS NULL OR h.valid_to > n.left_on))
"""  # noqa: S608 -- composed of constants

_PERMISSIONS_FIRST = "sharing_permission p CROSS JOIN metering_titleholding h"
_TITLES_FIRST = "metering_titleholding h CROSS JOIN sharing_permission p"
_EVERYTHING = "1 = 1"


def project_permission(permission: Permission) -> None:
    """Write the lines of a permission anew, in the transaction that changed it."""
    project_permissions([permission])


def project_permissions(permissions: Iterable[Permission]) -> None:
    """Write the lines of these permissions anew."""
    prepare = Permission._meta.pk.get_db_prep_value
    for ids in _chunks([prepare(permission.pk, connection) for permission in permissions]):
        places = _places(ids)
        _execute(f"DELETE FROM sharing_accessline WHERE permission_id IN ({places})", ids)  # noqa: S608 -- placeholders
        scope = f"p.id IN ({places})"
        _execute(_INSERT + _PERMISSIONS.format(tables=_PERMISSIONS_FIRST, scope=scope), ids)
        _execute(_INSERT + _LEFT.format(scope=scope), ids)


def project_titles(point_ids: Iterable[str]) -> None:
    """Write all lines on these points anew: a title, a point or a collection changed."""
    for ids in _chunks(list(point_ids)):
        places = _places(ids)
        scope = f"h.metering_point_id IN ({places})"
        _execute(f"DELETE FROM sharing_accessline WHERE metering_point_id IN ({places})", ids)  # noqa: S608 -- placeholders
        _execute(_INSERT + _TITLES.format(scope=scope), ids)
        _execute(_INSERT + _PERMISSIONS.format(tables=_TITLES_FIRST, scope=scope), ids)
        _execute(_INSERT + _LEFT.format(scope=f"n.metering_point_id IN ({places})"), ids)


def rebuild() -> int:
    """Write every line anew and return how many there are. What it writes is what was there already."""
    with transaction.atomic():
        _execute("DELETE FROM sharing_accessline", ())
        written = _execute(_INSERT + _TITLES.format(scope=_EVERYTHING), ())
        written += _execute(_INSERT + _PERMISSIONS.format(tables=_PERMISSIONS_FIRST, scope=_EVERYTHING), ())
        written += _execute(_INSERT + _LEFT.format(scope=_EVERYTHING), ())
    return written


def contradicted() -> Iterator[tuple[bool, str, int]]:
    """Where the lines are not what titles and permissions say: whether a line is there (or is missing), its point and its
    reader. Writes nothing.
    """
    columns = (
        "reader_id, metering_point_id, holder_id, basis, permission_id, kinds, directions, finest_resolution,"
        " data_from, data_to, valid_from, valid_until"
    )
    there = f"SELECT {columns} FROM sharing_accessline"  # noqa: S608 -- composed of constants
    due = (
        _TITLES.format(scope=_EVERYTHING)
        + " UNION ALL "
        + _PERMISSIONS.format(tables=_PERMISSIONS_FIRST, scope=_EVERYTHING)
        + " UNION ALL "
        + _LEFT.format(scope=_EVERYTHING)
    )
    too_many = f"{there} EXCEPT SELECT * FROM ({due})"  # noqa: S608 -- the same
    too_few = f"SELECT * FROM ({due}) EXCEPT {there}"  # noqa: S608 -- the same
    for is_there, statement in ((True, too_many), (False, too_few)):
        with connection.cursor() as cursor:
            cursor.execute(statement)
            for reader, point, *_ in cursor:
                yield is_there, point, reader


def prepare_connection(connection: BaseDatabaseWrapper, **_: object) -> None:
    """Teach SQLite the two functions of the statements above; PostgreSQL has them from a migration."""
    if connection.vendor == "sqlite":
        for name, function in (("gridgate_midnight", _midnight), ("gridgate_epoch", _epoch)):
            connection.connection.create_function(name, 1, function, deterministic=True)


@lru_cache(maxsize=4096)
def _midnight(day: str | None) -> int | None:
    """Seconds since 1970 of the midnight at which a civil day begins in the instance's zone."""
    if day is None:
        return None
    return int(civil_day_bounds(date.fromisoformat(day), ZoneInfo(settings.TIME_ZONE)).start.timestamp())


def _epoch(instant: str | None) -> int | None:
    """Seconds since 1970 of an instant as Django keeps it in SQLite, fractions dropped."""
    return None if instant is None else int(datetime.fromisoformat(f"{instant}+00:00").timestamp())


def _execute(statement: str, parameters: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def _places(ids: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(ids))


def _chunks(ids: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
