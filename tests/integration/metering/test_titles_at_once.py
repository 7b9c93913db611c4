"""Several processes give one point away at the same moment: one of them does, on a database file as in production."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

GIVE = """
import sys, django
django.setup()
from datetime import UTC, date, datetime
from gridgate.metering.operations import TitlesOverlap, open_holding
from gridgate.organisations.models import Organisation
now = datetime(2026, 11, 25, tzinfo=UTC)
holder = Organisation.objects.get(siren=sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
try:
    open_holding(metering_point="30001480112233", holder=holder, valid_from=date(2026, 1, 1), now=now)
    print("given")
except TitlesOverlap:
    print("refused")
"""

PREPARE = """
import django
django.setup()
from datetime import UTC, date, datetime
from django.core.management import call_command
call_command("migrate", verbosity=0, skip_checks=True)
from gridgate.metering.models import MeteringPoint
from gridgate.organisations.models import Organisation
for siren in ("111222337", "123456782", "222333445", "333444552"):
    Organisation.objects.create(legal_name=siren, siren=siren, created_at=datetime(2026, 1, 1, tzinfo=UTC))
MeteringPoint.objects.create(id="30001480112233", segment="C5", directions=1, activated_on=date(2020, 1, 1))
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    made = os.environ | {
        "GRIDGATE_DATA": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "gridgate.config.settings",
    }
    subprocess.run([sys.executable, "-c", PREPARE], env=made, check=True)
    return made


class TestOpenHoldingAtOnce:
    def test_gives_the_point_to_one_company(self, environment: dict[str, str]) -> None:
        givers = [
            subprocess.Popen(
                [sys.executable, "-c", GIVE, siren],
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for siren in ("111222337", "123456782", "222333445", "333444552")
        ]
        for giver in givers:
            assert giver.stdout.readline() == "ready\n"
        for giver in givers:
            giver.stdin.write("now\n")
            giver.stdin.flush()
        answers = [giver.communicate()[0].strip() for giver in givers]
        assert sorted(answers) == ["given", "refused", "refused", "refused"]
