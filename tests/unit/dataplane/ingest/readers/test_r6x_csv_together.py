"""R63 in CSV: meters whose lines alternate go on together, each as if it were alone."""

from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.port import Notes
from gridgate.dataplane.ingest.readers.enedis_r6x_csv import READER
from tests.ingest_samples import PLAIN, R63_HEADER, ends, naive
from tests.unit.dataplane.ingest.conftest import C4, C5, INJECTING


def test_meters_whose_lines_alternate_are_one_batch() -> None:
    meters = [C5, C4, INJECTING]
    lines = [
        f"{meter};2026-01-01;2026-12-31;PA;CONS;BRUT;W;{stamp};{100 * number + slot}{('', '.5', '.25')[number]};B;;0;0"
        for slot, stamp in enumerate(naive(ends(PLAIN)))
        for number, meter in enumerate(meters)
    ]
    notes = Notes()

    (batch,) = READER.read(Content("R63.csv", "\n".join([R63_HEADER, *lines, ""]).encode()), notes)

    assert not notes.aside
    assert [single.meter for single in batch.singles()] == meters
    for number, single in enumerate(batch.singles()):
        assert single.place.format(int(single.rows[0])) == f"line {number + 2}"
        assert set(single.steps.tolist()) == {1800}  # deduced from its own stamps
        assert (single.values * 10.0**single.scales).tolist() == [
            100 * number + slot + (0, 0.5, 0.25)[number] for slot in range(48)
        ]
