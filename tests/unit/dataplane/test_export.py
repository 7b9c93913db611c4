import csv
import io
import json
from datetime import date, timedelta

import polars
import pytest

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Interval, Resolution
from gridgate.dataplane.export import CsvStyle, ExportFormat, export
from gridgate.dataplane.query.answer import Answer
from gridgate.dataplane.query.assemble import assemble
from gridgate.dataplane.query.coverage import coverage
from gridgate.dataplane.store.port import DayBlock
from tests.factories.measurements import AUTUMN, PARIS, POINT, SPRING, SUMMER, block, key
from tests.unit.dataplane.query.test_assemble import bounds


def answer(*blocks: DayBlock) -> Answer:
    of = blocks[0].key
    start, end = bounds(blocks[0].day, blocks[-1].day)
    segments = assemble(list(blocks), start, end, PARIS)
    requested = Interval(start, end)
    available, missing = coverage(segments, requested=requested, at=end, zone=PARIS)
    return Answer(
        of.metering_point,
        of.kind,
        of.direction,
        of.kind.unit,
        start,
        end,
        segments,
        requested,
        available,
        missing,
    )


def written(
    given: Answer, form: ExportFormat = ExportFormat.CSV, style: CsvStyle = CsvStyle.RFC4180
) -> bytes:
    target = io.BytesIO()
    assert export(given, target, format=form, zone=PARIS, style=style) == given.count
    assert not target.closed
    return target.getvalue()


def rows(text: bytes, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode("utf-8-sig")), delimiter=delimiter))


class TestCsv:
    def test_names_point_kind_direction_and_unit_in_the_header(self) -> None:
        header, first, *_ = rows(written(answer(block(values=7))))
        assert header == ["start", "end", f"{POINT} load_curve withdrawal (W)", "quality"]
        assert first == ["2026-06-01T00:00:00+02:00", "2026-06-01T00:30:00+02:00", "7", "measured"]

    def test_is_as_rfc_4180_says(self) -> None:
        text = written(answer(block()))
        assert text.count(b"\r\n") == text.count(b"\n") == 49
        assert not text.startswith(b"\xef\xbb\xbf")

    def test_tells_the_doubled_hour_twice(self) -> None:
        starts = [row[0] for row in rows(written(answer(block(AUTUMN))))[1:]]
        assert starts[4:8] == [
            "2026-10-25T02:00:00+02:00",
            "2026-10-25T02:30:00+02:00",
            "2026-10-25T02:00:00+01:00",
            "2026-10-25T02:30:00+01:00",
        ]
        assert len(set(starts)) == 50

    def test_leaves_no_row_for_the_hour_that_is_not(self) -> None:
        starts = [row[0] for row in rows(written(answer(block(SPRING))))[1:]]
        assert starts[3:5] == ["2026-03-29T01:30:00+01:00", "2026-03-29T03:00:00+02:00"]

    def test_in_french_opens_in_a_spreadsheet(self) -> None:
        text = written(answer(block(values=[7305, *[10] * 47], scale=-1)), style=CsvStyle.FRENCH)
        assert text.startswith(b"\xef\xbb\xbfstart;end;")
        found = rows(text, ";")
        assert (found[1][2], found[2][2]) == ("730,5", "1")
        assert rows(written(answer(block(values=[7305, *[10] * 47], scale=-1))))[1][2] == "730.5"

    def test_gives_a_row_without_a_value_for_what_is_missing(self) -> None:
        found = rows(written(answer(block(values=[1, None, *[2] * 46], quality=Quality.ESTIMATED))))
        assert [row[2:] for row in found[1:4]] == [["1", "estimated"], ["", "missing"], ["2", "estimated"]]

    def test_tells_when_a_maximum_was_reached(self) -> None:
        of = key(kind=Kind.MAXIMUM_POWER, direction=FlowDirection.INJECTION, resolution=Resolution.P1D)
        header, row = rows(written(answer(block(values=6_200, of=of, offsets=[68_520]))))
        assert header[2:] == [f"{POINT} maximum_power injection (VA)", "quality", "observed_at"]
        assert row[4] == "2026-06-01T19:02:00+02:00"
        assert row[1] == "2026-06-02T00:00:00+02:00"

    def test_names_registers_and_makes_no_formula_of_them(self) -> None:
        of = [key(kind=Kind.REGISTER_READING, resolution=Resolution.P1D, register=r) for r in ("=1+1", "HP")]
        header, *found = rows(written(answer(*[block(of=k) for k in of])))
        assert header[-1] == "register"
        assert [row[-1] for row in found] == ["'=1+1", "HP"]

    def test_of_nothing_is_a_header(self) -> None:
        assert len(rows(written(answer(block(values={}))))) == 1


class TestJson:
    def test_is_in_the_shape_of_the_native_api(self) -> None:
        found = json.loads(written(answer(block(values=[752, None, *[2] * 46])), ExportFormat.JSON))
        assert list(found) == [
            "metering_point",
            "kind",
            "direction",
            "unit",
            "start",
            "end",
            "segments",
            "coverage",
        ]
        (segment,) = found["segments"]
        assert segment["start"] == "2026-05-31T22:00:00Z"
        assert segment["resolution"] == "PT30M"
        assert segment["values"][:3] == [752, None, 2]
        assert segment["quality"] == [["measured", 1], ["missing", 1], ["measured", 46]]
        assert set(segment) == {"start", "resolution", "values", "quality"}
        assert found["coverage"] == {
            "requested": {"from": "2026-05-31T22:00:00Z", "to": "2026-06-01T22:00:00Z"},
            "available": {"from": "2026-05-31T22:00:00Z", "to": "2026-06-01T22:00:00Z"},
            "missing": [
                {"from": "2026-05-31T22:30:00Z", "to": "2026-05-31T23:00:00Z", "reason": "not_received"}
            ],
        }

    def test_gives_registers_and_instants_when_there_are_any(self) -> None:
        of = key(kind=Kind.REGISTER_READING, resolution=Resolution.P1D, register="HP")
        (segment,) = json.loads(written(answer(block(of=of, offsets=[60])), ExportFormat.JSON))["segments"]
        assert (segment["register"], segment["offsets"]) == ("HP", [60])


class TestParquet:
    @pytest.mark.parametrize("day", [SPRING, SUMMER, AUTUMN])
    def test_holds_instants_values_and_qualities(self, day: date) -> None:
        given = answer(block(day), block(day + timedelta(days=1), [None, *range(47)]))
        text = written(given, ExportFormat.PARQUET)
        frame = polars.read_parquet(io.BytesIO(text))
        steps = [step for segment in given.segments for step in segment.steps(PARIS)]
        assert frame["start"].to_list() == [step.start for step in steps]
        assert frame["end"].to_list() == [step.end for step in steps]
        assert frame["value"].to_list() == [step.value for step in steps]
        assert frame["value"].dtype == polars.Int64
        assert set(frame["quality"]) == {"measured", "missing"}
        assert set(frame["resolution"]) == {"PT30M"}
        about = polars.read_parquet_metadata(io.BytesIO(text))
        assert (about["metering_point"], about["unit"], about["direction"]) == (POINT, "W", "withdrawal")

    def test_holds_decimals_registers_and_instants(self) -> None:
        of = key(kind=Kind.REGISTER_READING, resolution=Resolution.P1D, register="HP")
        frame = polars.read_parquet(
            io.BytesIO(written(answer(block(values=15, scale=-1, of=of, offsets=[60])), ExportFormat.PARQUET))
        )
        assert frame["value"].to_list() == [1.5]
        assert frame["register"].to_list() == ["HP"]
        assert frame["observed_at"][0] == bounds(SUMMER)[0] + timedelta(minutes=1)

    def test_of_nothing_has_the_columns(self) -> None:
        frame = polars.read_parquet(io.BytesIO(written(answer(block(values={})), ExportFormat.PARQUET)))
        assert (len(frame), frame.columns[:3]) == (0, ["start", "end", "value"])
