"""Inviting, and following invitations."""

import re
from datetime import timedelta

import pytest

from gridgate.accounts.models import SecurityPolicy
from gridgate.onboarding.models import Invitation
from gridgate.onboarding.operations.invitations import cancel_invitation, invite
from gridgate.onboarding.operations.joining import accept_invitation
from gridgate.organisations.models import Membership
from tests.functional.company.conftest import text_of
from tests.handles import handle

INVITE, INVITATIONS = "/administration/inviter/", "/administration/invitations/"


def form(company, **changed) -> dict[str, object]:
    return {
        "email": "fanny@acme.example",
        "full_name": "Nouvelle recrue",
        "language": "en",
        "role": "user",
        "external": "externe",
        "groups": [handle(company.lyon)],
        **changed,
    }


class TestInviting:
    def test_sends_a_link_good_for_thirty_days(self, company):
        answer = company.client("alice").post(INVITE, form(company), follow=True)
        assert answer.redirect_chain == [(INVITATIONS, 302)]
        said = "L’invitation est partie à fanny@acme.example. Son lien est valable jusqu’au 25 décembre 2026."
        assert said in text_of(answer)
        sent = Invitation.objects.get()
        assert (sent.organisation, sent.role, sent.external, sent.language) == (
            company.acme,
            "user",
            True,
            "en",
        )
        assert list(sent.groups.all()) == [company.lyon]
        assert sent.invited_by == company.alice

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"email": "fanny"}, "Saisissez une adresse"),
            ({"email": "bob@acme.example"}, "Cette personne est déjà utilisateur de votre entreprise."),
            ({"full_name": " "}, "Ce champ est obligatoire."),
            ({"role": "king"}, "king"),
            ({"groups": ["999999"]}, "999999"),
        ],
    )
    def test_what_is_wrong_is_said_beside_the_field_and_nothing_typed_is_lost(self, company, changed, said):
        answer = company.client("alice").post(INVITE, form(company, **changed))
        assert answer.status_code == 422
        assert said in text_of(answer)
        page = answer.content.decode()
        typed = changed.get("email", "fanny@acme.example")
        assert f'value="{typed}"' in page
        assert 'aria-invalid="true"' in page
        assert not Invitation.objects.exists()

    def test_twice_points_at_the_invitation_there_is(self, company):
        client = company.client("alice")
        client.post(INVITE, form(company))
        answer = client.post(INVITE, form(company))
        assert "Déjà invitée le 25 novembre 2026. Dans « Invitations », renouvelez son lien" in text_of(
            answer
        )
        assert Invitation.objects.count() == 1

    def test_a_group_of_another_company_cannot_be_joined(self, company):
        theirs = company.client_b.groups.create(name="Énergie", created_at=company.now)
        assert company.client("alice").post(INVITE, form(company, groups=[theirs.pk])).status_code == 422

    def test_naming_an_administrator_asks_for_a_code_first(self, company):
        client = company.client("alice")
        SecurityPolicy.objects.filter(pk=1).update(step_up_acts=["rights"])
        answer = client.post(INVITE, form(company, role="administrator"))
        assert answer["Location"].startswith("/confirmation/")
        assert not Invitation.objects.exists()
        assert client.post(INVITE, form(company))["Location"] == INVITATIONS

    def test_an_administrator_may_be_invited(self, company):
        company.client("alice").post(INVITE, form(company, role="administrator"))
        assert Invitation.objects.get().role == "administrator"

    def test_a_user_manager_invites_users_only(self, company):
        client = company.client("maud")
        assert 'name="role"' not in client.get(INVITE).content.decode()
        client.post(INVITE, form(company, role="administrator"))
        assert Invitation.objects.get().role == "user"

    def test_whether_the_address_has_an_account_is_not_told(self, company):
        client = company.client("alice")
        told = []
        for email in ("fanny@nulle-part.example", "charlie@client-b.example"):
            sent = client.post(INVITE, form(company, email=email))
            page = client.get(f"{INVITATIONS}?q={email}")
            told.append((sent["Location"], text_of(page).replace(email, "…").replace(email[:9], "…")))
        assert told[0][1].count("…") > 2
        assert told[0] == (told[1][0], told[1][1].replace("2 sur 2", "1 sur 1").replace("1 sur 2", "1 sur 1"))


class TestFollowing:
    @pytest.fixture(autouse=True)
    def _sent(self, company):
        def send(name: str, days_ago: int, **options) -> Invitation:
            return invite(
                organisation=company.acme,
                email=f"{name.lower()}@acme.example",
                full_name=name,
                actor=company.alice,
                now=company.now - timedelta(days=days_ago),
                **options,
            )

        company.fanny = send("Fanny", 1, groups=[company.lyon])
        company.gaston = send("Gaston", 31)
        company.hugo = send("Hugo", 2, role="administrator")
        company.irene = send("Irene", 3)
        cancel_invitation(invitation=company.irene, actor=company.alice, now=company.now)
        company.jean = send("Jean", 4)
        accept_invitation(
            invitation=company.jean,
            password="un mot de passe assez long",
            now=company.now - timedelta(days=1),
        )

    def test_each_is_told_with_its_state_and_dates(self, company):
        page = text_of(company.client("alice").get(INVITATIONS))
        for said in (
            "En attente jusqu’au 24 déc. 2026",
            "Expirée depuis le 24 nov. 2026",
            "Acceptée le 24 nov. 2026",
            "Annulée le 25 nov. 2026",
            "par Alice",
        ):
            assert said in page

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("etat=pending", {"Fanny", "Hugo"}),
            ("etat=expired", {"Gaston"}),
            ("etat=accepted", {"Jean"}),
            ("etat=cancelled", {"Irene"}),
            ("q=irene", {"Irene"}),
            ("q=nulle+part", set()),
        ],
    )
    def test_is_filtered(self, company, query, expected):
        page = company.client("alice").get(f"{INVITATIONS}?{query}").content.decode()
        found = set(re.findall(r'<th role="rowheader" scope="row">([^<]+)<', page))
        assert found == expected

    def test_an_expired_one_is_renewed_for_the_whole_time(self, company):
        answer = company.client("alice").post(
            f"{INVITATIONS}{handle(company.gaston)}/renouveler/", follow=True
        )
        assert (
            "Un nouveau lien est parti à gaston@acme.example, valable jusqu’au 25 décembre 2026."
            in text_of(answer)
        )
        again = Invitation.objects.get(pk=company.gaston.pk)
        assert (again.round, again.expires_at.date()) == (2, (company.now + timedelta(days=30)).date())

    def test_one_that_waits_is_cancelled_at_once(self, company):
        answer = company.client("alice").post(f"{INVITATIONS}{handle(company.fanny)}/annuler/", follow=True)
        assert "L’invitation de fanny@acme.example est annulée" in text_of(answer)
        assert Invitation.objects.get(pk=company.fanny.pk).cancelled_at is not None

    def test_one_that_was_answered_meanwhile_is_told(self, company):
        answer = company.client("alice").post(f"{INVITATIONS}{handle(company.jean)}/annuler/", follow=True)
        assert "L’invitation de jean@acme.example a déjà été acceptée ou annulée." in text_of(answer)
        answer = company.client("alice").post(
            f"{INVITATIONS}{handle(company.irene)}/renouveler/", follow=True
        )
        assert "L’invitation d’irene@acme.example a déjà été acceptée ou annulée." in text_of(answer)

    def test_one_of_another_company_does_not_exist(self, company):
        for verb in ("renouveler", "annuler"):
            answer = company.client("charlie").post(f"{INVITATIONS}{handle(company.fanny)}/{verb}/")
            assert answer.status_code == 404
        assert "Fanny" not in text_of(company.client("charlie").get(INVITATIONS))

    def test_a_user_manager_leaves_administrators_alone(self, company):
        client = company.client("maud")
        page = client.get(f"{INVITATIONS}?q=Hugo").content.decode()
        assert "Renouveler" not in page.partition("<tbody")[2]
        for verb in ("renouveler", "annuler"):
            assert client.post(f"{INVITATIONS}{handle(company.hugo)}/{verb}/").status_code == 403
        assert client.post(f"{INVITATIONS}{handle(company.fanny)}/annuler/").status_code == 302

    def test_a_first_administrator_is_the_operators_to_follow(self, company):
        Invitation.objects.filter(pk=company.hugo.pk).update(kind="first_administrator", invited_by=None)
        client = company.client("alice")
        page = client.get(f"{INVITATIONS}?q=Hugo").content.decode()
        assert "par Réseau Démo" in text_of(client.get(f"{INVITATIONS}?q=Hugo"))
        assert "Annuler" not in page.partition("<tbody")[2]
        assert client.post(f"{INVITATIONS}{handle(company.hugo)}/annuler/").status_code == 403

    def test_whoever_accepted_is_a_member(self, company):
        assert Membership.objects.filter(user__full_name="Jean", organisation=company.acme).exists()
