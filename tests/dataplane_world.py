"""A registry and a store small enough to read, for the tests of the data plane.

The tables are those that the portal plane's migrations make, with the columns that the data plane reads;
`tests/integration/dataplane/test_schema.py` compares the two.

The cast: ACME Industries holds `CONSO` (C5, withdrawal only) and `SOLAR` (C4, both directions) since 2024;
Tiers 1 and Tiers 2 are third parties; Charlie Logistique holds `FOREIGN`.
"""

import secrets
import sqlite3
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from gridgate.config import files
from gridgate.core.quantities import FlowDirection, Kind, bits
from gridgate.dataplane.authz import sha256

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
TODAY = date(2026, 11, 25)

OPERATOR, ACME, CHARLIE, TIERS1, TIERS2 = 1, 2, 3, 4, 5
NAMES = {
    OPERATOR: "Réseau de démonstration",
    ACME: "ACME Industries",
    CHARLIE: "Charlie Logistique",
    TIERS1: "Tiers 1",
    TIERS2: "Tiers 2",
}
CONSO, SOLAR, FOREIGN, UNKNOWN = "22516914714270", "11453290002823", "10284856584123", "99999999999999"

EVERY_KIND = bits(Kind)
BOTH_WAYS = bits(FlowDirection)

SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE organisations_organisation (
    id integer PRIMARY KEY, legal_name varchar(200) NOT NULL, siren varchar(9) NOT NULL
);
CREATE TABLE applications_application (
    id integer PRIMARY KEY, client_id varchar(64) NOT NULL UNIQUE, name varchar(80) NOT NULL,
    organisation_id bigint NOT NULL REFERENCES organisations_organisation (id), active bool NOT NULL, group_id bigint
);
CREATE TABLE organisations_usergroup (
    id integer PRIMARY KEY, organisation_id bigint NOT NULL REFERENCES organisations_organisation (id),
    name varchar(80) NOT NULL
);
CREATE TABLE organisations_entitlement (
    id integer PRIMARY KEY, group_id bigint NOT NULL REFERENCES organisations_usergroup (id),
    code varchar(40) NOT NULL, restricted bool NOT NULL, valid_from datetime, valid_until datetime
);
CREATE TABLE organisations_perimeterpoint (
    id integer PRIMARY KEY, entitlement_id bigint NOT NULL REFERENCES organisations_entitlement (id),
    metering_point_id varchar(18) NOT NULL
);
CREATE TABLE applications_credential (
    id integer PRIMARY KEY, application_id bigint NOT NULL REFERENCES applications_application (id),
    secret_sha256 varchar(64) NOT NULL, created_at datetime NOT NULL, expires_at datetime, revoked_at datetime
);
CREATE INDEX applications_credential_application ON applications_credential (application_id);
CREATE TABLE applications_apisubscription (
    id integer PRIMARY KEY, application_id bigint NOT NULL REFERENCES applications_application (id),
    api varchar(20) NOT NULL, active bool NOT NULL, UNIQUE (application_id, api)
);
CREATE TABLE applications_accesstoken (
    token_sha256 varchar(64) NOT NULL PRIMARY KEY,
    application_id bigint NOT NULL REFERENCES applications_application (id),
    issued_at bigint NOT NULL, expires_at bigint NOT NULL, revoked_at bigint
);
CREATE TABLE metering_meteringpoint (id varchar(18) NOT NULL PRIMARY KEY, activated_on date NOT NULL);
CREATE TABLE metering_pointversion (
    id integer PRIMARY KEY, metering_point_id varchar(18) NOT NULL REFERENCES metering_meteringpoint (id),
    valid_from date NOT NULL, valid_to date, segment varchar(2) NOT NULL, directions smallint unsigned NOT NULL,
    address varchar(200) NOT NULL DEFAULT '', postcode varchar(10) NOT NULL DEFAULT '',
    city varchar(80) NOT NULL DEFAULT '',
    subscribed_power_kva decimal, UNIQUE (metering_point_id, valid_from)
);
CREATE TABLE metering_pointasheld (
    id integer PRIMARY KEY, holder_id bigint NOT NULL REFERENCES organisations_organisation (id),
    metering_point_id varchar(18) NOT NULL REFERENCES metering_meteringpoint (id),
    version_id integer REFERENCES metering_pointversion (id), directions smallint unsigned NOT NULL,
    held_from date NOT NULL, held_to date, shown_from date NOT NULL, shown_to date,
    UNIQUE (holder_id, metering_point_id, shown_from)
);
CREATE TABLE metering_titleholding (
    id integer PRIMARY KEY, metering_point_id varchar(18) NOT NULL REFERENCES metering_meteringpoint (id),
    holder_id bigint NOT NULL REFERENCES organisations_organisation (id), valid_from date NOT NULL, valid_to
    date
);
CREATE INDEX metering_titleholding_point ON metering_titleholding (metering_point_id);
CREATE TABLE metering_loadcurvecollection (
    id integer PRIMARY KEY, metering_point_id varchar(18) NOT NULL REFERENCES metering_meteringpoint (id),
    holder_id bigint, state varchar(9) NOT NULL, since datetime NOT NULL, until datetime
);
CREATE UNIQUE INDEX one_present_collection_a_point
    ON metering_loadcurvecollection (metering_point_id) WHERE until IS NULL;
CREATE INDEX metering_loadcurvecollection_point ON metering_loadcurvecollection (metering_point_id);
CREATE TABLE sharing_accessline (
    id integer PRIMARY KEY, reader_id bigint NOT NULL REFERENCES organisations_organisation (id),
    metering_point_id varchar(18) NOT NULL REFERENCES metering_meteringpoint (id),
    holder_id bigint NOT NULL REFERENCES organisations_organisation (id), basis varchar(10) NOT NULL,
    permission_id char(32), kinds smallint unsigned NOT NULL, directions smallint unsigned NOT NULL,
    finest_resolution integer unsigned NOT NULL, data_from bigint NOT NULL, data_to bigint,
    valid_from bigint NOT NULL, valid_until bigint
);
CREATE INDEX sharing_accessline_reader_point ON sharing_accessline (reader_id, metering_point_id);
"""


@dataclass(frozen=True, slots=True)
class Client:
    """An application and its secret in clear."""

    id: int
    client_id: str
    client_secret: str
    organisation: int


class RegistryFile:
    """A registry that tests fill and change, as the portal plane would."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.db.executescript(SCHEMA)
        self.db.execute("CREATE TABLE django_migrations (app, name)")
        applied = [name.split(".") for name in files._migrations_of_this_version()]
        self.db.executemany("INSERT INTO django_migrations VALUES (?, ?)", applied)
        for organisation, name in NAMES.items():
            siren = f"{organisation:09d}"
            self.db.execute(
                "INSERT INTO organisations_organisation VALUES (?, ?, ?)", (organisation, name, siren)
            )

    def point(
        self,
        point: str,
        *,
        holder: int,
        segment: str = "C5",
        directions: int = FlowDirection.WITHDRAWAL.bit,
        activated_on: date = date(2020, 1, 15),
        held_from: date = date(2024, 1, 1),
        collection: str | None = "active",
        street: str = "12 Rue de Gerland",
    ) -> None:
        """A point, its title holding with the holder's own line, and the state of its load curve's
        collection.
        """
        db = self.db
        db.execute("INSERT INTO metering_meteringpoint VALUES (?, ?)", (point, activated_on.isoformat()))
        version = self._version(point, activated_on, segment, directions, kva=36, street=street)
        self._held(point, holder=holder, since=held_from, version=version, directions=directions)
        if collection:
            self.collection(point, holder, collection)

    def collection(
        self,
        point: str,
        holder: int,
        state: str,
        *,
        since: str = "2024-01-01 00:00:00",
        until: str | None = None,
    ) -> None:
        """A state that the collection of a point's load curve had under a holder."""
        self.db.execute(
            "INSERT INTO metering_loadcurvecollection (metering_point_id, holder_id, state, since, until)"
            " VALUES (?, ?, ?, ?, ?)",
            (point, holder, state, since, until),
        )

    def hand_over(
        self,
        point: str,
        *,
        to: int,
        on: date,
        segment: str,
        directions: int,
        kva: int,
        street: str = "12 Rue de Gerland",
    ) -> None:
        """Whoever holds the point leaves it to another that day, and it becomes another with it."""
        db, day = self.db, on.isoformat()
        (former,) = db.execute(
            "SELECT holder_id FROM metering_titleholding WHERE metering_point_id = ? AND valid_to IS NULL",
            (point,),
        ).fetchone()
        for table in ("titleholding", "pointversion"):
            db.execute(
                f"UPDATE metering_{table} SET valid_to = ? WHERE metering_point_id = ? AND valid_to IS NULL",
                (day, point),
            )
        db.execute(
            "UPDATE sharing_accessline SET data_to = ? WHERE metering_point_id = ? AND reader_id = ?",
            (midnight(on), point, former),
        )
        version = self._version(point, on, segment, directions, kva=kva, street=street)
        self._held(point, holder=to, since=on, version=version, directions=directions)

    def _version(
        self, point: str, since: date, segment: str, directions: int, *, kva: int, street: str
    ) -> int | None:
        return self.db.execute(
            "INSERT INTO metering_pointversion"
            " (metering_point_id, valid_from, segment, directions, subscribed_power_kva, address, postcode, city)"
            " VALUES (?, ?, ?, ?, ?, ?, '69007', 'Lyon')",
            (point, since.isoformat(), segment, directions, kva, street),
        ).lastrowid

    def _held(self, point: str, *, holder: int, since: date, version: int | None, directions: int) -> None:
        day = since.isoformat()
        self.db.execute(
            "INSERT INTO metering_titleholding (metering_point_id, holder_id, valid_from) VALUES (?, ?, ?)",
            (point, holder, day),
        )
        self.db.execute(
            "INSERT INTO metering_pointasheld"
            " (holder_id, metering_point_id, version_id, directions, held_from, shown_from)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (holder, point, version, directions, day, day),
        )
        self.line(point, reader=holder, holder=holder, basis="title", data_from=since, valid_from=since)

    def line(
        self,
        point: str,
        *,
        reader: int,
        holder: int,
        basis: str = "permission",
        permission: str | None = None,
        kinds: int = EVERY_KIND,
        directions: int = BOTH_WAYS,
        finest_resolution: int = 0,
        data_from: date = date(2024, 1, 1),
        data_to: date | None = None,
        valid_from: date = date(2026, 1, 1),
        valid_until: date | None = None,
    ) -> int:
        """One line of the access projection; returns its id."""
        cursor = self.db.execute(
            "INSERT INTO sharing_accessline"
            " (reader_id, metering_point_id, holder_id, basis, permission_id, kinds,"
            " directions, finest_resolution, data_from, data_to, valid_from, valid_until)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                reader,
                point,
                holder,
                basis,
                (permission or secrets.token_hex(16)) if basis == "permission" else None,
                kinds,
                directions,
                finest_resolution,
                midnight(data_from),
                data_to and midnight(data_to),
                midnight(valid_from),
                valid_until and midnight(valid_until),
            ),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def application(self, client_id: str, organisation: int, *apis: str) -> Client:
        """An application with one secret, subscribed to `apis`."""
        secret = secrets.token_urlsafe(32)
        cursor = self.db.execute(
            "INSERT INTO applications_application (client_id, name, organisation_id, active)"
            " VALUES (?, ?, ?, 1)",
            (client_id, client_id, organisation),
        )
        assert cursor.lastrowid is not None
        client = Client(cursor.lastrowid, client_id, secret, organisation)
        self.credential(client, secret)
        for api in apis:
            self.db.execute(
                "INSERT INTO applications_apisubscription (application_id, api, active) VALUES (?, ?, 1)",
                (client.id, api),
            )
        return client

    def group(
        self,
        organisation: int,
        client: Client | None,
        points: list[str] | None,
        code: str = "measurements",
        *,
        valid_from: datetime | None = None,
        valid_until: datetime | None = None,
        name: str = "Énergie",
    ) -> int:
        """A group of the organisation's users that has a service on these points, or on all (None), from when until
        when; `client` reads within it.
        """
        execute = self.db.execute
        group = execute(
            "INSERT INTO organisations_usergroup (organisation_id, name) VALUES (?, ?)", (organisation, name)
        ).lastrowid
        entitlement = execute(
            "INSERT INTO organisations_entitlement (group_id, code, restricted, valid_from, valid_until)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                group,
                code,
                points is not None,
                valid_from and _text(valid_from),
                valid_until and _text(valid_until),
            ),
        ).lastrowid
        self.db.executemany(
            "INSERT INTO organisations_perimeterpoint (entitlement_id, metering_point_id) VALUES (?, ?)",
            [(entitlement, point) for point in points or ()],
        )
        if client is not None:
            execute("UPDATE applications_application SET group_id = ? WHERE id = ?", (group, client.id))
        assert group is not None
        return group

    def credential(
        self,
        client: Client,
        secret: str,
        *,
        expires_at: datetime | None = None,
        revoked_at: datetime | None = None,
    ) -> None:
        self.db.execute(
            "INSERT INTO applications_credential"
            " (application_id, secret_sha256, created_at, expires_at, revoked_at)"
            " VALUES (?, ?, '2024-01-01 00:00:00', ?, ?)",
            (client.id, sha256(secret), expires_at and _text(expires_at), revoked_at and _text(revoked_at)),
        )

    def token(
        self, client: Client, *, at: datetime = NOW, lifetime: int = 3600, revoked: bool = False
    ) -> str:
        """A token of the client, valid from `at`."""
        token = secrets.token_urlsafe(32)
        now = int(at.timestamp())
        self.db.execute(
            "INSERT INTO applications_accesstoken VALUES (?, ?, ?, ?, ?)",
            (sha256(token), client.id, now, now + lifetime, now if revoked else None),
        )
        return token

    def end(self, line: int) -> None:
        """What revoking a permission does to the projection."""
        self.db.execute("DELETE FROM sharing_accessline WHERE id = ?", (line,))


def midnight(day: date) -> int:
    """The start of a civil day in Paris, in seconds since 1970."""
    return int(datetime(day.year, day.month, day.day, tzinfo=PARIS).timestamp())


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def _text(at: datetime) -> str:
    """As Django writes an instant in SQLite: no fraction when it is zero."""
    return str(at.astimezone(UTC).replace(tzinfo=None))
