"""Whatever happens to a file on its way, ingest ends with a report and not with a traceback."""

import io
import json
import os
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from gridgate.core.errors import GridgateError
from gridgate.core.quantities import Kind
from gridgate.dataplane.ingest.mapping import read_mapping_file
from gridgate.dataplane.ingest.pipeline import ingest_files
from gridgate.dataplane.ingest.readers import readers
from gridgate.dataplane.ingest.taking import Ingest
from gridgate.dataplane.store import open_store
from tests.examples import examples
from tests.ingest_samples import (
    AUTUMN,
    PARIS,
    PLAIN,
    R63_HEADER,
    R64_HEADER,
    R65_HEADER,
    R66_HEADER,
    as_json,
    ends,
    green_button,
    naive,
    offset,
    plain_csv,
    r50,
    r63,
    r64,
    r65,
    r66,
    starts,
    zipped,
)
from tests.unit.dataplane.ingest.conftest import C4, C5, INJECTING, RECORDED_AT, Directory, Taken
from tests.unit.dataplane.ingest.readers.test_customer_csv import ABOUT, curve
from tests.unit.dataplane.ingest.readers.test_enedis_xml import R151, r4x, r171

Take = Callable[..., Taken]
TakeAll = Callable[..., object]
STAMPS = naive(ends(AUTUMN))
DOCUMENTS = [
    r63(C5, STAMPS[:5], range(5), announced="2026-10-27T03:00:00+01:00"),
    r64(C5, {("Distributeur", "HP"): [("2026-01-01", 1, 0)], ("", ""): [("2026-01-01", 1, 0)]}),
    r65(C5, ["2026-10-25"], [1]),
    r66(C5, STAMPS[:5], range(5)),
]
FEEDS = [
    green_button([(1_780_308_000 + 900 * n, 900, n) for n in range(5)], quality=0, zone=(3600, 3600)),
    green_button([(1_780_264_800, 86_400, 5)], accumulation=1),
]
XML = [
    *(("espi", feed) for feed in FEEDS),
    ("enedis-r50", r50(C5, offset(ends(PLAIN)[:5]), range(5))),
    ("enedis-r151", R151),
    ("enedis-r171", r171("EA", "Wh")),
    ("enedis-r4x", r4x()),
]
DIALS = f"{ABOUT}\n{INJECTING};Index;;;Energie active;;Brut;Wh\nHorodate;EAS F1;EAS T\n2026-06-01T00:00:00+02:00;1;2"
TABLES = [
    (
        "csv",
        plain_csv(
            f"{C4},load_curve,withdrawal,{s},PT30M,{n},W,measured"
            for n, s in enumerate(offset(starts(PLAIN)[:5]))
        ).decode(),
    ),
    (
        "enedis-customer-sheet",
        f"Point Référence Mesure (PRM) : ;{C5};Type de comptage : ;Consommation Quotidienne\n"
        "Date;Valeur (en kWh)\n01/01/2026;6,329\n02/01/2026;3,217\n",
    ),
    ("csv", f"metering_point_id,day,resolution,v1,v2,v3\n{C4},2026-06-01,PT30M,1,2,3\n"),
    ("csv", f"metering_point_id;day;resolution;v1;v2;v3\n{C4};2026-03-29;60;1,5;2;3\n"),
    ("csv", f"metering_point_id,kind,end,value,observed_at\n{C4},maximum_power,2026-06-01,1,\n"),
    (
        "enedis-r6x-csv",
        "\n".join(
            [R63_HEADER, *(f"{C5};x;x;PA;CONS;BRUT;W;{s};{n};B;PT30M;0;0" for n, s in enumerate(STAMPS[:5]))]
        ),
    ),
    (
        "enedis-r6x-csv",
        f"{R64_HEADER}\n{C5};x;x;EA;CONS;BRUT;Wh;2026-06-01;COL;AQ;;F;FC1;x;HP;x;IDX_EAS_F1;1;0\n",
    ),
    ("enedis-r6x-csv", f"{R65_HEADER}\n{C5};x;x;EA;CONS;BEST;Wh;DIFF.INDEX;P1D;2026-10-25;1\n"),
    ("enedis-r6x-csv", f"{R66_HEADER}\n{C5};x;x;PMA;CONS;BRUT;VA;DIFF;P1D;2026-06-01 12:06:20;4638\n"),
    ("enedis-customer-csv", curve([f"{s};{n}" for n, s in enumerate(offset(ends(PLAIN)[:5]))])),
    ("enedis-customer-csv", DIALS),
]
INT64, INT32 = 2**63 - 1, 2**31 - 1
SECONDS = [-62_135_596_800, -60, 253_402_300_799, 1_780_264_800]
"""The year 1, the eve of 1970, the last of 9999, a usual day."""
COLUMNS = [
    pl.Series(offset(starts(PLAIN)[:4])),
    pl.Series([C5, C4, "", None]),
    pl.Series([C5, C4, C5, None], dtype=pl.Categorical),
    pl.Series(["30", "PT30M", "P1D", "{}"], dtype=pl.Enum(["30", "PT30M", "P1D", "{}"])),
    pl.Series([0, 1, INT64, -INT64]),
    pl.Series([30, 30, 30, INT32]),
    pl.Series([0, 1, 2**64 - 1, None], dtype=pl.UInt64),
    pl.Series([0, 1, 2**127 - 1, None], dtype=pl.Int128),
    pl.Series([0.1, float("nan"), float("-inf"), 1e300]),
    pl.Series([True, False, None, True]),
    pl.Series([None] * 4),
    pl.Series([date(1, 1, 1), date(1969, 12, 31), date(2026, 6, 1), date(9999, 12, 31)]),
    *(
        pl.Series(ticks).cast(pl.Datetime(unit, zone))
        for unit, ticks in (
            ("ms", [1000 * second for second in SECONDS]),
            ("us", [10**6 * second for second in SECONDS]),
            ("ms", [INT64, -INT64, 0, None]),
            ("us", [INT64, -INT64, 0, None]),
            ("ns", [INT64, -INT64, 0, None]),
        )
        for zone in (None, "UTC", "America/New_York")
    ),
    pl.Series([INT32, -INT32, 0, None], dtype=pl.Int32).cast(pl.Date),
    pl.Series([time(0, 30), time(1), time(1, 30), None]),
    pl.Series([timedelta(minutes=30), timedelta(days=1), timedelta(0), -timedelta(1)]),
    pl.Series(["1.50", "-1", "99999999999999999999", None]).cast(pl.Decimal(38, 10)),
    pl.Series([b"30", b"\xff", b"", None]),
    pl.Series([[1], [2, 3], [], None]),
    pl.Series([{"a": 1}, {"a": 2}, {"a": 3}, None]),
]
FRAMES = [
    pl.DataFrame(
        {
            "metering_point_id": [C5] * 4,
            "start": starts(PLAIN)[:4],
            "resolution": ["PT30M"] * 4,
            "value": range(4),
        }
    ),
    pl.DataFrame({"metering_point_id": [C5], "day": [PLAIN], "resolution": ["30"], "v1": [1], "v2": [2]}),
]
OURS = [
    "metering_point_id",
    "kind",
    "direction",
    "start",
    "end",
    "day",
    "resolution",
    "value",
    "unit",
    "quality",
]


def parquet(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


SAMPLES: list[tuple[str, bytes]] = [
    *(("enedis-r6x-json", as_json(document)) for document in DOCUMENTS),
    *((name, text.encode()) for name, text in (*XML, *TABLES)),
    ("auto", zipped({"a.csv": TABLES[0][1].encode(), "b.zip": zipped({"c.xml": R151.encode()})})),
]

# What people, spreadsheets and faulty programs write where a number, an instant or a word should be.
NUMBERS = st.one_of(
    st.integers().map(str),
    st.integers(-(2**70), 2**70).map(str),
    st.floats().map(str),
    st.sampled_from(
        ["1e400", "-1e-400", "1E15", "1e999999999999999999999", "1,5", "1.234,56", "1 000", "+", "."]
    ),
    st.sampled_from(
        ["0x10", "1_000", "１２", "٣", "9" * 5000, "0" * 5000 + "1", "999999999999999.999999999"]
    ),
)
DATES = st.sampled_from([
    "0001-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "10000-01-01", "+12345-01-01 00:00:00",
    "-0001-01-01", "+262142-12-31 00:00:00", "1969-12-31T23:30:00Z", "1970-01-01T00:00:00+01:00", "31/12/2099",
    "2099-12-31 23:30", "2026-02-30", "2026-03-29 02:30", "2026-10-25 02:30", "2026-06-01 24:00", "46174",
    "2026-06-01 23:59:60", "2026-06-01T00:00:00.5Z", "2026-06-01T00:00:00+99:99", "2026-06-01T00:00:00+18:01",
    "P1D", "PT0S", "PT30M",
])  # fmt: skip
WORDS = st.one_of(
    st.text(max_size=6),
    st.sampled_from(
        ["", " ", "\x00", "\ufeff", "\u2028", "\r", '"', "'", "\\", "x" * 70_000, "💥", "#line", "#1"]
    ),
    st.sampled_from(
        ["{", "}", "{}", "{0}", "{x}", "%s", "^(a$", "^.*$", "*", "null", "value#3", "load_curve", "MWh"]
    ),
)
TEXTS = NUMBERS | DATES | WORDS
# Not one_of, which would count each of the many texts as one: slots of any number must not be rare.
NAMES = st.sampled_from(
    [st.sampled_from(OURS), TEXTS, st.integers(0, 2**70).map("v{}".format), TEXTS.map("EAS {}".format)]
).flatmap(lambda names: names)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)


def robust(gate: int) -> settings:
    return settings(
        max_examples=examples(gate),
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


class TestAnyFile:
    def test_is_tried_in_every_format(self) -> None:
        """But for Parquet with bytes changed: each that ends the process that decodes it costs the start of another."""
        assert {name for name, _ in SAMPLES} - {"auto"} == set(readers()) - {"parquet"}

    @robust(150)
    @given(data=st.data())
    def test_with_bytes_lost_added_or_changed(self, take_all: TakeAll, data: st.DataObject) -> None:
        name, sample = data.draw(st.sampled_from(SAMPLES))
        harmed = bytearray(sample)
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(harmed)))
            harmed[at : at + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=4))

        take_all(bytes(harmed), format=name, single=C5 if data.draw(st.booleans()) else "")

    @robust(150)
    @given(data=st.data())
    def test_of_another_format(self, take_all: TakeAll, data: st.DataObject) -> None:
        _, sample = data.draw(st.sampled_from(SAMPLES))

        take_all(sample, format=data.draw(st.sampled_from(sorted(readers()))))

    @robust(100)
    @given(data=st.data())
    def test_whose_table_has_strange_names_and_cells(self, take: Take, data: st.DataObject) -> None:
        name, sample = data.draw(st.sampled_from(TABLES))
        separator = ";" if ";" in sample else ","
        rows = [line.split(separator) for line in sample.splitlines()]
        header = {"enedis-customer-csv": 2, "enedis-customer-sheet": 1}.get(name, 0)
        for number, row in enumerate(rows[header:]):
            row.insert(1, data.draw(TEXTS if number else NAMES))
        for _ in range(data.draw(st.integers(0, 3))):
            number = data.draw(st.just(header) | st.integers(0, len(rows) - 1))
            at = data.draw(st.integers(0, len(rows[number])))
            rows[number][at : at + data.draw(st.integers(0, 1))] = data.draw(
                st.lists(NAMES if number == header else TEXTS, max_size=2)
            )

        take(
            "\n".join(separator.join(row) for row in rows),
            format=name,
            single=data.draw(st.sampled_from(["", C5])),
        )

    @robust(150)
    @given(data=st.data())
    def test_whose_json_has_other_types_than_the_schema(self, take: Take, data: st.DataObject) -> None:
        document = deepcopy(data.draw(st.sampled_from(DOCUMENTS)))
        for _ in range(data.draw(st.integers(1, 3))):
            node: Any = document
            while isinstance(node, dict | list) and node:
                key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
                if data.draw(st.integers(0, 4)) == 0 or not isinstance(node[key], dict | list):
                    node[key] = data.draw(JSON)
                    break
                node = node[key]

        take(json.dumps(document), format="enedis-r6x-json")

    @robust(60)
    @given(data=st.data())
    def test_whose_xml_has_elements_lost_doubled_or_strange(self, take: Take, data: st.DataObject) -> None:
        name, sample = data.draw(st.sampled_from(XML))
        root = etree.fromstring(sample.encode())
        for _ in range(data.draw(st.integers(1, 4))):
            element = data.draw(st.sampled_from(list(root.iter())))
            parent = element.getparent()
            match data.draw(st.integers(0, 5)):
                case 0 if parent is not None:
                    parent.remove(element)
                case 1 if parent is not None:
                    parent.append(deepcopy(element))
                case 2 if element.attrib:
                    element.set(data.draw(st.sampled_from(sorted(element.attrib))), _xml(data.draw(TEXTS)))
                case 3:
                    element.append(deepcopy(data.draw(st.sampled_from(list(root.iter())))))
                case _:
                    element.text = _xml(data.draw(TEXTS))

        take(etree.tostring(root), format=name, single=data.draw(st.sampled_from(["", C5])))

    @robust(60)
    @given(data=st.data())
    def test_whose_parquet_has_other_types_and_names(self, take: Take, data: st.DataObject) -> None:
        frame = data.draw(st.sampled_from(FRAMES))
        columns = {name: frame[name] for name in frame.columns}
        for _ in range(data.draw(st.integers(1, 4))):
            name = data.draw(st.sampled_from(frame.columns) | NAMES)
            columns[name] = data.draw(st.sampled_from(COLUMNS)).head(frame.height)

        take(parquet(pl.DataFrame(columns)), format="parquet", single=data.draw(st.sampled_from(["", C5])))


@robust(60)
@given(
    rows=st.lists(st.lists(st.sampled_from([C5, C4, "a"]) | TEXTS, max_size=3), max_size=3),
    separator=st.sampled_from(",;"),
)
def test_any_mapping_is_read_or_refused(tmp_path: Path, rows: list[list[str]], separator: str) -> None:
    path = tmp_path / "map.csv"
    path.write_bytes("\n".join(separator.join(row) for row in rows).encode())

    with suppress(GridgateError):
        assert all(read_mapping_file(path).values())


def test_a_file_may_bear_a_name_that_is_no_text(take: Take) -> None:
    taken = take(b"", name=os.fsdecode(b"\xe9t\xe9.csv"))

    assert taken.report.path.endswith("\\udce9t\\udce9.csv")


def test_a_file_that_the_store_cannot_hold_is_refused_and_the_next_is_taken(
    tmp_path: Path, directory: Directory
) -> None:
    """What is held and what comes must fit together in 64 bits."""
    paths = []
    for number, (day, value) in enumerate([(1, "999999999999999"), (1, "0.123456789"), (2, "1")]):
        paths.append(tmp_path / f"{number}.csv")
        paths[-1].write_bytes(plain_csv([f"{C5},register_reading,withdrawal,2026-06-0{day},,{value},Wh,"]))
    with open_store(tmp_path / "m.sqlite3", zone=PARIS) as store:
        work = Ingest(store=store, directory=directory, zone=PARIS, recorded_at=RECORDED_AT)

        first, second, third = ingest_files(paths, ingest=work).files

    assert (first.stored, second.stored, third.stored) == (1, 0, 1)
    assert second.refused
    assert "does not fit with 9 decimals" in second.quarantined[0].reason


@pytest.mark.parametrize(("reader", "data"), [sample for sample in SAMPLES if sample[0] != "auto"])
def test_a_digit_of_another_script_becomes_no_other_value(take: Take, reader: str, data: bytes) -> None:
    """Each ninth digit in turn is written in Arabic or in wide digits: whatever is stored stands in the file as well."""
    text = data.decode()
    about = {"format": reader} | ({"single": C5} if reader == "espi" else {})  # a feed names no point of ours
    whole = take(data, **about)
    assert whole.blocks
    held = _stored(whole)
    digits = [place for place, char in enumerate(text) if "0" <= char <= "9"]
    for number, place in enumerate(digits[::9]):
        other = chr((0x660, 0xFF10)[number % 2] + int(text[place]))
        changed = f"{text[:place]}{other}{text[place + 1 :]}"
        stored = _stored(take(changed.encode(), **about))
        assert all(values <= held[when] for when, values in stored.items()), changed[place - 30 : place + 30]


def _stored(taken: Taken) -> dict[tuple[Any, ...], set[Decimal]]:
    """The values of each slot; of all registers, whose names are any text. Of several maxima of a day the first is kept:
    another one is, when the first is not read.
    """
    found: dict[tuple[Any, ...], set[Decimal]] = defaultdict(set)
    for block in taken.blocks if not taken.report.refused else ():
        for slot in np.flatnonzero(block.said) if block.key.kind is not Kind.MAXIMUM_POWER else ():
            when = (block.key.kind, block.key.direction, block.key.resolution, block.day, int(slot))
            found[when].add(Decimal(int(block.values[slot])).scaleb(block.scale))
    return found


@pytest.mark.parametrize("reader", sorted(readers()))
def test_an_empty_file_is_refused_by_every_reader(take: Take, reader: str) -> None:
    assert take(b"", format=reader).report.refused


def _xml(text: str) -> str:
    """The characters of the text that XML can hold."""
    return "".join(char for char in text if char.isprintable())
