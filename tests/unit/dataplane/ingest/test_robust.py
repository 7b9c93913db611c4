"""Whatever happens to a file on its way, ingest ends with a report and not with a traceback."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridgate.dataplane.ingest.readers import readers
from tests.ingest_samples import (
    AUTUMN,
    PLAIN,
    R63_HEADER,
    ends,
    green_button,
    naive,
    offset,
    plain_csv,
    r50,
    r63,
    r64,
    r66,
    starts,
)
from tests.unit.dataplane.ingest.conftest import C4, C5, Taken
from tests.unit.dataplane.ingest.readers.test_enedis_xml import R151, r4x, r171

Take = Callable[..., Taken]
STAMPS = naive(ends(AUTUMN))
DOCUMENTS = [
    r63(C5, STAMPS, range(50)),
    r64(C5, {("Distributeur", "HP"): [("2026-01-01", 1, 0)]}),
    r66(C5, STAMPS, range(50)),
]
SAMPLES: list[tuple[str, bytes]] = [
    ("espi", green_button([(1_780_308_000 + 900 * n, 900, n) for n in range(8)]).encode()),
    *(("enedis-r6x-json", json.dumps(document).encode()) for document in DOCUMENTS),
    (
        "enedis-r6x-csv",
        "\n".join(
            [R63_HEADER, *(f"{C5};x;x;PA;CONS;BRUT;W;{s};{n};B;PT30M;0;0" for n, s in enumerate(STAMPS))]
        ).encode(),
    ),
    ("enedis-r50", r50(C5, offset(ends(PLAIN)[:5]), range(5)).encode()),
    ("enedis-r151", R151.encode()),
    ("enedis-r171", r171("EA", "Wh").encode()),
    ("enedis-r4x", r4x().encode()),
    (
        "csv",
        plain_csv(
            f"{C4},load_curve,withdrawal,{s},PT30M,{n},W,measured"
            for n, s in enumerate(offset(starts(PLAIN)))
        ),
    ),
    ("csv", b"metering_point_id,day,resolution,v1,v2,v3\n" + f"{C4},2026-06-01,PT30M,1,2,3\n".encode() * 3),
]
ROBUST = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class TestAnyFile:
    @ROBUST
    @given(data=st.data())
    def test_with_bytes_lost_added_or_changed(self, take: Take, data: st.DataObject) -> None:
        name, sample = data.draw(st.sampled_from(SAMPLES))
        harmed = bytearray(sample)
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(harmed)))
            harmed[at : at + data.draw(st.integers(0, 6))] = data.draw(st.binary(max_size=4))

        take(bytes(harmed), format=name, single=C5 if data.draw(st.booleans()) else "")

    @ROBUST
    @given(data=st.data())
    def test_of_another_format(self, take: Take, data: st.DataObject) -> None:
        _, sample = data.draw(st.sampled_from(SAMPLES))

        take(sample, format=data.draw(st.sampled_from(sorted(readers()))))

    @ROBUST
    @given(data=st.data())
    def test_whose_json_has_other_types_than_the_schema(self, take: Take, data: st.DataObject) -> None:
        document = json.loads(json.dumps(data.draw(st.sampled_from(DOCUMENTS))))
        strange = st.one_of(
            st.none(),
            st.booleans(),
            st.integers(),
            st.floats(),
            st.text(max_size=3),
            st.just([]),
            st.just({}),
        )
        node: Any = document
        while isinstance(node, dict | list) and node:
            key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
            if data.draw(st.integers(0, 4)) == 0 or not isinstance(node[key], dict | list):
                node[key] = data.draw(strange)
                break
            node = node[key]

        take(json.dumps(document), format="enedis-r6x-json")


@pytest.mark.parametrize("reader", sorted(readers()))
def test_an_empty_file_is_refused_by_every_reader(take: Take, reader: str) -> None:
    assert take(b"", format=reader).report.refused
