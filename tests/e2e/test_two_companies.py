"""A person who acts for two companies, in two tabs of one browser."""

import re

from playwright.sync_api import expect

from tests.e2e.conftest import OpenAs
from tests.e2e.going import go
from tests.instance import Server
from tests.real_registry import Registry


def test_a_form_of_the_other_company_is_refused_and_sent_on_going_back(
    own_demo_server: Server, open_as: OpenAs
) -> None:
    registry = Registry(own_demo_server.data)
    registry.run(
        """
import os
from datetime import UTC, datetime
from gridgate.organisations.models import Organisation
from gridgate.organisations.operations.members import add_member
tiers = Organisation.objects.get(memberships__user__email=os.environ["THEIRS"])
now = datetime.now(UTC)
add_member(organisation=tiers, email=os.environ["ALICE"], full_name="", role="administrator", now=now)
""",
        ALICE=own_demo_server.world["users"]["alice"]["email"],
        THEIRS=own_demo_server.world["users"]["tiers1"]["email"],
    )
    with open_as(own_demo_server, "alice", scripts=False) as first:
        second = first.context.new_page()
        first.goto("/administration/groupes/nouveau/")
        first.get_by_label("Nom du groupe").fill("Astreinte")
        second.goto("/compte/entreprise/")
        go(second.get_by_role("button", name=re.compile("Agir pour elle")))
        go(first.get_by_role("button", name="Créer le groupe"))
        expect(first.get_by_role("heading", level=1)).to_contain_text("celui d’une autre entreprise")
        assert registry.rows("SELECT count(*) FROM organisations_usergroup WHERE name = 'Astreinte'") == [
            (0,)
        ]
        first.get_by_role("button", name=re.compile("Revenir à ACME Industries et envoyer")).click()
        first.wait_for_url(re.compile("/groupes/[0-9a-f-]{36}/$"))
        expect(first.get_by_role("heading", level=1)).to_contain_text("Astreinte")
        [company] = registry.rows(
            "SELECT o.legal_name FROM organisations_usergroup g"
            " JOIN organisations_organisation o ON o.id = g.organisation_id WHERE g.name = 'Astreinte'"
        )
        assert company == ("ACME Industries",)
