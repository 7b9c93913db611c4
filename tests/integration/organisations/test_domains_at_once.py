"""Two clerks record the same domain of e-mail addresses at the same moment, for two companies: it is one company's."""

from tests.real_registry import AT_ONCE, Registry

SAVE = """
from datetime import UTC, datetime
from gridgate.core.errors import GridgateError
from gridgate.organisations.models import Membership, Organisation
from gridgate.organisations.operations.companies import create_organisation, update_organisation
staff = Membership.objects.get(user__email="olivier@reseau-demo.example")
company = Organisation.objects.get(legal_name="ACME Industries")
now = datetime(2026, 1, 2, tzinfo=UTC)
said = {"contact_email": "", "contact_url": "", "roles": [], "email_domains": ["usine.example"]}
"""
TOLD = """
try:
    SAVING
except GridgateError as error:
    print(type(error).__name__)
else:
    print("saved")
"""


def test_the_second_is_told_whose_it_is(registry: Registry) -> None:
    of_a_known, of_a_new = (
        f"{SAVE}{AT_ONCE}{TOLD.replace('SAVING', saving)}"
        for saving in (
            'update_organisation(organisation=company, legal_name="ACME", **said, actor=staff, now=now)',
            'create_organisation(legal_name="Usine", siren="732829320", **said, actor=staff, now=now)',
        )
    )
    for program in registry.at_once(of_a_known, of_a_new):
        assert program.splitlines()[-1] in ("saved", "DomainTaken")
    have = registry.rows(
        "SELECT count(*) FROM organisations_organisation WHERE email_domains LIKE ?", "%usine.example%"
    )
    assert have == [(1,)]
