"""Several people at several desks at once: a code, and a display name, is issued once."""

from gridgate.core.identifiers import parse_eic
from tests.real_registry import Registry

ASK = """
from datetime import UTC, datetime
from gridgate.organisations.models import Membership
from tests.factories.eic import make_request
alice = Membership.objects.get(user__email="alice@acme.example")
for name in NAMES:
    make_request(alice, display_name=f"ACME-{name}", long_name=f"Site {name}", now=datetime(2026, 1, 1, tzinfo=UTC))
"""
ISSUE = """
import os, sys
from datetime import UTC, datetime
from gridgate.core.errors import GridgateError
from gridgate.eic.models import EicRequest
from gridgate.organisations.models import Membership
from gridgate.eic.operations.issuing import accept_eic_request
staff = Membership.objects.get(user__email="olivier@reseau-demo.example")
for request in EicRequest.objects.order_by("pk"):
    try:
        accept_eic_request(request=request, body=os.environ["BODY"] or f"ACME-----{request.pk:03}", actor=staff,
                           now=datetime(2026, 1, 2, tzinfo=UTC))
    except GridgateError as error:
        print(type(error).__name__)
    else:
        print("issued")
"""


def at_once(registry: Registry, body: str, names: list[str]) -> list[str]:
    registry.run(f"NAMES = {names!r}\n{ASK}")
    desks = [registry.start(ISSUE, BODY=body) for _ in range(3)]
    said = []
    for desk in desks:
        output, errors = desk.communicate(timeout=120)
        assert desk.returncode == 0, errors
        said += output.split()
    return said


def test_one_code_wanted_by_all_is_issued_once(registry: Registry) -> None:
    said = at_once(registry, "ACME--------", [f"SITE-{number}" for number in range(6)])
    assert said.count("issued") == 1
    assert set(said) == {"issued", "EicCodeTaken", "RequestNotOpen"}
    [(code,)] = registry.rows("SELECT code FROM eic_eiccode")
    assert parse_eic(code) == code
    assert registry.rows("SELECT count(*) FROM eic_eicrequest WHERE state = 'accepted'") == [(1,)]


def test_one_display_name_wanted_by_all_is_given_once(registry: Registry) -> None:
    said = at_once(registry, "", ["UN"] * 6)
    assert said.count("issued") == 1
    assert registry.rows("SELECT count(*) FROM eic_eiccode") == [(1,)]


def test_each_request_is_decided_once(registry: Registry) -> None:
    said = at_once(registry, "", ["UN", "DEUX", "TROIS", "QUATRE", "CINQ", "SIX"])
    assert said.count("issued") == 6
    assert said.count("RequestNotOpen") == 12
    assert registry.rows("SELECT count(DISTINCT code) FROM eic_eiccode") == [(6,)]
    assert registry.rows("SELECT count(*) FROM audit_auditevent WHERE action = 'eic.issued'") == [(6,)]
