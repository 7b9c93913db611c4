"""Several processes give one point away at the same moment: one of them does, on a database file as in production."""

import shutil
from pathlib import Path

import pytest

from tests.real_registry import AT_ONCE, Registry

SIRENS = ("111222337", "123456782", "222333445", "333444552")
CAST = """
from datetime import UTC, date, datetime
from gridgate.metering.models import MeteringPoint
from gridgate.metering.operations.titles import TitlesOverlap, open_holding
from gridgate.organisations.models import Organisation
now = datetime(2026, 11, 25, tzinfo=UTC)
"""
FREE = "MeteringPoint.objects.create(id='30005890000017', activated_on=date(2020, 1, 1))"
GIVE = """
try:
    open_holding(metering_point="30005890000017", holder=holder, valid_from=date(2026, 1, 1), now=now)
    print("given")
except TitlesOverlap:
    print("refused")
"""


@pytest.fixture
def instance(registry_template: Path, tmp_path: Path) -> Registry:
    return Registry(Path(shutil.copytree(registry_template, tmp_path / "instance")))


class TestOpenHoldingAtOnce:
    def test_gives_the_point_to_one_company(self, instance: Registry) -> None:
        instance.run(CAST + FREE)
        takers = [
            f"{CAST}holder = Organisation.objects.get(siren='{siren}')\n{AT_ONCE}{GIVE}" for siren in SIRENS
        ]
        assert sorted(instance.at_once(*takers)) == ["given", "refused", "refused", "refused"]
        held = "SELECT count(*) FROM metering_titleholding WHERE metering_point_id = '30005890000017'"
        assert instance.rows(held) == [(1,)]
