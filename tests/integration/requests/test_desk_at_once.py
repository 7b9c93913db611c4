"""Colleagues who press at the same moment, on a database file as in production."""

from tests.real_registry import AT_ONCE, Registry

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
ME = """
from datetime import UTC, datetime
from gridgate.eic.models import EicRequest
from gridgate.organisations.models import Membership
from gridgate.eic.operations.asking import EIC
from gridgate.requests.operations.desk import take_next
from gridgate.requests.operations.life import RequestNotOpen, refuse_request
now = datetime(2026, 11, 25, 10, tzinfo=UTC)
me = Membership.objects.select_related("user", "organisation").get(user__email=AGENT)
first = EicRequest.objects.order_by("number").first()
"""
TAKE = "print(take_next(kinds=[EIC], actor=me, now=now).number)"
REFUSE = """
try:
    refuse_request(EIC, first, reason=me.user.full_name, actor=me, now=now)
    print("refused")
except RequestNotOpen:
    print("too late")
"""


def together(registry: Registry, act: str) -> list[str]:
    """What each colleague is told, of those who do it at one instant."""
    registry.run(SEED)
    agents = [f'AGENT = "agent-{number}@reseau-demo.example"' for number in range(COLLEAGUES)]
    return registry.at_once(*[f"{agent}{ME}{AT_ONCE}{act}" for agent in agents])


def test_each_takes_another_request(registry: Registry) -> None:
    taken = together(registry, TAKE)
    assert len(set(taken)) == COLLEAGUES
    followers = registry.rows("SELECT followed_by_id FROM eic_eicrequest WHERE state = 'in_review'")
    assert len(set(followers)) == COLLEAGUES


def test_one_decides_and_the_others_are_told(registry: Registry) -> None:
    assert sorted(together(registry, REFUSE)) == ["refused"] + ["too late"] * (COLLEAGUES - 1)
    decided = registry.rows("SELECT count(*) FROM requests_requestevent WHERE state = 'refused'")
    assert decided == [(1,)]
