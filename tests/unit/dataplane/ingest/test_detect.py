"""A format is told by what a file holds: each reader sees the samples of all the others."""

import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest

from gridgate.core.errors import GridgateError
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.detect import detect, reader_named
from gridgate.dataplane.ingest.port import Notes
from gridgate.dataplane.ingest.readers import readers
from gridgate.dataplane.ingest.unreadable import UnreadableFile
from gridgate.metering.imports.findings import Code
from gridgate.metering.imports.rows import read_sheet
from gridgate.tables.known import HOLDERS, MAPPING, POINTS
from gridgate.tables.out import workbook
from tests.ingest_samples import (
    R63_HEADER,
    R64_HEADER,
    R65_HEADER,
    R66_HEADER,
    as_json,
    green_button,
    plain_csv,
    r50,
    r63,
    r64,
    r65,
    r66,
    zipped,
)
from tests.unit.dataplane.ingest.conftest import C5, Taken


def parquet() -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame({"start": ["2026-01-01"], "value": [1]}).write_parquet(buffer)
    return buffer.getvalue()


SAMPLES: dict[str, tuple[str, bytes]] = {
    "feed": ("espi", green_button([(0, 3600, 1)]).encode()),
    "R63 JSON": ("enedis-r6x-json", as_json(r63(C5, ["2026-01-01 00:30:00"], [1]))),
    "R64 JSON": ("enedis-r6x-json", as_json(r64(C5, {("", ""): [("2026-01-01 00:00:00", 1, 0)]}))),
    "R65 JSON": ("enedis-r6x-json", as_json(r65(C5, ["2026-01-01"], [1]))),
    "R66 JSON": ("enedis-r6x-json", as_json(r66(C5, ["2026-01-01 12:00:00"], [1]))),
    "R63 CSV": ("enedis-r6x-csv", R63_HEADER.encode()),
    "R64 CSV": ("enedis-r6x-csv", R64_HEADER.encode()),
    "R65 CSV": ("enedis-r6x-csv", R65_HEADER.encode()),
    "R66 CSV": ("enedis-r6x-csv", R66_HEADER.encode()),
    "R50": ("enedis-r50", r50(C5, ["2026-01-01T00:30:00+01:00"], [1]).encode()),
    "R151": ("enedis-r151", b"<R151><En_Tete_Flux/></R151>"),
    "R171": ("enedis-r171", b"<x:R171 xmlns:x='http://www.enedis.fr/stm/R171'/>"),
    "R4x": ("enedis-r4x", b"<Courbe><Entete><Identifiant_Flux>R4x</Identifiant_Flux></Entete></Courbe>"),
    "customer": ("enedis-customer-csv", b"Identifiant PRM;Type de donnees;Date de debut\n"),
    "customer's workbook": (
        "enedis-customer-sheet",
        f"Point Référence Mesure (PRM) : ;{C5};Type de comptage : ;Consommation Quotidienne\n"
        "Date;Valeur (en kWh)".encode(),
    ),
    "plain": ("csv", plain_csv([])),
    "plain, a day a line": ("csv", b"metering_point_id;day;resolution;v1;v2\n"),
    "Parquet": ("parquet", parquet()),
}


class TestDetect:
    @pytest.mark.parametrize("sample", SAMPLES)
    @pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
    def test_finds_the_one_reader(self, sample: str, mark: bytes) -> None:
        name, data = SAMPLES[sample]
        content = Content("misleading.pdf", data if name == "parquet" else mark + data)

        assert [reader.name for reader in readers().values() if reader.recognises(content)] == [name]
        assert detect(content).name == name

    @pytest.mark.parametrize("sample", SAMPLES)
    def test_imports_of_the_registry_tell_what_ingest_takes(self, sample: str) -> None:
        sheet = read_sheet(SAMPLES[sample][1], table=HOLDERS)

        assert [finding.code for finding in sheet.findings] == [Code.IS_MEASUREMENTS]
        assert sheet.findings[0].remedy == "Take it in with gridgate ingest."

    @pytest.mark.parametrize(
        ("header", "command"),
        [
            (",".join(POINTS.columns), "gridgate import points"),
            (
                ";".join(POINTS.head(name, "fr") for name in (*POINTS.columns, "label")),
                "gridgate import points",
            ),
            ("\t".join(HOLDERS.columns[:4]), "gridgate import holders"),
            ("EicCode;EicDisplayName;EicLongName;EicParent", "gridgate eic import"),
            (",".join(MAPPING.columns), "--map"),
            (f"meter 7;{C5}", "--map"),
        ],
    )
    def test_names_the_command_for_a_table_of_the_registry(self, header: str, command: str) -> None:
        with pytest.raises(UnreadableFile) as caught:
            detect(Content("points.csv", f"sep=;\n{header}\n".encode() if ";" in header else header.encode()))

        assert command in caught.value.remedy
        assert "not recognised" not in str(caught.value)

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"", "the file is empty"),
            (b"hello", "text beginning « hello »"),
            (b"<html><body/></html>", "this is a web page, whatever its name says"),
            (b"<feed/>", "XML whose first element is feed"),
            (b'{"a": 1}', "JSON without the header of a known flow"),
            (b"%PDF-1.7", "this is a PDF"),
            (b"\x1f\x8b\x08", r"this is packed \(gzip\)"),
            (b"\x00\x01\x02", "must be decrypted first"),
            ("﻿start,value\n".encode("utf-16"), "UTF-16"),
        ],
    )
    def test_says_what_a_stranger_looks_like(self, data: bytes, message: str) -> None:
        with pytest.raises(UnreadableFile, match=message):
            detect(Content("a.csv", data))

    def test_survives_any_head(self) -> None:
        for data in (b"<", b"<!--", b"{", b"\xff" * 10, b";;;\n", b"\n\n", zipped({"a": b"1"})):
            assert not any(reader.recognises(Content("a", data)) for reader in readers().values())

    def test_finds_the_reader_of_every_real_sample(self, shared_data: Path) -> None:
        for path in shared_data.glob("espi/samples/*.xml"):
            assert detect(Content(path.name, path)).name == "espi"
        for path in shared_data.glob("enedis/aeneria-user-export/*.csv"):
            assert detect(Content(path.name, path)).name == "enedis-customer-csv"
        flows = {path.stem for path in shared_data.glob("enedis/sge-tiers/*/*/R*.xml")}
        found = {detect(Content("a", path)).name for path in shared_data.glob("enedis/sge-tiers/*/*/R*.xml")}
        assert flows == {"R50", "R151", "R171", "R4Q"}
        assert found == {"enedis-r50", "enedis-r151", "enedis-r171", "enedis-r4x"}


class TestReaders:
    def test_are_named_for_the_command_line_and_described_for_people(self) -> None:
        for name, reader in readers().items():
            assert reader_named(name) is reader
            assert reader.title
        with pytest.raises(GridgateError, match="Formats are auto, csv, "):
            reader_named("xls")

    @pytest.mark.parametrize("name", sorted(readers()))
    @pytest.mark.parametrize("cut", [0.0, 0.3, 0.7, 0.95])
    def test_never_break_on_half_a_file(self, name: str, cut: float) -> None:
        for expected, data in SAMPLES.values():
            if expected == name:
                with suppress(UnreadableFile):
                    list(readers()[name].read(Content("a", data[: int(len(data) * cut)]), Notes()))

    def test_read_every_documented_format(self) -> None:
        page = (Path(__file__).parents[4] / "docs/1-running/ingest.md").read_text(encoding="utf-8")
        assert [name for name in readers() if f"`{name}`" not in page] == []


@pytest.mark.parametrize("name", ["csv", "enedis-r6x-csv", "enedis-customer-csv", "enedis-r6x-json"])
def test_a_format_that_was_forced_on_a_file_is_refused_politely(
    name: str, take: Callable[..., object]
) -> None:
    taken = take(b"hello\n", format=name)

    assert taken.report.refused  # type: ignore[attr-defined]
    assert taken.report.format == name  # type: ignore[attr-defined]


def test_a_workbook_with_the_columns_of_plain_csv_is_called_one(take: Callable[..., Taken]) -> None:
    rows = [(C5, "2026-06-01T00:00:00Z", "PT30M", 7), (C5, "2026-06-01T00:30:00Z", "PT30M", -1)]
    header = ("metering_point_id", "start", "resolution", "value")

    with workbook(header, rows, sheet="Mesures") as file:
        report = take(file.read()).report

    assert (report.format, report.stored, len(report.quarantined)) == ("xlsx", 1, 1)
