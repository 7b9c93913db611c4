"""What the operator's staff find when they sign in: what is to do, the desk and the registry in figures."""

import html
from datetime import timedelta

from gridgate.accounts.models import LostFactor
from gridgate.eic.models import EicRequest
from gridgate.onboarding.models import Invitation
from tests.factories.eic import make_request
from tests.factories.organisations import make_member
from tests.world import World


class TestTheOperatorsHome:
    def test_says_what_is_to_be_done_what_is_due_first_first(self, world: World) -> None:
        declared = {"kind": "first_administrator", "email": "neuf@client-b.example", "full_name": "Neuf"}
        sent, ended = world.now - timedelta(days=9), world.now - timedelta(days=2)
        Invitation.objects.create(
            organisation=world.client_b, created_at=sent, sent_at=sent, expires_at=ended, **declared
        )
        asked = make_request(world.alice)
        LostFactor.objects.create(
            user=world.bob.user,
            how="in_person",
            note="Carte",
            checked_by=make_member(world.operator, "Odile"),
            created_at=world.now,
            confirmable_at=world.now,
            expires_at=world.now + timedelta(days=2),
        )
        page = world.client("operateur").get("/")
        assert [(task.title, task.url) for task in page.context["tasks"]] == [
            ("Bob a perdu ses seconds facteurs", "/administration/seconds-facteurs/"),
            ("ACME Industries", f"/administration/demandes/{asked.number}/"),
            ("Client B", f"/administration/entreprises/{world.client_b.siren}/"),
        ]
        main = html.unescape(page.content.decode()).replace("\xa0", " ")
        assert " · à traiter avant le " in main
        assert "<h1>Bonjour" in main
        Invitation.objects.update(cancelled_at=world.now)
        EicRequest.objects.update(state="withdrawn")
        LostFactor.objects.update(cancelled_at=world.now)
        assert world.client("operateur").get("/").context["tasks"] == []

    def test_asks_for_a_contact_where_pages_have_none_to_name(self, world: World) -> None:
        type(world.operator).objects.filter(pk=world.operator.pk).update(contact_email="", contact_url="")
        tasks = world.client("operateur").get("/").context["tasks"]
        assert [task.title for task in tasks] == ["Aucune adresse n’est indiquée pour demander de l’aide"]
        assert (
            "passez par vos interlocuteurs habituels" in world.client("alice").get("/aide/").content.decode()
        )
