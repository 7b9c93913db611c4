"""What an engineer writes in an afternoon in place of Gridgate: FastAPI, and a row a value in PostgreSQL.

Runs in an environment of its own (`requirements.txt`), and imports nothing of Gridgate. Tokens are signed, consents are
looked up at each read, reads are not logged but for what `/fold` takes in. `AFTERNOON_DATABASE` names the folder of
PostgreSQL's socket, or a file, which is then one of SQLite.
"""

import asyncio
import csv
import hashlib
import hmac
import io
import json
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import asyncpg
import jwt
import polars as pl
from fastapi import Depends, FastAPI, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jinja2 import Environment

DATABASE = os.environ["AFTERNOON_DATABASE"]
KEY = "an afternoon's key, long enough for what it signs"
PARIS = ZoneInfo("Europe/Paris")
MONTH = 30 * 86_400
SCHEMA = """
drop table if exists reading;
create table reading (point text, at bigint, watts integer, quality text, primary key (point, at));
create table if not exists client (id text primary key, secret text, reader integer);
create table if not exists consent (id integer primary key, point text, holder integer, reader integer, ended bigint);
create index if not exists consent_of on consent (reader, point);
create table if not exists event (consent integer, what text, at bigint);
create table if not exists read_log (at bigint, reader integer, reader_name text, holder integer, point text,
  kind text, outcome text, application text, consent text);
create index if not exists read_log_of on read_log (holder, at);
"""
AS_KEPT = "select at, watts, quality from reading where point = $1 and at >= $2 and at < $3 order by at"
RESAMPLED = """select at / $4 * $4 as at, cast(round(avg(watts)) as integer) as watts, max(quality) as quality
from reading where point = $1 and at >= $2 and at < $3 group by 1 order by 1"""
UPSERT = """insert into reading select * from arrived where true
on conflict (point, at) do update set watts = excluded.watts, quality = excluded.quality"""


class Postgres:
    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, place: str) -> "Postgres":
        pool = await asyncpg.create_pool(
            host=place, user="postgres", database="postgres", min_size=2, max_size=8
        )
        return cls(pool)

    async def make(self) -> None:
        await self._pool.execute(SCHEMA)

    async def ask(self, statement: str, *values: Any) -> list[Any]:
        return list(await self._pool.fetch(statement, *values))

    async def do(self, *statements: tuple[str, tuple[Any, ...]]) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            for statement, values in statements:
                await connection.execute(statement, *values)

    async def copy(self, table: str, rows: Iterator[tuple[Any, ...]]) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.copy_records_to_table(table, records=rows)

    async def upsert(self, rows: Iterator[tuple[Any, ...]]) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("create temp table arrived (like reading) on commit drop")
            await connection.copy_records_to_table("arrived", records=rows)
            await connection.execute(UPSERT)


class Sqlite:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    @classmethod
    async def open(cls, place: str) -> "Sqlite":
        db = sqlite3.connect(place, isolation_level=None, timeout=60)
        db.row_factory = sqlite3.Row
        db.execute("pragma journal_mode = wal")
        return cls(db)

    async def make(self) -> None:
        self._db.executescript(SCHEMA)

    async def ask(self, statement: str, *values: Any) -> list[Any]:
        return self._db.execute(statement, _numbered(values)).fetchall()

    async def do(self, *statements: tuple[str, tuple[Any, ...]]) -> None:
        with self._transaction():
            for statement, values in statements:
                self._db.execute(statement, _numbered(values))

    async def copy(self, table: str, rows: Iterator[tuple[Any, ...]]) -> None:
        width = len(self._db.execute(f"select * from {table} limit 0").description)
        with self._transaction():
            self._db.executemany(f"insert into {table} values ({', '.join('?' * width)})", rows)

    async def upsert(self, rows: Iterator[tuple[Any, ...]]) -> None:
        with self._transaction():
            self._db.executemany(
                "insert into reading values (?, ?, ?, ?) on conflict (point, at) do update"
                " set watts = excluded.watts, quality = excluded.quality",
                rows,
            )

    def _transaction(self) -> sqlite3.Connection:
        self._db.execute("begin immediate")
        return self._db


def _numbered(values: tuple[Any, ...]) -> dict[str, Any]:
    return {str(number): value for number, value in enumerate(values, 1)}


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    kind: Any = Postgres if Path(DATABASE).is_dir() else Sqlite
    app.state.db = await kind.open(DATABASE)
    yield


app = FastAPI(lifespan=_lifespan)
bearer = HTTPBearer()


def database(request: Request) -> Any:
    return request.app.state.db


def reader_of(sent: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> int:
    try:
        return int(jwt.decode(sent.credentials, KEY, algorithms=["HS256"])["sub"])
    except jwt.InvalidTokenError:
        raise HTTPException(401) from None


Database = Annotated[Any, Depends(database)]
Reader = Annotated[int, Depends(reader_of)]


@app.get("/")
async def ready() -> str:
    return "ready"


@app.post("/tables")
async def tables(db: Database) -> None:
    """Make them, and empty that of values."""
    await db.make()


@app.post("/analyse")
async def analyse(db: Database) -> None:
    await db.do(("analyze", ()))


@app.post("/token")
async def token(
    db: Database, client_id: Annotated[str, Form()], client_secret: Annotated[str, Form()]
) -> dict[str, Any]:
    found = await db.ask("select secret, reader from client where id = $1", client_id)
    digest = hashlib.sha256(client_secret.encode()).hexdigest()
    if not found or not hmac.compare_digest(found[0]["secret"], digest):
        raise HTTPException(401)
    now = int(time.time())
    claims = {"sub": str(found[0]["reader"]), "iat": now, "exp": now + 86_400}
    return {"access_token": jwt.encode(claims, KEY, "HS256"), "token_type": "bearer", "expires_in": 86_400}


@app.post("/clients")
async def clients(db: Database, asked: dict[str, Any]) -> None:
    secret = hashlib.sha256(asked["secret"].encode()).hexdigest()
    await db.do(("insert into client values ($1, $2, $3)", (asked["id"], secret, asked["reader"])))


@app.post("/consents")
async def consents(db: Database, asked: list[tuple[int, str, int, int]]) -> None:
    await db.copy("consent", ((*one, None) for one in asked))


@app.post("/consents/{number}/revoke")
async def revoke(db: Database, number: int) -> None:
    now = int(time.time())
    await db.do(
        ("update consent set ended = $1 where id = $2 and ended is null", (now, number)),
        ("insert into event values ($1, 'revoked', $2)", (number, now)),
    )


@app.get("/points/{point}/load")
async def load(
    db: Database, reader: Reader, point: str, start: date, end: date, step: int | None = None
) -> JSONResponse:
    may = await db.ask(
        "select 1 from consent where reader = $1 and point = $2 and ended is null limit 1", reader, point
    )
    if not may:
        raise HTTPException(403)
    period = point, _midnight(start), _midnight(end)
    rows = await (db.ask(RESAMPLED, *period, step) if step else db.ask(AS_KEPT, *period))
    readings = [
        {
            "date": datetime.fromtimestamp(row["at"], PARIS).isoformat(),
            "value": row["watts"],
            "quality": row["quality"],
        }
        for row in rows
    ]
    return JSONResponse({"point": point, "unit": "W", "readings": readings})


@app.get("/sum")
async def sum_of_all(db: Database, start: int, end: int) -> JSONResponse:
    rows = await db.ask(
        "select at, sum(watts) as watts from reading where at >= $1 and at < $2 group by at order by at",
        start,
        end,
    )
    return JSONResponse([[row["at"], int(row["watts"])] for row in rows])


@app.post("/files")
async def files(db: Database, request: Request, form: str) -> None:
    content = await request.body()
    if form == "packed":  # a set of values for other workloads: not one that is measured
        await db.copy("reading", _packed(content))
    else:
        await db.upsert({"csv": _long, "wide": _wide, "r63": _r63, "parquet": _parquet}[form](content))


def _long(content: bytes) -> Iterator[tuple[Any, ...]]:
    for line in csv.DictReader(io.StringIO(content.decode())):
        at = int(datetime.fromisoformat(line["start"]).timestamp())
        yield line["metering_point_id"], at, int(line["value"]), line["quality"]


def _wide(content: bytes) -> Iterator[tuple[Any, ...]]:
    for line in csv.DictReader(io.StringIO(content.decode())):
        midnight = _midnight(date.fromisoformat(line["day"]))
        for place in range(48):
            at = midnight + 1800 * place
            yield line["metering_point_id"], at, int(line[f"v{place + 1}"]), line["quality"]


def _r63(content: bytes) -> Iterator[tuple[Any, ...]]:
    for measure in json.loads(content)["mesures"]:
        for quantity in measure["grandeur"]:
            for one in quantity["points"]:
                end = datetime.strptime(one["d"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=PARIS)
                yield measure["idPrm"], int(end.timestamp()) - 1800, int(one["v"]), one["n"]


def _parquet(content: bytes) -> Iterator[tuple[Any, ...]]:
    table = pl.read_parquet(io.BytesIO(content)).select(
        "metering_point_id", pl.col("start").dt.epoch("s"), "value", "quality"
    )
    return table.iter_rows()


def _packed(content: bytes) -> Iterator[tuple[Any, ...]]:
    for point, first, step, values in json.loads(content):
        for place, value in enumerate(values):
            yield point, first + step * place, value, "measured"


def _midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=PARIS).timestamp())


@app.post("/fold")
async def fold(db: Database, folder: str, pattern: str) -> int:
    """Lines of a log into rows, 10,000 a transaction."""
    count = 0
    for path in sorted(await asyncio.to_thread(lambda: list(Path(folder).glob(pattern)))):
        rows = []
        for line in path.read_bytes().splitlines():
            entry = json.loads(line)
            if "at" in entry:
                rows.append(
                    (
                        int(datetime.fromisoformat(entry["at"]).timestamp()),
                        entry["reader"],
                        entry["reader_name"],
                        entry["holder"],
                        entry["metering_point"],
                        entry["kind"],
                        entry["outcome"],
                        entry.get("application"),
                        entry.get("permission"),
                    )
                )
        for first in range(0, len(rows), 10_000):
            await db.copy("read_log", iter(rows[first : first + 10_000]))
        count += len(rows)
    return count


templates = Environment(autoescape=True)
HOME = templates.from_string(
    "<h1>{{ points }} points</h1><table>{% for row in reads %}"
    "<tr><td>{{ row.reader_name }}<td>{{ row.reads }}{% endfor %}</table>"
)
SHARING = templates.from_string(
    "<table>{% for row in readers %}<tr><td>{{ row.reader_name }}<td>{{ row.points }}<td>{{ row.reads }}"
    "<td>{{ when(row.last) }}{% endfor %}</table>"
)
JOURNAL = templates.from_string(
    "<p>{{ count }}</p><table>{% for row in rows %}<tr><td>{{ when(row.at) }}<td>{{ row.reader_name }}"
    "<td>{{ row.point }}<td>{{ row.kind }}<td>{{ row.outcome }}<td>{{ row.application }}{% endfor %}</table>"
)


@app.get("/companies/{holder}/", response_class=HTMLResponse)
async def home(db: Database, holder: int) -> str:
    points = await db.ask("select count(distinct point) as points from read_log where holder = $1", holder)
    reads = await db.ask(
        "select reader_name, count(*) as reads from read_log where holder = $1 and at >= $2 and outcome = 'granted'"
        " group by reader_name order by reads desc",
        holder,
        int(time.time()) - MONTH,
    )
    return HOME.render(points=points[0]["points"], reads=reads)


@app.get("/companies/{holder}/sharing", response_class=HTMLResponse)
async def sharing(db: Database, holder: int) -> str:
    readers = await db.ask(
        "select reader_name, count(distinct point) as points, count(*) as reads, max(at) as last from read_log"
        " where holder = $1 group by reader_name order by reader_name",
        holder,
    )
    return SHARING.render(readers=readers, when=_when)


@app.get("/companies/{holder}/journal", response_class=HTMLResponse)
async def journal(db: Database, holder: int) -> str:
    count = await db.ask("select count(*) as number from read_log where holder = $1", holder)
    rows = await db.ask("select * from read_log where holder = $1 order by at desc limit 50", holder)
    return JOURNAL.render(count=count[0]["number"], rows=rows, when=_when)


def _when(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone(PARIS).strftime("%d/%m/%Y %H:%M:%S")
