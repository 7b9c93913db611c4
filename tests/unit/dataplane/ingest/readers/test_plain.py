"""Gridgate's own columns, in CSV and in Parquet, long and wide; and what `gridgate export` writes."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Interval, Resolution, civil_day_bounds
from gridgate.dataplane.export import ExportFormat, export
from gridgate.dataplane.ingest import frames, parquet_process, utf8
from gridgate.dataplane.query.answer import Answer
from gridgate.dataplane.query.assemble import assemble
from tests.examples import examples
from tests.ingest_samples import (
    AUTUMN,
    PARIS,
    PLAIN,
    PLAIN_HEADER,
    SPRING,
    ends,
    naive,
    offset,
    plain_csv,
    starts,
)
from tests.unit.dataplane.ingest.conftest import C5, INJECTING, Taken

Take = Callable[..., Taken]


def parquet(frame: pl.DataFrame, **about: str) -> bytes:
    buffer = io.BytesIO()
    frame.write_parquet(buffer, metadata=about or None)
    return buffer.getvalue()


class TestLongCsv:
    @settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(data=st.data())
    def test_gives_back_what_was_written(self, take: Take, data: st.DataObject) -> None:
        day = data.draw(st.sampled_from([PLAIN, SPRING, AUTUMN]))
        step = data.draw(st.sampled_from([r for r in Resolution if r is not Resolution.P1D]))
        write = data.draw(st.sampled_from([naive, offset]))
        separator, comma = data.draw(st.sampled_from([(",", "."), (";", "."), (";", ","), ("\t", ",")]))
        instants = starts(day, step)
        decimal = st.decimals(0, 10**6, places=3, allow_nan=False)
        # Eight drawn values, repeated unevenly, are as telling as 288 and much faster to draw.
        drawn = data.draw(st.lists(decimal, min_size=8, max_size=8))
        values = [drawn[(n * n + n) % 8] for n in range(len(instants))]
        words = data.draw(
            st.lists(st.sampled_from(["measured", "estimated", "corrected"]), min_size=3, max_size=3)
        )
        rows = [
            [C5, "load_curve", "withdrawal", s, step.iso, str(v).replace(".", comma), "W", words[n % 3]]
            for n, (s, v) in enumerate(zip(write(instants), values, strict=True))
        ]

        block = take("\n".join(separator.join(row) for row in [PLAIN_HEADER.split(","), *rows, [""]])).block

        assert block.day == day
        assert [v.scaleb(-block.scale) for v in values] == block.values.tolist()
        assert [Quality(code).word for code in block.quality] == [words[n % 3] for n in range(len(values))]

    @pytest.mark.parametrize(
        "columns",
        [
            "start,value",
            "END,VALUE",
            '"Start","Value"',
            "timestamp;valeur",
            "horodate\tvaleur",
            " date , value ",
        ],
    )
    def test_needs_a_stamp_and_a_value_only(self, take: Take, columns: str) -> None:
        separator = ";" if ";" in columns else "\t" if "\t" in columns else ","
        rows = [f"{stamp}{separator}{n}" for n, stamp in enumerate(offset(starts(PLAIN)[1:5]))]

        block = take(plain_csv(rows, columns), single=C5).block

        first = 0 if columns.startswith("END") else 1
        assert block.values[first : first + 4].tolist() == [0, 1, 2, 3]
        assert block.key.kind is Kind.LOAD_CURVE

    def test_ignores_columns_of_ones_own(self, take: Take) -> None:
        assert take(
            plain_csv([f"x,{C5},2026-06-01,5,daily_energy"], "note,prm,start,value,kind")
        ).report.complete

    @pytest.mark.parametrize("name", ["#line", "#6", "value#6", "^(a$", "^.*$", "*", "{}", ""])
    def test_lets_columns_of_ones_own_bear_any_name(self, take: Take, name: str) -> None:
        taken = take(plain_csv([f"{C5},daily_energy,2026-06-01,5,x"], f"prm,kind,start,value,{name}"))

        assert (taken.report.stored, taken.report.complete) == (1, True)

    @pytest.mark.parametrize(
        ("columns", "told"),
        [
            ("prm,kind,start,value,value", "« value » and « value »"),
            ("prm,kind,start,value,Valeur", "« value » and « Valeur »"),
            ("prm,kind,start,value,metering_point_id", "« prm » and « metering_point_id »"),
            ("prm,kind,date,value,horodate", "« date » and « horodate »"),
        ],
    )
    def test_refuses_two_columns_that_say_the_same_thing(self, take: Take, columns: str, told: str) -> None:
        report = take(plain_csv([f"{C5},daily_energy,2026-06-01,5,6"], columns)).report

        assert (report.refused, report.stored) == (True, 0)
        assert report.quarantined[0].where == "line 1"
        assert f"the columns {told} say the same thing" in report.quarantined[0].reason

    def test_keeps_registers_apart(self, take: Take) -> None:
        rows = [f"{C5},register_reading,2026-06-01,{n},{code}" for n, code in enumerate(["", "HP", "HC"])]

        blocks = take(plain_csv(rows, "metering_point_id,kind,start,value,register")).blocks

        assert {block.key.register: int(block.values[0]) for block in blocks} == {"": 0, "HP": 1, "HC": 2}

    def test_takes_the_word_missing_for_a_hole(self, take: Take) -> None:
        rows = [
            f"{C5},load_curve,,{s},PT30M,{n},W,{'missing' if n else ''}"
            for n, s in enumerate(offset(starts(PLAIN)[:2]))
        ]

        taken = take(plain_csv(rows))

        assert (taken.report.stored, taken.report.holes) == (1, 1)

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            (f"{C5},load,withdrawal,2026-06-01T00:00:00Z,PT30M,1,W,", "« load » is no kind"),
            (f"{C5},load_curve,in,2026-06-01T00:00:00Z,PT30M,1,W,", "« in » is no direction"),
            (f"{C5},load_curve,withdrawal,2026-06-01T00:00:00Z,PT30M,1,W,good", "no such quality"),
            (f"{C5},load_curve,withdrawal,2026-06-01T00:00:00Z,PT30M,1,VA,", "the unit « VA »"),
            (f"{C5},load_curve,withdrawal,2026-06-01T00:00:00Z,,1,W,", "give a resolution"),
            (f"{C5},maximum_power,withdrawal,2026-06-01T00:00:00Z,,1,kW,", "the unit « kW »"),
        ],
    )
    def test_sets_a_bad_row_aside(self, take: Take, row: str, reason: str) -> None:
        taken = take(plain_csv([f"{C5},daily_energy,withdrawal,2026-06-01,,1,,", row]))

        assert taken.report.stored == 1
        ((where, why),) = taken.reasons
        assert where == "line 3"
        assert reason in why

    def test_refuses_a_line_in_another_encoding_and_keeps_the_others(self, take: Take) -> None:
        data = plain_csv([f"{C5},daily_energy,withdrawal,2026-06-0{n},,1,," for n in (1, 2, 3)])
        data = data.replace(b"2026-06-02,,1,,", b"2026-06-02,,1,,\xe9")

        taken = take(data)

        assert taken.report.stored == 2
        assert taken.reasons[0][0] == "line 3, byte 55"
        assert "byte 0xE9 is not UTF-8" in taken.reasons[0][1]

    def test_names_an_encoding_that_it_does_not_read(self, take: Take) -> None:
        taken = take(plain_csv([f"{C5},daily_energy,,2026-06-01,,1,,"]).decode().encode("utf-32"))

        assert taken.report.refused
        assert "the file is UTF-32; UTF-8 is expected" in taken.reasons[0][1]

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le"])
    def test_reads_utf_16_by_its_mark_or_its_zeros(self, take: Take, encoding: str) -> None:
        csv = plain_csv([f"{C5},daily_energy,,2026-06-01,,1,,"]).decode().encode(encoding)

        assert take(csv).report.stored == 1

    def test_sets_aside_what_a_decimal_comma_may_have_cut(self, take: Take) -> None:
        taken = take(
            f"prm,kind,start,value\n{C5},daily_energy,2026-06-01,100,5\n{C5},daily_energy,2026-06-02,7,,\n"
        )

        assert taken.report.stored == 1
        assert taken.reasons[0][0] == "line 2"
        assert "cells are separated by commas" in taken.reasons[0][1]

    def test_takes_off_what_keeps_a_cell_from_being_computed(self, take: Take) -> None:
        taken = take(
            f'prm;kind;start;value\n\'{C5};daily_energy;2026-06-01;1\n="{C5}";daily_energy;2026-06-02;2\n'
        )

        assert taken.report.stored == 2

    def test_refuses_a_table_whose_quotes_do_not_close(self, take: Take) -> None:
        taken = take(plain_csv([f'{C5},daily_energy,"withdrawal,2026-06-01,,1,,', "x", "y"]))

        assert taken.report.stored == 0
        assert not taken.report.complete


class TestWide:
    COLUMNS = "metering_point_id,kind,direction,day,resolution,unit,quality," + ",".join(
        f"v{n}" for n in range(1, 51)
    )

    def row(self, day: date, values: list[Any]) -> str:
        cells = [*map(str, values), *[""] * (50 - len(values))]
        return f"{C5},load_curve,withdrawal,{day},PT30M,W,estimated,{','.join(cells)}"

    @pytest.mark.parametrize("day", [PLAIN, SPRING, AUTUMN])
    def test_is_a_day_a_line(self, take: Take, day: date) -> None:
        values = list(range(len(starts(day))))

        block = take(plain_csv([self.row(day, values)], self.COLUMNS)).block

        assert block.values.tolist() == values
        assert set(block.quality.tolist()) == {Quality.ESTIMATED}

    def test_has_no_more_steps_than_the_day(self, take: Take) -> None:
        taken = take(plain_csv([self.row(SPRING, list(range(48)))], self.COLUMNS))

        assert taken.report.stored == 46
        assert [where for where, _ in taken.reasons] == ["line 2, column v47", "line 2, column v48"]

    @pytest.mark.parametrize(
        "number", ["0", "301", "999999999", "3000000000", "9" * 30, "9" * 100, "٣٣٣٣", "٣"]
    )
    def test_has_no_slot_of_a_number_that_no_day_has(self, take: Take, number: str) -> None:
        columns = f"metering_point_id,day,resolution,v1,v2,v{number}"

        taken = take(plain_csv([f"{C5},2026-06-01,PT30M,1,2,3", f"{C5},2026-06-02,PT30M,1,2,"], columns))

        assert taken.report.stored == 4
        assert taken.reasons == [(f"line 2, column v{number}", "no day has such a slot; leave it empty")]
        assert taken.report.quarantined[0].value == "3"

    @pytest.mark.parametrize("again", ["v2", "V02", "2"])
    def test_has_no_slot_twice(self, take: Take, again: str) -> None:
        report = take(plain_csv([f"{C5},2026-06-01,PT30M,1,2,3"], f"prm,day,resolution,v1,v2,{again}")).report

        assert report.refused
        assert f"« v2 » and « {again} »" in report.quarantined[0].reason

    def test_needs_its_step(self, take: Take) -> None:
        taken = take(plain_csv([f"{C5},2026-06-01,1,2"], "prm,day,v1,v2"))

        assert taken.reasons == [
            (f"line 2, column v{slot}", "a day a line needs its step; give a resolution") for slot in (1, 2)
        ]

    def test_is_for_load_curves(self, take: Take) -> None:
        row = self.row(PLAIN, [1, 2]).replace("load_curve", "daily_energy")

        assert [value.value for value in take(plain_csv([row], self.COLUMNS)).report.quarantined] == [
            "1",
            "2",
        ]


class TestParquet:
    def frame(self, **columns: Any) -> pl.DataFrame:
        return pl.DataFrame(
            {"metering_point_id": [C5] * 48, "resolution": ["PT30M"] * 48, "value": range(48), **columns}
        )

    @pytest.mark.parametrize(
        "stamps",
        [
            pl.Series(starts(PLAIN), dtype=pl.Datetime("us", "UTC")),
            pl.Series(starts(PLAIN), dtype=pl.Datetime("us", "UTC")).dt.convert_time_zone("Europe/Paris"),
            pl.Series(
                [s.astimezone(PARIS).replace(tzinfo=None) for s in starts(PLAIN)], dtype=pl.Datetime("ms")
            ),
            pl.Series(offset(starts(PLAIN))),
        ],
    )
    @pytest.mark.parametrize(
        "kind", [pl.Int64, pl.UInt16, pl.Float64, pl.Float32, pl.String, pl.Decimal(10, 2)]
    )
    def test_reads_types_and_text(self, take: Take, stamps: pl.Series, kind: Any) -> None:
        block = take(parquet(self.frame(start=stamps).with_columns(pl.col("value").cast(kind)))).block

        assert block.day == PLAIN
        assert (
            block.values * 10**block.scale if block.scale >= 0 else block.values // 10**-block.scale
        ).tolist() == list(range(48))

    def test_names_the_row(self, take: Take) -> None:
        values = [None, float("nan"), *range(46)]
        taken = take(
            parquet(
                self.frame(start=offset(starts(PLAIN))).with_columns(pl.Series("value", values, pl.Float64))
            )
        )

        assert (taken.report.stored, taken.report.holes) == (46, 1)
        assert taken.reasons[0][0] == "row 2"

    @pytest.mark.parametrize("dtype", [pl.Int64, pl.Float64])
    def test_reads_identifiers_that_are_numbers_with_all_their_digits(
        self, take: Take, dtype: type[pl.DataType]
    ) -> None:
        number = pl.lit(int(C5)).cast(dtype).alias("metering_point_id")
        frame = self.frame(start=offset(starts(PLAIN))).with_columns(number)

        assert take(parquet(frame)).report.stored == 48

    def test_says_what_it_sees_of_a_number_that_is_too_short(self, take: Take) -> None:
        frame = self.frame(start=offset(starts(PLAIN))).with_columns(
            pl.lit(2251691471427).alias("metering_point_id")
        )

        assert "it has 13 digits, an identifier here has 14" in take(parquet(frame)).reasons[0][1]

    @pytest.mark.parametrize(
        "column",
        [
            pl.Series("direction", [["withdrawal"]]),
            pl.Series("resolution", [timedelta(minutes=30)]),
            pl.Series("quality", [b"\xff"]),
            pl.Series("value", [{"W": 1}]),
            pl.Series("unit", [PLAIN]),
        ],
    )
    def test_refuses_a_type_that_is_no_text(self, take: Take, column: pl.Series) -> None:
        frame = self.frame(start=offset(starts(PLAIN))).head(1).with_columns(column)

        assert f"the column {column.name} is of type {column.dtype}" in take(parquet(frame)).reasons[0][1]

    def test_reads_categories_as_text(self, take: Take) -> None:
        frame = self.frame(start=offset(starts(PLAIN)), kind="load_curve", unit="W").with_columns(
            pl.col("metering_point_id", "kind").cast(pl.Categorical), pl.col("unit").cast(pl.Enum(["W"]))
        )

        assert take(parquet(frame)).report.stored == 48

    def test_reads_a_day_a_line_of_several_types(self, take: Take) -> None:
        values = {"v1": [1.5], "v2": pl.Series(["2"], dtype=pl.Enum(["2"])), "v3": [3]}
        frame = pl.DataFrame({"metering_point_id": [C5], "day": [PLAIN], "resolution": ["30"], **values})

        assert take(parquet(frame)).block.values[:3].tolist() == [15, 20, 30]

    @pytest.mark.parametrize(
        "type_", [pl.Datetime("ms"), pl.Datetime("us", "UTC"), pl.Datetime("ns", "Europe/Paris")]
    )
    @pytest.mark.parametrize("ticks", [2**63 - 1, -(2**63) + 1])
    def test_names_the_row_of_an_instant_beyond_all_calendars(
        self, take: Take, type_: Any, ticks: int
    ) -> None:
        frame = self.frame(start=pl.Series([ticks] * 48).cast(type_)).head(1)

        taken = take(parquet(frame))

        assert [where for where, _ in taken.reasons] == ["row 1"]
        assert taken.report.quarantined[0].value == "0"

    def test_names_the_row_of_a_day_beyond_all_calendars(self, take: Take) -> None:
        days = pl.Series([2**31 - 1, 20_605], dtype=pl.Int32).cast(pl.Date)
        frame = pl.DataFrame({"prm": [C5] * 2, "kind": ["daily_energy"] * 2, "start": days, "value": [1, 2]})

        taken = take(parquet(frame))

        assert (taken.report.stored, [where for where, _ in taken.reasons]) == (1, ["row 1"])

    def test_names_the_row_of_a_resolution_beyond_all_arithmetic(self, take: Take) -> None:
        minutes = pl.Series([30, 2**64 - 1, 2**63 // 60], dtype=pl.UInt64)
        frame = self.frame(end=offset(starts(PLAIN))).head(3).with_columns(minutes.alias("resolution"))

        taken = take(parquet(frame))

        assert taken.report.stored == 1
        assert [where for where, _ in taken.reasons] == ["row 2", "row 3"]

    def test_is_decoded_by_nothing_that_lies_in_the_folder_one_is_in(
        self, take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "polars.py").write_text("open('run', 'w')")
        monkeypatch.chdir(tmp_path)
        parquet_process._decoder.close()

        assert take(parquet(self.frame(start=offset(starts(PLAIN))))).report.stored == 48
        assert not (tmp_path / "run").exists()

    def test_is_refused_for_a_text_that_each_row_would_write_out(self, take: Take) -> None:
        frame = self.frame(start=offset(starts(PLAIN))).with_columns(note=pl.lit("x" * 20_000))

        ((where, reason),) = take(parquet(frame)).reasons

        assert where == "file"
        assert "note has a text of 20000 bytes, 500 at most" in reason

    def test_an_answer_that_nobody_waited_for_is_not_the_next_files(
        self, take: Take, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = parquet(self.frame(start=offset(starts(PLAIN))))
        process = parquet_process._decoder._running()

        class Interrupted:
            def __init__(self, pipe: Any) -> None:
                self.close = pipe.close

            def readline(self) -> str:
                raise KeyboardInterrupt

        monkeypatch.setattr(process, "stdout", Interrupted(process.stdout))
        with pytest.raises(KeyboardInterrupt):
            take(file)

        assert take(file).report.stored == 48

    def test_is_refused_when_it_ends_the_process_that_decodes_it_and_the_next_is_taken(
        self, take: Take
    ) -> None:
        """The process itself, as a byte of a page's header does with polars 2.1: no error that one could catch."""
        starts = [f"2026-01-01T{i // 2:02}:{i % 2 * 30:02}:00Z" for i in range(48)]
        good = parquet(pl.DataFrame({"metering_point_id": [C5] * 48, "start": starts, "value": range(48)}))
        harmed = bytearray(good)
        harmed[52] ^= 1

        taken = take(bytes(harmed))

        assert taken.report.refused
        assert "truncated or damaged (what it says of itself cannot be)" in taken.reasons[0][1]
        assert take(good).report.stored == 48

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (parquet(pl.DataFrame({"a": [1]})), "columns are a; needed are start and value"),
            (parquet(pl.DataFrame({"start": ["x"], "value": [1]}))[:-20], "truncated or damaged"),
        ],
    )
    def test_is_refused_as_a_whole(self, take: Take, data: bytes, reason: str) -> None:
        taken = take(data)

        assert taken.report.refused
        assert reason in taken.reasons[0][1]


class TestExport:
    """What `gridgate export` writes comes in again as it went out."""

    @pytest.mark.parametrize("format", [ExportFormat.CSV, ExportFormat.XLSX, ExportFormat.PARQUET])
    @pytest.mark.parametrize(
        ("kind", "rows"),
        [
            (Kind.LOAD_CURVE, [f"{s},PT30M,{n}.5,W," for n, s in enumerate(offset(starts(AUTUMN)))]),
            (Kind.DAILY_ENERGY, ["2026-10-25,,7,Wh,"]),
            (Kind.MAXIMUM_POWER, ["2026-10-25T12:06:20+01:00,,7,VA,"]),
            (Kind.REGISTER_READING, ["2026-10-25T00:00:00+02:00,,7,Wh,"]),
        ],
    )
    def test_is_read_back(self, take: Take, format: ExportFormat, kind: Kind, rows: list[str]) -> None:  # noqa: A002
        first = take(plain_csv(f"{INJECTING},{kind},injection,{row}estimated" for row in rows)).blocks
        bounds = civil_day_bounds(AUTUMN, PARIS)
        assert bounds.end is not None
        answer = Answer(
            metering_point=INJECTING,
            kind=kind,
            direction=FlowDirection.INJECTION,
            unit=kind.unit,
            start=bounds.start,
            end=bounds.end,
            segments=assemble(first, bounds.start, bounds.end, PARIS),
            requested=Interval(datetime(2026, 1, 1, tzinfo=UTC), None),
            available=None,
            missing=[],
        )
        written = io.BytesIO()
        export(answer, written, format=format, zone=PARIS)

        again = take(written.getvalue()).blocks

        def told(blocks: list[Any]) -> list[Any]:
            return [
                (
                    b.key,
                    b.day,
                    [v * 10.0**b.scale for v in b.values.tolist()],
                    b.quality.tolist(),
                    b.offsets is None or b.offsets.tolist(),
                )
                for b in blocks
            ]

        assert told(again) == told(first)


class TestStartAndEnd:
    """A table that says both, by the clock on the wall."""

    def table(self, day: date, unit: str = "kW", resolution: Resolution = Resolution.PT30M) -> list[str]:
        pairs = zip(naive(starts(day, resolution)), naive(ends(day, resolution)), strict=True)
        return [
            f"Début;Fin;Valeur (en {unit})",
            *(f"{start};{end};{n},5" for n, (start, end) in enumerate(pairs)),
        ]

    @pytest.mark.parametrize("day", [PLAIN, SPRING, AUTUMN])
    @pytest.mark.parametrize("resolution", [Resolution.PT15M, Resolution.PT60M])
    def test_say_the_step_on_the_days_of_the_clock(
        self, take: Take, day: date, resolution: Resolution
    ) -> None:
        taken = take("\n".join([*self.table(day, resolution=resolution), ""]), single=C5)

        assert taken.report.complete
        assert taken.block.key.resolution is resolution
        assert (taken.block.values * 10.0**taken.block.scale).tolist() == [
            1000 * n + 500 for n in range(len(taken.block.values))
        ]

    def test_is_no_step_where_they_say_none(self, take: Take) -> None:
        rows = [*self.table(PLAIN)[:4], "2026-06-01 04:00:00;2026-06-01 06:00:00;5", "2026-06-01 07:00:00;;6"]

        taken = take("\n".join([*rows, ""]), single=C5)

        assert [where for where, _ in taken.reasons] == ["line 5"]
        assert "covers 120 min" in taken.reasons[0][1]

    def test_is_windows_1252_with_its_head(self, take: Take) -> None:
        assert take("\n".join([*self.table(PLAIN), ""]).encode("cp1252"), single=C5).report.stored == 48

    def test_has_a_step_where_a_column_of_steps_is_empty(self, take: Take) -> None:
        rows = [f"{C5},2026-06-01 0{n}:00,{'PT60M' if n == 1 else ''},5" for n in range(4)]

        taken = take(plain_csv(rows, "metering_point_id,start,resolution,value"))

        assert taken.report.stored == 4


class TestPartsOfTheSupply:
    """One phase, one tariff: never taken for all of the point's."""

    @pytest.mark.parametrize("phase", ["L1", "2", "c", "Phase 3"])
    def test_of_one_phase_are_set_aside(self, take: Take, phase: str) -> None:
        rows = [f"{C5},2026-06-01T00:{minute}:00Z,5,{phase}" for minute in ("00", "30")]

        taken = take(plain_csv(rows, "metering_point_id,start,value,phase"))

        assert taken.report.stored == 0
        assert all(" alone; those of the whole supply are kept" in reason for _, reason in taken.reasons)

    @pytest.mark.parametrize("phase", ["", "total", "abc"])
    def test_of_all_phases_are_kept(self, take: Take, phase: str) -> None:
        rows = [f"{C5},2026-06-01T00:{minute}:00Z,5,{phase}" for minute in ("00", "30")]

        assert take(plain_csv(rows, "metering_point_id,start,value,phase")).report.stored == 2

    @pytest.mark.parametrize("kind", [Kind.DAILY_ENERGY, Kind.REGISTER_READING])
    @pytest.mark.parametrize("column", ["tariff", "TOU", "Cadran"])
    def test_of_one_tariff_are_kept_apart(self, take: Take, kind: Kind, column: str) -> None:
        rows = [f"{C5},{kind.value},2026-06-01,{value},{tariff}" for tariff, value in (("HP", 7), ("HC", 3))]

        blocks = take(plain_csv(rows, f"metering_point_id,kind,start,value,{column}")).blocks

        assert {block.key.register: int(block.values[0]) for block in blocks} == {"HP": 7, "HC": 3}

    def test_a_curve_is_one_whatever_the_tariff(self, take: Take) -> None:
        rows = [
            f"{C5},2026-06-01T00:{minute}:00Z,5,{tariff}" for minute, tariff in (("00", "HC"), ("30", "HP"))
        ]

        block = take(plain_csv(rows, "metering_point_id,start,value,tariff")).block

        assert (block.key.register, int(block.said.sum())) == ("", 2)


class TestWithoutItsLastLineEnd:
    """Where it may have been cut."""

    ROWS = (
        f"{C5},load_curve,withdrawal,2026-06-01T00:00:00Z,PT30M,1234,W,measured",
        f"{C5},load_curve,withdrawal,2026-06-01T00:30:00Z,PT30M,1234,W,measured",
    )

    @pytest.mark.parametrize("lacking", range(len("measured") + 1, len(ROWS[1]) - len(C5)))
    def test_a_line_that_lacks_cells_is_set_aside(self, take: Take, lacking: int) -> None:
        taken = take("\n".join([PLAIN_HEADER, *self.ROWS])[:-lacking])

        assert taken.block.values[taken.block.said].tolist() == [1234]
        ((where, reason),) = taken.reasons
        assert where == "line 3"
        assert "ends within this line" in reason

    @pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r", "  "])
    def test_a_line_that_has_all_of_them_is_taken(self, take: Take, end: str) -> None:
        assert take("\n".join([PLAIN_HEADER, *self.ROWS]) + end).report.complete

    @pytest.mark.parametrize(
        ("columns", "row"),
        [
            ("metering_point_id,start,value", "12"),
            ("metering_point_id,start,value", '"12"'),
            ("metering_point_id,start,value,unit", "12,kWh"),
            ("metering_point_id,start,value,quality", "12"),  # which none of the others has
        ],
    )
    def test_so_is_one_that_lacks_what_all_lack(self, take: Take, columns: str, row: str) -> None:
        above = [
            f"{C5},2026-06-01T0{hour}:00:00Z,12{',kWh' if 'unit' in columns else ''}" for hour in range(3)
        ]

        report = take("\n".join([columns, *above, f"{C5},2026-06-01T03:00:00Z,{row}"])).report

        assert (report.stored, report.complete) == (4, True)

    @pytest.mark.parametrize("piece", [100, 2**23])
    @pytest.mark.parametrize(
        ("columns", "last", "told"),
        [
            ("value", "12", "« 12 »"),
            ("value,unit", "12,k", "« k »"),
            ("value,unit", "12,kWh", None),
            ("value", "12\n", None),
            ("value", '"12"', None),
            ("value,unit", "12,", None),
        ],
    )
    def test_that_its_end_may_have_been_cut_is_told_where_nothing_tells_it_is_whole(
        self,
        take: Take,
        monkeypatch: pytest.MonkeyPatch,
        piece: int,
        columns: str,
        last: str,
        told: str | None,
    ) -> None:
        monkeypatch.setattr(frames, "PIECE", piece)
        rows = [f"{C5},2026-06-01T0{n}:00:00Z,1{',kWh' if 'unit' in columns else ''}" for n in range(4)]

        report = take(
            "\n".join([f"metering_point_id,start,{columns}", *rows, f"{C5},2026-06-01T04:00:00Z,{last}"])
        ).report

        notices = [told is not None and told in one and one.startswith("line 6: ") for one in report.notices]
        assert notices == [True] * (told is not None)

    def test_text_of_windows_is_read_in_pieces_too(self, take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = [f"{C5};2026-06-01T0{n}:00:00Z;{n};vérifié" for n in range(9)]
        text = "\n".join(["meter;Début;Valeur;remarque", *rows, ""]).encode("cp1252")
        whole = take(text)
        monkeypatch.setattr(frames, "PIECE", 100)
        monkeypatch.setattr(utf8, "_decoded", None)  # of the whole file

        parted = take(text)

        assert parted.report == whole.report
        assert parted.block.values.tolist() == whole.block.values.tolist()
        assert whole.report.stored == 9

    def test_nor_is_it_kept_of_a_file_that_is_read_in_pieces(
        self, take: Take, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(frames, "PIECE", 100)
        assert take("\n".join([PLAIN_HEADER, *self.ROWS])).report.complete
        taken = take("\n".join([PLAIN_HEADER, *self.ROWS])[:-13])
        assert [where for where, _ in taken.reasons] == ["line 3"]
