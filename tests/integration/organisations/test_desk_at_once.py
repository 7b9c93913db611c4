"""Colleagues who press at the same moment, on a database file as in production."""

from pathlib import Path

from tests.real_registry import Registry, _template, registry

__all__ = ["_template", "registry"]

COLLEAGUES = 4
SEED = f"""
from gridgate.organisations.models import Organisation
from tests.factories.eic import make_request
from tests.factories.organisations import make_member
from gridgate.organisations.models import Membership
alice = Membership.objects.get(user__email="alice@acme.example")
operator = Organisation.objects.get(is_operator=True)
for number in range({COLLEAGUES}):
    make_request(alice, display_name=f"ACME-{{number}}", long_name="Atelier")
    make_member(operator, f"Agent {{number}}", email=f"agent-{{number}}@reseau-demo.example")
"""
TOGETHER = """
import os, time
from datetime import UTC, datetime
from pathlib import Path
from gridgate.organisations.models import EicRequest, Membership
from gridgate.organisations.operations import EIC
from gridgate.organisations.operations.desk import take_next
from gridgate.organisations.operations.requests import RequestNotOpen, refuse_request
now = datetime(2026, 11, 25, 10, tzinfo=UTC)
me = Membership.objects.select_related("user", "organisation").get(user__email=os.environ["AGENT"])
first = EicRequest.objects.order_by("number").first()
print("ready", flush=True)
while not Path(os.environ["GO"]).exists():
    time.sleep(0.001)
"""
TAKE = f"{TOGETHER}\nprint(take_next(kinds=[EIC], actor=me, now=now).number)"
REFUSE = f"""{TOGETHER}
try:
    refuse_request(EIC, first, reason=me.user.full_name, actor=me, now=now)
    print("refused")
except RequestNotOpen:
    print("too late")
"""


def together(registry: Registry, program: str, go: Path) -> list[str]:
    """What each colleague's process says, all let go at once."""
    registry.run(SEED)
    agents = [
        registry.start(program, AGENT=f"agent-{number}@reseau-demo.example", GO=str(go))
        for number in range(COLLEAGUES)
    ]
    for agent in agents:
        assert agent.stdout is not None
        assert agent.stdout.readline().strip() == "ready"
    go.touch()
    said = []
    for agent in agents:
        output, errors = agent.communicate(timeout=120)
        assert agent.returncode == 0, errors
        said.append(output.strip())
    return said


def test_each_takes_another_request(registry: Registry, tmp_path: Path) -> None:
    taken = together(registry, TAKE, tmp_path / "go")
    assert len(set(taken)) == COLLEAGUES
    followers = registry.rows("SELECT followed_by_id FROM organisations_eicrequest WHERE state = 'in_review'")
    assert len(set(followers)) == COLLEAGUES


def test_one_decides_and_the_others_are_told(registry: Registry, tmp_path: Path) -> None:
    assert sorted(together(registry, REFUSE, tmp_path / "go")) == ["refused"] + ["too late"] * (
        COLLEAGUES - 1
    )
    decided = registry.rows("SELECT count(*) FROM organisations_requestevent WHERE state = 'refused'")
    assert decided == [(1,)]
