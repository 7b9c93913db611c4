"""R63, R64, R65, R66, in JSON and in CSV, tell the same."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from gridgate.core.quantities import FlowDirection, Kind, Quality
from gridgate.core.time import Resolution
from tests.ingest_samples import (
    AUTUMN,
    PLAIN,
    R63_HEADER,
    R64_HEADER,
    R65_HEADER,
    R66_HEADER,
    SPRING,
    as_json,
    ends,
    naive,
    offset,
    r6x,
    r63,
    r64,
    r65,
    r66,
    starts,
)
from tests.unit.dataplane.ingest.conftest import C4, C5, INJECTING, Taken

Take = Callable[..., Taken]
SCHEMAS = "enedis/specs-sge-r6x"


def r63_csv(point: str, stamps: list[str], *, nature: str = "B", step: str = "PT30M") -> str:
    rows = [
        f"{point};2026-01-01;2026-12-31;PA;CONS;BRUT;W;{stamp};{n};{nature};{step};0;0"
        for n, stamp in enumerate(stamps)
    ]
    return "\n".join([R63_HEADER, *rows, ""])


def r63_json(point: str, stamps: list[str], **more: Any) -> bytes:
    return as_json(r63(point, stamps, range(len(stamps)), **more))


class TestSamples:
    """The JSON of these tests is what the official schemas allow."""

    @pytest.mark.parametrize(
        ("schema", "document"),
        [
            ("0510.Flux.R63_v1.2.0", r63(C5, ["2026-01-01 00:30:00"], [1])),
            ("0511.Flux.R64_v1.2.1", r64(C5, {("Distributeur", "HPH"): [("2026-01-01 00:00:00", 1, 0)]})),
            ("0512.Flux.R65_v1.2.0", r65(C5, ["2026-01-01"], [1])),
            ("0513.Flux.R66_v1.2.0", r66(C5, ["2026-01-01 12:00:00"], [1])),
            (
                "0532.Flux.R63Xv1.1.0",
                r63(C5, ["2026-01-01 00:30:00"], [1], flow="R63B", announced="2026-01-02T04:00:00+01:00"),
            ),
        ],
    )
    def test_validate(self, shared_data: Path, schema: str, document: dict[str, Any]) -> None:
        path = shared_data / SCHEMAS / f"Enedis.SGE.JSON.{schema}.json"
        rules = json.loads(path.read_text(encoding="utf-8"))

        jsonschema.Draft4Validator(rules).validate(document)


class TestR63:
    @pytest.mark.parametrize("make", [r63_json, r63_csv])
    @pytest.mark.parametrize("day", [PLAIN, SPRING, AUTUMN])
    @pytest.mark.parametrize("write", [naive, offset])
    def test_is_stamped_at_the_end_for_c5_and_at_the_start_for_c4(
        self, take: Take, make: Callable[..., Any], day: date, write: Callable[..., list[str]]
    ) -> None:
        at_end, at_start = take(make(C5, write(ends(day)))), take(make(C4, write(starts(day))))

        for taken in (at_end, at_start):
            assert taken.block.day == day
            assert taken.block.key.resolution is Resolution.PT30M
            assert taken.block.values.tolist() == list(range(len(starts(day))))

    @pytest.mark.parametrize("make", [r63_json, r63_csv])
    @pytest.mark.parametrize(
        ("nature", "quality"),
        [
            *((code, Quality.MEASURED) for code in "BRD"),
            ("C", Quality.CORRECTED),
            *((code, Quality.ESTIMATED) for code in "EHPSTFGK?"),
        ],
    )
    def test_says_how_a_value_came_to_be(
        self, take: Take, make: Callable[..., Any], nature: str, quality: Quality
    ) -> None:
        block = take(make(C5, offset(ends(PLAIN)), nature=nature)).block

        assert set(block.quality.tolist()) == {quality}

    def test_reads_the_step_of_each_point(self, take: Take) -> None:
        document = r63(C4, offset(starts(PLAIN)[:2]), [1, 2])
        document["mesures"][0]["grandeur"][0]["points"] += [
            {"v": "3", "d": stamp, "p": "PT5M", "n": "B"}
            for stamp in offset(starts(PLAIN, Resolution.PT5M)[12:15])
        ]

        blocks = take(as_json(document)).blocks

        assert {block.key.resolution: int(block.said.sum()) for block in blocks} == {
            Resolution.PT30M: 2,
            Resolution.PT5M: 3,
        }

    def test_reads_production_and_kilowatts(self, take: Take) -> None:
        block = take(as_json(r63(INJECTING, offset(ends(PLAIN)[:1]), ["1.5"], trade="PROD", unit="kW"))).block

        assert block.key.direction is FlowDirection.INJECTION
        assert block.values.sum() * 10.0**block.scale == 1500

    def test_dates_the_publication(self, take: Take) -> None:
        def published(**more: Any) -> int | None:
            name = more.pop("name", "file")
            source = take(r63_json(C5, offset(ends(PLAIN)), **more), name=name).store.source
            assert source is not None
            return source.published_at

        assert published() is None
        assert published(announced="2026-07-01T04:00:00+02:00") == 1_782_871_200_000
        assert published(name="ENEDIS_R63_P_CdC_M0000YK0_00001_20260701040000.json") == 1_782_871_200_000

    @pytest.mark.parametrize(
        ("document", "where", "reason"),
        [
            (
                r63(C5, ["2026-06-01 00:30:00"], [1], physical="ERC"),
                "mesures[0].grandeur[0].points[0]",
                "reactive",
            ),
            (r63(C5, ["2026-06-01 00:30:00"], [1], unit="kVAr"), "mesures[0].grandeur[0].points[0]", "kVAr"),
            (
                r63(C5, ["2026-06-01 00:30:00"], [1], trade="X"),
                "mesures[0].grandeur[0].points[0]",
                "CONS nor PROD",
            ),
            (r63(C5, ["2026-06-01 00:30:00"], ["x"]), "mesures[0].grandeur[0].points[0]", "not a number"),
            (r63(C5, ["soon"], [1]), "mesures[0].grandeur[0].points[0]", "is no instant"),
            (
                r63(C5, ["2026-06-01 00:30:00"], [1], step="P1M"),
                "mesures[0].grandeur[0].points[0]",
                "none of the",
            ),
            (r6x("R63", [{"idPrm": C5}]), "mesures[0].grandeur", "is not the list"),
            (r6x("R63", ["x"]), "mesures[0]", "not an object"),  # type: ignore[list-item]
        ],
    )
    def test_names_the_place_of_a_bad_point(
        self, take: Take, document: dict[str, Any], where: str, reason: str
    ) -> None:
        ((place, why),) = take(as_json(document)).reasons

        assert place == where
        assert reason in why

    @pytest.mark.parametrize(
        ("data", "reason"),
        [
            (r63_json(C5, offset(ends(PLAIN)))[:-200], "the JSON is truncated"),
            (b'{"header": {"codeFlux": "R63"},, "mesures": []}', "the JSON is malformed"),
            (as_json(r6x("R67", [])), "billed quantities"),
            (b'[{"idPrm": "1", "donneesGenerales": {}}]', "technical and contractual data"),
            (as_json({"header": {"codeFlux": "R63"}}), "no list « mesures »"),
            (as_json(r6x("R99", [])), "codeFlux « R99 »"),
            (as_json(r6x("R63", [])), "holds no value"),
            ('{"header": {"codeFlux": "R63é"}}'.encode("latin-1"), "byte 0xE9 is not UTF-8"),
        ],
    )
    def test_takes_nothing_of_a_broken_file(self, take: Take, data: bytes, reason: str) -> None:
        taken = take(data)

        assert taken.report.refused
        assert reason in taken.reasons[0][1]

    def test_names_the_line_of_a_bad_row_and_keeps_the_others(self, take: Take) -> None:
        lines = r63_csv(C5, offset(ends(PLAIN))).encode().split(b"\n")
        lines[3] = lines[3].replace(b";2;B;", b";-2;B;")
        lines[5] = lines[5].replace(b"BRUT", "BRÛT".encode("latin-1"))
        lines[7] = lines[7].replace(b";6;B;", b";;B;")

        taken = take(b"\n".join(lines))

        assert [where for where, _ in taken.reasons] == ["line 4", "line 6, byte 48"]
        assert "byte 0xDB is not UTF-8" in taken.reasons[1][1]
        assert (taken.report.stored, taken.report.holes) == (45, 1)

    @pytest.mark.parametrize("header", [R63_HEADER, R63_HEADER.replace("é", "e").rpartition(";Indice")[0]])
    def test_reads_headers_with_and_without_accents_and_last_columns(self, take: Take, header: str) -> None:
        csv = r63_csv(C5, offset(ends(PLAIN))).replace(R63_HEADER, header)

        assert take(csv).report.stored == 48

    @pytest.mark.parametrize("names", ["#line", "nature#14;nature", "^(a$", "*", ""])
    def test_lets_columns_of_ones_own_bear_any_name(self, take: Take, names: str) -> None:
        csv = r63_csv(C5, offset(ends(PLAIN))).replace(R63_HEADER, f"{R63_HEADER};{names}")

        assert take(csv).report.stored == 48

    @pytest.mark.parametrize("stated", ["+12345-01-01 00:00:00", [["x"], {}], {"a": []}, 5, True])
    def test_does_not_fail_on_a_publication_that_is_no_instant(self, take: Take, stated: object) -> None:
        document = r63(C5, offset(ends(PLAIN)), range(48), announced="")
        document["echeances"]["horodateDebutPublication"] = stated

        assert take(as_json(document)).report.stored == 48

    @pytest.mark.parametrize("field", ["v", "d", "p", "n"])
    def test_refuses_lists_that_nest_too_deep(self, take: Take, field: str) -> None:
        document = r63_json(C5, offset(ends(PLAIN)[:1]))
        deep = b'"%s": %s, "x": "' % (field.encode(), b"[" * 1000 + b"]" * 1000)

        taken = take(document.replace(b'"%s": "' % field.encode(), deep, 1))

        assert taken.report.refused
        assert "nest deeper than in any flow" in taken.reasons[0][1]

    def test_reads_many_points_in_any_order(self, take: Take) -> None:
        first, second = r63_csv(C5, offset(ends(PLAIN))), r63_csv(C4, offset(starts(PLAIN)))
        rows = [*first.splitlines()[1:], *second.splitlines()[1:]]

        taken = take("\n".join([R63_HEADER, *rows[::2], *rows[1::2]]))

        assert taken.report.complete
        assert {block.key.metering_point: block.values.tolist() for block in taken.blocks} == {
            C5: list(range(48)),
            C4: list(range(48)),
        }


class TestR64:
    def test_keeps_one_register_a_class_and_the_total(self, take: Take) -> None:
        at = "2026-06-01 00:00:00"
        readings = {
            ("Distributeur", "HPB"): [(at, 10, 0)],
            ("Fournisseur", "HP"): [(at, 20, 3)],
            ("", ""): [(at, 30, 0)],
        }

        blocks = take(as_json(r64(C5, readings))).blocks

        assert {block.key.kind for block in blocks} == {Kind.REGISTER_READING}
        assert {b.key.register: (b.day, b.values[0], b.quality[0]) for b in blocks} == {
            "D:HPB": (PLAIN, 10, Quality.MEASURED),
            "HP": (PLAIN, 20, Quality.ESTIMATED),
            "": (PLAIN, 30, Quality.MEASURED),
        }

    def test_keeps_the_time_of_a_reading(self, take: Take) -> None:
        block = take(as_json(r64(C4, {("", ""): [("2026-06-01T02:37:56+02:00", 5, 0)]}))).block

        assert block.offsets is not None
        assert block.offsets[0] == 2 * 3600 + 37 * 60 + 56

    def test_tells_the_same_as_csv(self, take: Take) -> None:
        def row(grid: str, calendar: str, code: str, dial: str, value: int) -> str:
            return (
                f"{C5};2026-01-01;2026-12-31;EA;CONS;BRUT;Wh;2026-06-01 00:00:00;COL;AQ;;"
                f"{grid};{calendar};x;{code};x;{dial};{value};0"
            )

        rows = [
            row("Distributeur", "DI000003", "HPB", "IDX_EAS_D1", 10),
            row("Fournisseur", "FC000165", "HP", "IDX_EAS_F1", 20),
            row("", "", "", "IDX_EAS_T", 30),
        ]

        blocks = take("\n".join([R64_HEADER, *rows])).blocks

        assert {block.key.register: int(block.values[0]) for block in blocks} == {
            "D:HPB": 10,
            "HP": 20,
            "": 30,
        }


class TestR65:
    @pytest.mark.parametrize(
        "data",
        [
            as_json(r65(C5, ["2026-10-25", "2026-10-26"], ["1000", "2000"])),
            as_json(r65(C5, ["2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"], ["1000", "2000"])),
            "\n".join(
                [
                    R65_HEADER,
                    *(f"{C5};x;x;EA;CONS;BEST;Wh;DIFF.INDEX;P1D;2026-10-2{n};{n - 4}000" for n in (5, 6)),
                    "",
                ]
            ),
        ],
    )
    def test_is_the_energy_of_the_civil_day(self, take: Take, data: bytes | str) -> None:
        blocks = take(data).blocks

        assert [(b.key.kind, b.day, int(b.values[0])) for b in blocks] == [
            (Kind.DAILY_ENERGY, date(2026, 10, 25), 1000),
            (Kind.DAILY_ENERGY, date(2026, 10, 26), 2000),
        ]

    def test_refuses_months(self, take: Take) -> None:
        assert "a step « P1M »" in take(as_json(r65(C5, ["2026-10-01"], [1], step="P1M"))).reasons[0][1]


class TestR66:
    @pytest.mark.parametrize(
        "data",
        [
            as_json(r66(C5, ["2026-06-01 12:06:20"], ["4638"])),
            "\n".join([R66_HEADER, f"{C5};x;x;PMA;CONS;BRUT;VA;DIFF;P1D;2026-06-01 12:06:20;4638", ""]),
        ],
    )
    def test_is_the_maximum_of_the_day_and_its_time(self, take: Take, data: bytes | str) -> None:
        block = take(data).block

        assert (block.key.kind, block.day, block.values[0]) == (Kind.MAXIMUM_POWER, PLAIN, 4638)
        assert block.offsets is not None
        assert block.offsets[0] == 12 * 3600 + 6 * 60 + 20

    def test_keeps_the_maximum_of_a_phase_apart(self, take: Take) -> None:
        assert take(as_json(r66(C5, ["2026-06-01"], [1], physical="PMA2"))).block.key.register == "PMA2"


class TestSeveralDocuments:
    """A delivery may be a list of documents, each of its flow."""

    def test_are_read_each_as_what_it_is(self, take: Take) -> None:
        documents = [
            r63(C5, offset(ends(PLAIN)[:2]), [1, 2]),
            r65(C5, ["2026-06-01"], [50]),
            r6x("R67", [{"idPrm": C5}]),
            "no document",
            r66(C5, ["2026-06-01 12:00:00"], [x := "x"]),
        ]

        taken = take(json.dumps(documents))

        assert {block.key.kind for block in taken.blocks} == {Kind.LOAD_CURVE, Kind.DAILY_ENERGY}
        assert [where for where, _ in taken.reasons] == [
            "[2].header",
            "[3].mesures",
            "[4].mesures[0].grandeur[0].points[0]",
        ]
        assert "R67 is of billed quantities" in taken.reasons[0][1]
        assert taken.report.quarantined[2].value == x

    @pytest.mark.parametrize("listed", [False, True])
    def test_are_refused_as_one_is(self, take: Take, listed: bool) -> None:
        document: Any = r6x("R67", [{"idPrm": C5}])

        taken = take(json.dumps([document] if listed else document))

        assert taken.report.refused
        assert "R67 is of billed quantities, not of measurements" in taken.reasons[0][1]


class TestSeveralAccounts:
    """One time told twice, raw and corrected or by two calendars: never one of two that differ."""

    def two(self, *, corrected: int) -> dict[str, Any]:
        document = r63(C5, offset(ends(PLAIN)[:3]), [1, 2, 3])
        again = r63(C5, offset(ends(PLAIN)[1:4]), [2, corrected, 4])["mesures"][0]
        document["mesures"].append({**again, "etapeMetier": "BEST"})
        return document

    def test_are_kept_neither(self, take: Take) -> None:
        taken = take(as_json(self.two(corrected=9)))

        assert taken.block.values[taken.block.said].tolist() == [1, 2, 4]
        (raw, same, best) = taken.reasons
        assert "here by BRUT BRUT" in raw[1]
        assert "by BEST BRUT (9); neither is kept" in raw[1]
        assert "the same value" in same[1]
        assert "(3); neither is kept" in best[1]

    def test_are_kept_neither_in_csv(self, take: Take) -> None:
        (stamp,) = naive(ends(PLAIN)[:1])
        rows = [
            f"{C5};;;PA;CONS;{stage};W;{stamp};{value};;PT30M" for stage, value in (("BRUT", 3), ("BEST", 9))
        ]

        taken = take("\n".join([R63_HEADER, *rows]))

        assert [where for where, _ in taken.reasons] == ["line 2", "line 3"]
        assert all("neither is kept" in reason for _, reason in taken.reasons)

    def test_are_told_by_the_calendar(self, take: Take) -> None:
        readings = {("Fournisseur", "HP"): [("2026-06-01 00:00:00", 5, 0)]}
        document, other = r64(C5, readings), r64(C5, {("Fournisseur", "HP"): [("2026-06-01 00:00:00", 7, 0)]})
        calendar = other["mesures"][0]["contexte"][0]["grandeur"][0]["calendrier"][0]
        quantity = document["mesures"][0]["contexte"][0]["grandeur"][0]
        quantity["calendrier"].append({**calendar, "idCalendrier": "FC000014"})

        taken = take(as_json(document))

        assert taken.report.stored == 0
        assert "by BRUT FC000165 (5)" in taken.reasons[1][1]


class TestWhatIsLeftOut:
    def test_is_the_quality_of_the_stage_where_a_value_has_none(self, take: Take) -> None:
        document = r63(C5, offset(ends(PLAIN)[:1]), [1])
        document["mesures"][0]["etapeMetier"] = "BEST"
        del document["mesures"][0]["grandeur"][0]["points"][0]["n"]

        assert take(as_json(document)).block.quality[0] == Quality.CORRECTED

    @pytest.mark.parametrize("stamps", [ends, starts])
    def test_is_a_step_that_the_stamps_tell(self, take: Take, stamps: Callable[..., Any]) -> None:
        point = C5 if stamps is ends else C4
        texts = naive(stamps(PLAIN, Resolution.PT60M))[:3]
        texts += naive(stamps(PLAIN))[6:10]
        rows = [f"{point};;;PA;CONS;BRUT;W;{text};{n}" for n, text in enumerate(texts)]

        blocks = take("\n".join([R63_HEADER.partition(";Nature")[0], *rows, ""])).blocks

        told = {b.key.resolution: b.values[b.said].tolist() for b in blocks}
        assert told == {Resolution.PT60M: [0, 1, 2], Resolution.PT30M: [3, 4, 5, 6]}

    def test_is_told_where_it_stands_among_what_is_no_object(self, take: Take) -> None:
        document = r63(C4, offset(starts(PLAIN)[:3]), [1, -2, 3])
        points = document["mesures"][0]["grandeur"][0]["points"]
        points[:0], points[2:2] = [5], [None]

        taken = take(as_json(document))

        reason = "not an object, which the schema of the flow requires"
        where = "mesures[0].grandeur[0].points"
        assert taken.reasons[:2] == [(f"{where}[0]", reason), (f"{where}[2]", reason)]
        [(place, why)] = taken.reasons[2:]
        assert (place, why[:21]) == (f"{where}[3]", "the value is negative")
        assert taken.block.values[taken.block.said].tolist() == [1, 3]

    def test_is_no_total_because_a_class_has_no_name(self, take: Take) -> None:
        document = r64(C5, {("Distributeur", "HPH"): [("2026-06-01 00:00:00", 5, 0)]})
        calendar = document["mesures"][0]["contexte"][0]["grandeur"][0]["calendrier"][0]
        calendar["classeTemporelle"][0] |= {"idClasseTemporelle": None, "codeCadran": None}

        taken = take(as_json(document))

        assert taken.report.stored == 0
        assert "names no temporal class" in taken.reasons[0][1]

    def test_is_no_total_because_a_class_has_no_name_in_csv(self, take: Take) -> None:
        row = f"{C5};;;EA;CONS;BRUT;Wh;2026-06-01 00:00:00;COL;AQ;;Distributeur;DI000003;;;;;5;0"

        taken = take(f"{R64_HEADER}\n{row}")

        assert "names no temporal class" in taken.reasons[0][1]

    def test_names_the_phase(self, take: Take) -> None:
        taken = take(as_json(r63(C5, offset(ends(PLAIN)[:1]), [1], physical="PA2")))

        assert "of phase 2 alone (PA2)" in taken.reasons[0][1]
