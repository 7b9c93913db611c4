"""All that is read of the portal plane's tables: which of them, which columns, and by what rules."""

from gridgate.core.sharing import Basis

_LINE = """l.basis, l.permission_id, l.holder_id, l.kinds, l.directions, l.finest_resolution,
       l.data_from, l.data_to, l.valid_from, l.valid_until"""

# Of the point as the holder of the line's data is shown it today (`metering_pointasheld`). The `+` keeps the states
# from being looked for among those of all the holder's points: of one point there are a few.
_POINT = """p.id, v.segment, s.directions, p.activated_on,
       h.holder_id = l.holder_id,
       CASE WHEN EXISTS (SELECT 1 FROM metering_titleholding own
                         WHERE own.metering_point_id = p.id AND own.holder_id = {reader})
            THEN {reader} ELSE h.holder_id END,
       v.subscribed_power_kva,
       (SELECT group_concat(c.state || '|' || c.since || '|' || coalesce(c.until, ''), ';')
        FROM metering_loadcurvecollection c WHERE c.metering_point_id = p.id AND +c.holder_id = l.holder_id)"""

_PRESENT = """
LEFT JOIN metering_titleholding h
       ON h.metering_point_id = p.id AND h.valid_from <= :today AND (h.valid_to IS NULL OR h.valid_to >
       :today)"""

_AS_HELD = """
LEFT JOIN metering_pointasheld s
       ON s.holder_id = l.holder_id AND s.metering_point_id = l.metering_point_id
      AND s.shown_from <= :today AND (s.shown_to IS NULL OR s.shown_to > :today)
LEFT JOIN metering_pointversion v ON v.id = s.version_id"""

# An application may be put in a group of its company's users: it then reads what the group's perimeter of the
# measurements lets it at that instant, by the rule of `core.roles`: a service is reserved from its beginning on, and
# gives until its end. A group that is gone leaves nothing: no group, no answer.
_IN_FORCE = """e.code = 'measurements' AND (e.valid_from IS NULL OR e.valid_from <= :instant)
                     AND (e.valid_until IS NULL OR e.valid_until > :instant)"""
_COVERED = """(NOT e.restricted OR EXISTS (
                       SELECT 1 FROM organisations_perimeterpoint pp
                       WHERE pp.entitlement_id = e.id AND pp.metering_point_id = l.metering_point_id))"""
_REACHED = f"""(a.group_id IS NULL OR EXISTS (
    SELECT 1 FROM organisations_usergroup g WHERE g.id = a.group_id AND (
        NOT EXISTS (SELECT 1 FROM organisations_usergroup any_g
                    JOIN organisations_entitlement any_e ON any_e.group_id = any_g.id
                    WHERE any_g.organisation_id = a.organisation_id AND any_e.code = 'measurements'
                      AND (any_e.valid_from IS NULL OR any_e.valid_from <= :instant))
        OR EXISTS (SELECT 1 FROM organisations_entitlement e
                   WHERE e.group_id = g.id AND {_IN_FORCE} AND {_COVERED}))))"""  # noqa: S608 -- constants

# Outer joins, so that an unknown token (no row), an unknown point, a missing subscription and a missing line
# are told apart by one statement.
TOKEN = f"""
SELECT t.expires_at, t.revoked_at, a.active, s.active, a.id, a.client_id, a.organisation_id, o.legal_name,
       {_POINT.format(reader="a.organisation_id")},
       {_LINE}
FROM applications_accesstoken t
JOIN applications_application a ON a.id = t.application_id
JOIN organisations_organisation o ON o.id = a.organisation_id
LEFT JOIN applications_apisubscription s ON s.application_id = a.id AND s.api = :api
LEFT JOIN metering_meteringpoint p ON p.id = :point
{_PRESENT}
LEFT JOIN sharing_accessline l ON l.reader_id = a.organisation_id AND l.metering_point_id = p.id
      AND {_REACHED}
{_AS_HELD}
WHERE t.token_sha256 = :token
"""  # noqa: S608 -- composed of constants

ACCESS = f"""
SELECT {_POINT.format(reader=":reader")},
       {_LINE}
FROM metering_meteringpoint p
{_PRESENT}
LEFT JOIN sharing_accessline l ON l.reader_id = :reader AND l.metering_point_id = p.id
{_AS_HELD}
WHERE p.id = :point
"""  # noqa: S608 -- composed of constants

POINTS = f"""
SELECT {_POINT.format(reader=":reader")},
       {_LINE}
FROM (SELECT DISTINCT l.metering_point_id AS id
      FROM applications_application a JOIN sharing_accessline l ON l.reader_id = a.organisation_id
      WHERE a.id = :application AND l.metering_point_id > :after
        AND l.valid_from <= :now AND (l.valid_until IS NULL OR l.valid_until > :now) AND {_REACHED}
      ORDER BY l.metering_point_id LIMIT :limit) page
JOIN metering_meteringpoint p ON p.id = page.id
{_PRESENT}
JOIN sharing_accessline l ON l.reader_id = :reader AND l.metering_point_id = p.id
 AND l.valid_from <= :now AND (l.valid_until IS NULL OR l.valid_until > :now)
{_AS_HELD}
ORDER BY p.id, l.basis DESC, l.data_from
"""  # noqa: S608 -- composed of constants

ACCESSES = f"""
SELECT {_POINT.format(reader=":reader")},
       {_LINE}
FROM json_each(:points) asked
CROSS JOIN metering_meteringpoint p ON p.id = asked.value
JOIN applications_application a ON a.id = :application
{_PRESENT}
LEFT JOIN sharing_accessline l ON l.reader_id = :reader AND l.metering_point_id = p.id
      AND {_REACHED}
{_AS_HELD}
"""  # noqa: S608 -- composed of constants

# A row costs more than what it says, and most points of a company have the same lines: so one row for all of those.
_OF_POINTS = "json_group_array(l.metering_point_id), json_group_array(l.id)"

LINES = f"""
SELECT {_LINE}, {_OF_POINTS}
FROM json_each(?) asked CROSS JOIN sharing_accessline l ON l.reader_id = ? AND l.metering_point_id = asked.value
GROUP BY {_LINE}
"""  # noqa: S608 -- composed of constants

_WITHIN_REACH = f"""
WHERE a.id = :application AND l.valid_from <= :now AND (l.valid_until IS NULL OR l.valid_until > :now) AND {_REACHED}
"""

REACH = f"""
SELECT {_LINE}, {_OF_POINTS}
FROM applications_application a JOIN sharing_accessline l ON l.reader_id = a.organisation_id
{_WITHIN_REACH}
GROUP BY {_LINE}
"""  # noqa: S608 -- composed of constants

# Where a point is, is told to its holder alone: whoever reads by a permission knows of no site.
REACH_AT = f"""
SELECT {_LINE}, {_OF_POINTS}
FROM applications_application a
JOIN sharing_accessline l ON l.reader_id = a.organisation_id AND l.basis = '{Basis.TITLE.value}'
{_AS_HELD}
{_WITHIN_REACH} AND v.address || ', ' || v.postcode || ' ' || v.city = :site
GROUP BY {_LINE}
"""  # noqa: S608 -- composed of constants

# A company's own programs know its groups, as its directory does; one that is in a group, that one alone. What is asked
# for is of these, and of it what the application may read.
_NAMEABLE = "g.organisation_id = a.organisation_id AND (a.group_id IS NULL OR a.group_id = g.id)"

REACH_WITHIN = f"""
SELECT {_LINE}, {_OF_POINTS}
FROM applications_application a
JOIN organisations_usergroup g ON g.id = :perimeter AND {_NAMEABLE}
JOIN organisations_entitlement e ON e.group_id = g.id AND {_IN_FORCE}
JOIN sharing_accessline l ON l.reader_id = a.organisation_id
{_WITHIN_REACH} AND {_COVERED}
GROUP BY {_LINE}
"""  # noqa: S608 -- composed of constants

PERIMETERS = f"""
SELECT g.id, g.name
FROM applications_application a
JOIN organisations_usergroup g ON {_NAMEABLE}
JOIN organisations_entitlement e ON e.group_id = g.id AND {_IN_FORCE}
WHERE a.id = :application
ORDER BY g.name, g.id
"""  # noqa: S608 -- composed of constants

CREDENTIAL = """
SELECT a.id, a.client_id, a.organisation_id, o.legal_name, k.secret_sha256
FROM applications_application a
JOIN organisations_organisation o ON o.id = a.organisation_id
LEFT JOIN applications_credential k ON k.application_id = a.id
      AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > :now)
WHERE a.client_id = :client_id AND a.active
"""

CHECK = """
SELECT 1
FROM sharing_accessline, applications_accesstoken, applications_apisubscription, metering_titleholding,
     metering_pointasheld, metering_pointversion
LIMIT 1
"""

POINT_AT, LINE_AT, LINE_WIDTH = 8, 16, 10

HAS = {
    "permission": "SELECT 1 FROM sharing_permissionevent WHERE permission_id = ? AND sequence = ? AND state = ?",
    "receipt": "SELECT 1 FROM sharing_receipt WHERE number = ? AND jws <> ''",
    "rights": "SELECT 1 FROM audit_auditevent WHERE id = ? AND hash = ?",
}
