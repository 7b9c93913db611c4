"""R63 to R66 in JSON, a piece at a time and many meters together: what reading them one by one gave, with its reasons."""

import json
import tracemalloc
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridgate.dataplane.ingest import json_pieces
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.port import Notes, Observations
from gridgate.dataplane.ingest.readers.enedis_r6x_json import READER
from gridgate.dataplane.ingest.unreadable import UnreadableFile
from tests.examples import examples
from tests.ingest_samples import AUTUMN, as_json, ends, naive, r6x, r63, r64, r65, r66
from tests.unit.dataplane.ingest.conftest import C4, C5, INJECTING
from tests.unit.dataplane.ingest.readers.r6x_json_one_by_one import R6xJsonReader

STAMPS = naive(ends(AUTUMN))


def told(batches: Sequence[Observations], notes: Notes) -> Any:
    """Everything, list of points by list of points, in the order of the file."""
    singles = [
        (0 if batch.groups is None or batch.groups.seen is None else int(batch.groups.seen[group]), single)
        for batch in batches
        for (group, _), single in zip(batch.by_group(), batch.singles(), strict=True)
    ]
    if any(batch.groups is not None for batch in batches):
        singles.sort(key=lambda pair: pair[0])
    refused = [
        (*_of(rows), [one.why[place] for place in places.tolist()])
        for one in notes.refused
        for (_, places), rows in zip(one.rows.by_group(), one.rows.singles(), strict=True)
    ]
    notes.aside.lead_to({first: " ".join((first, *others)) for first, *others in notes.aside.named})
    return (
        [_of(single) for _, single in singles],
        sorted(
            (one.where, one.reason, one.value, one.subject and one.subject.metering_point)
            for one in notes.aside
        ),
        sorted(refused, key=str),
        notes.holes,
        notes.published_at,
    )


def _of(batch: Observations) -> tuple[Any, ...]:
    return (
        batch.meter,
        batch.kind,
        batch.direction,
        batch.register,
        batch.variant,
        batch.stamp,
        batch.energy,
        [batch.place.format(row) for row in batch.rows.tolist()],
        list(batch.raw),
        *(
            None if column is None else np.asarray(column).tolist()
            for column in (
                batch.times,
                batch.wall,
                batch.offsets,
                batch.steps,
                batch.steps_of_ends,
                [
                    value * 10.0**scale
                    for value, scale in zip(batch.values.tolist(), batch.scales.tolist(), strict=True)
                ],
                batch.scales,
                batch.quality,
            )
        ),
    )


def read(reader: Any, data: bytes | Path, name: str = "R63_20260701040000.json") -> Any:
    notes = Notes()
    try:
        return told(list(reader.read(Content(name, data), notes)), notes)
    except UnreadableFile as error:
        return str(error)


def compare(data: bytes) -> None:
    known = read(R6xJsonReader(), data)
    assert read(READER, data) == known
    with NamedTemporaryFile(suffix=".json") as file:
        file.write(data)
        file.flush()
        assert read(READER, Path(file.name)) == known


@pytest.fixture(params=[1, 300, 4 * 2**20], ids=lambda size: f"pieces of {size}")
def piece(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(json_pieces, "PIECE", request.param)
    return int(request.param)


def many(*documents: dict[str, Any]) -> dict[str, Any]:
    """One document of all their measures."""
    whole = deepcopy(documents[0])
    for document in documents[1:]:
        whole["mesures"] += deepcopy(document["mesures"])
    return whole


CURVES = many(
    r63(C5, STAMPS, range(50), announced="2026-10-27T03:00:00+01:00"),
    r63(C4, STAMPS[:7], ["1.5", "2,25", "", "x", None, "-3", "1e3"], unit="kW", nature="E"),
    r63(INJECTING, ["soon", STAMPS[3], ""], [1, 2, 3], trade="PROD", unit="kVAr"),
    r63(C5, STAMPS[5:9], range(4), physical="ERC"),
    r63(C5, STAMPS[5:9], [1, 2.5, True, 10**25], step="PT5M"),
    r63(C5, STAMPS[:3], range(3), step=""),
)
READINGS = many(
    r64(C5, {("Distributeur", "HP"): [("2026-01-01", 1, 0)], ("", ""): [("2026-01-01", 1, 2)]}),
    r64(C4, {("Fournisseur", "BASE"): [("2026-01-01", 1, 0), ("2026-01-02", "x", 0)]}),
)
DAYS = many(r65(C5, ["2026-10-25", "2026-10-26"], [1, 2]), r65(C4, ["2026-10-25"], [1], step="P1M"))
MAXIMA = many(r66(C5, STAMPS[:5], range(5)), r66(C4, STAMPS[:2], range(2), physical="PMA2"))
DOCUMENTS = [CURVES, READINGS, DAYS, MAXIMA]
JSON = st.sampled_from(
    [None, True, 0, -1, 2.5, 10**30, "", "x", "é", "1", [], {}, [1], [{}], [[]], {"a": {"b": []}}]
)


class TestTheSame:
    @pytest.mark.parametrize("indent", [None, 1])
    @pytest.mark.parametrize("document", DOCUMENTS)
    def test_of_each_flow(self, piece: int, document: dict[str, Any], indent: int | None) -> None:
        compare(json.dumps(document, indent=indent).encode())
        compare(json.dumps(dict(reversed(document.items())), ensure_ascii=False).encode())

    @pytest.mark.parametrize(
        "data",
        [
            as_json([CURVES, {}, READINGS, {"header": {}}, 3, DAYS]),  # type: ignore[arg-type]
            as_json([{}, 3, {"donneesGenerales": 1}]),  # type: ignore[arg-type]
            as_json({"header": {"mesures": [1, {"idPrm": 2}]}, **CURVES}),
            as_json({**CURVES, "autre": {"mesures": [{"idPrm": 1}]}}),
            as_json(CURVES)[:-1] + b', "mesures": []}',
            as_json(CURVES)[:-1] + b', "mesur\\u0065s": [{"idPrm": 4}]}',
            b'{"mesures": [], ' + as_json(CURVES)[1:],
            as_json({**CURVES, "echeances": {"x": [[[]]]}}),
            as_json({**CURVES, "autre": [], "z": [[1]], "y": "]}"}),
            as_json({**CURVES, **{f"x{n}": [n] for n in range(40)}}),
            as_json(many(CURVES, r63("]},{", STAMPS, ["],", "]}", '"]', "[{"] * 12 + ["]"] * 2))),
            as_json(r6x("R63", [])),
            as_json(r6x("R67", [{}])),
            as_json(r6x("R63", [{"idPrm": [{"idPrm": 1}, {"idPrm": 2}]}, {"idPrm": "x"}, 4])),  # type: ignore[list-item]
            b"\n\n" + as_json(DAYS) + b"\n",
            b"\xef\xbb\xbf" + as_json(DAYS),
            b"\n [" + as_json(DAYS) + b"] ",
            b"[]",
            b"[ ]",
            b"{}",
            b'{"mesures": [',
            b"\xff{}",
            as_json(CURVES) + b"x",
            as_json(CURVES).replace(b'"v": "7"', b'"v": NaN'),
            as_json(CURVES).replace(b'"v": "7"', b'"v": "\\ud800"'),
            as_json(CURVES).replace(b"}, {", b"}, , {", 3),
        ],
        ids=range(26),
    )
    def test_of_what_is_odd(self, piece: int, data: bytes) -> None:
        compare(data)

    @settings(
        max_examples=examples(80), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
    )
    @given(data=st.data())
    def test_whatever_stands_in_a_document(
        self, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
    ) -> None:
        document = deepcopy(data.draw(st.sampled_from(DOCUMENTS)))
        for _ in range(data.draw(st.integers(0, 3))):
            node: Any = document
            while isinstance(node, dict | list) and node:
                key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
                if data.draw(st.integers(0, 4)) == 0 or not isinstance(node[key], dict | list):
                    node[key] = deepcopy(data.draw(JSON))
                    break
                node = node[key]
        text = json.dumps(document, indent=data.draw(st.sampled_from([None, 2])), ensure_ascii=False).encode()
        match data.draw(st.integers(0, 5)):
            case 0:
                text = text[: data.draw(st.integers(0, len(text)))].decode(errors="ignore").encode()
            case 1:
                at = data.draw(st.integers(0, len(text)))
                text = (
                    text[:at]
                    + data.draw(st.sampled_from([b"}", b"]", b",", b'"', b"{", b"[", b"0"]))
                    + text[at:]
                )
        monkeypatch.setattr(json_pieces, "PIECE", data.draw(st.sampled_from([1, 40, 300, 2000, 2**22])))

        compare(text)


def test_the_parser_makes_objects_of_a_piece_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    loads = orjson.loads

    def measured(text: bytes) -> Any:
        sizes.append(len(text))
        return loads(text)

    monkeypatch.setattr(json_pieces, "PIECE", 20_000)
    monkeypatch.setattr(orjson, "loads", measured)
    data = as_json(many(*[r63(f"{n:014d}", STAMPS, range(50)) for n in range(100)]))

    batches = list(READER.read(Content("a.json", data), Notes()))

    assert sum(map(len, batches)) == 5000
    assert len(data) > 400_000
    assert max(sizes) < 100_000
    assert len(batches) <= len(data) // 20_000 + 1  # one a piece, of all its meters


def test_what_a_long_list_holds_that_is_no_document_takes_little_memory() -> None:
    data = b"[" + b"{}," * 20_000 + b"{}]"
    tracemalloc.start()
    with pytest.raises(UnreadableFile, match="no list « mesures »"):
        list(READER.read(Content("a.json", data), Notes()))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 100 * len(data)


def test_a_long_list_is_never_held_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in (("PIECE", 2_000), ("_WINDOW", 500), ("_LONGEST_TAIL", 500)):
        monkeypatch.setattr(json_pieces, name, size)
    data = json.dumps(many(*[r63(C5, STAMPS, range(50))] * 20)).encode()
    parts: list[int] = []
    part = json_pieces.Text.part

    def counted(text: json_pieces.Text, start: int, end: int) -> bytes:
        parts.append(end - start)
        return part(text, start, end)

    monkeypatch.setattr(json_pieces.Text, "part", counted)

    batches = list(READER.read(Content("R63.json", data), Notes()))

    assert sum(map(len, batches)) == 20 * 50
    assert max(parts[1:]) < len(data) / 4  # the first look, at how it begins, is of 64 KiB at most


def test_a_list_of_documents_may_end_with_any_number_of_blanks() -> None:
    compare(as_json([DAYS, MAXIMA]) + b" " * 200_000)  # type: ignore[arg-type]
