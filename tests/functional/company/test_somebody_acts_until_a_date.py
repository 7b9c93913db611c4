"""A last day on screens: given, moved and taken away, read before it takes something, told to the person."""

from datetime import date, timedelta

import pytest
import time_machine
from django.utils import timezone

from gridgate.notifications import tasks
from gridgate.notifications.models import OutgoingEmail
from gridgate.onboarding import links
from gridgate.onboarding.models import Invitation
from gridgate.onboarding.operations.invitations import invite
from gridgate.onboarding.people_file import Finding, read_people
from gridgate.organisations.last_days import end_of
from gridgate.organisations.operations.members import create_user, update_member
from gridgate.organisations.tasks import end_past_last_days, tell_of_last_days
from gridgate.portal.screens.company.many import fingerprint
from tests.factories.organisations import make_join_request
from tests.functional.company.conftest import hidden, read_and_confirmed, text_of
from tests.handles import handle

USERS, INVITE, MANY = (
    "/administration/utilisateurs/",
    "/administration/inviter/",
    "/administration/inviter/plusieurs/",
)
LAST = date(2026, 12, 5)


def letters() -> list[tuple[str, str]]:
    rows = OutgoingEmail.objects.filter(key__startswith="last_day:").order_by("pk")
    return [(one.recipient, one.subject) for one in rows]


def give(company, member, day=LAST):
    update_member(
        membership=member,
        role="user",
        external=False,
        until=day and end_of(day),
        actor=company.alice,
        now=company.now,
    )


class TestThePersonsPage:
    def test_sets_moves_and_takes_away_the_date(self, company):
        alice, page = company.client("alice"), f"{USERS}{handle(company.bob)}/"
        form = {"role": "user", "external": "", "groups": handle(company.lyon)}
        read = alice.post(page, {**form, "until": "2026-12-05"})
        assert (
            "Bob n’agira plus pour ACME Industries après le 5 décembre 2026 : tout accès à ses données et à ses "
            "services prendra fin. Jusqu’ici, aucune fin n’était fixée." in " ".join(text_of(read).split())
        )
        read_and_confirmed(alice, page, {**form, "until": "2026-12-05"})
        assert company.membership("bob").until == end_of(LAST)
        later = alice.post(page, {**form, "until": "2026-12-31"}, follow=True)
        for said in (
            "31 décembre 2026 inclus",
            "5 déc. 2026 inclus",
            "31 déc. 2026 inclus",
        ):  # and its history
            assert said in text_of(later)
        assert "31 Dec 2026, included" in text_of(company.client("alice", language="en").get(page))
        assert "jusqu’au 31 décembre 2026 inclus" in text_of(company.client("bob").get("/compte/"))
        alice.post(page, {**form, "until": ""})
        assert company.membership("bob").until is None
        assert [subject for _to, subject in letters()] == [
            "Vous agissez pour ACME Industries jusqu’au 5\u00a0décembre 2026",
            "Vous agissez pour ACME Industries jusqu’au 31\u00a0décembre 2026",
            "Votre accès pour ACME Industries n’a plus de date de fin",
        ]

    def test_refuses_today_and_points_to_detaching_and_keeps_what_was_typed(self, company):
        page = company.client("alice").post(
            f"{USERS}{handle(company.bob)}/", {"role": "user", "external": "externe", "until": "2026-11-25"}
        )
        assert page.status_code == 422
        assert "utilisez « Détacher »" in text_of(page)
        assert 'value="2026-11-25"' in page.content.decode()

    def test_says_that_who_becomes_an_administrator_has_no_last_day_any_more(self, company):
        give(company, company.bob)
        form = {"role": "administrator", "external": "", "until": ""}
        said = text_of(company.client("alice").post(f"{USERS}{handle(company.bob)}/", form))
        assert "Sa date de fin est retirée" in said

    def test_compares_nothing_after_the_last_day(self, company):
        """A place until the 10th is no loss on the 10th for who leaves on the 5th."""
        give(company, company.bob)
        company.lyon.members.filter(membership=company.bob).update(valid_until=end_of(date(2026, 12, 10)))
        form = {"role": "user", "external": "", "until": str(LAST), "groups": []}
        said = text_of(company.client("alice").post(f"{USERS}{handle(company.bob)}/", form))
        assert "Après le 5 déc. 2026" in said
        assert "10 déc." not in said.partition("Avant d’enregistrer")[2].partition("Confirmer")[0]

    def test_makes_nobody_an_administrator_who_has_a_date(self, company):
        page = company.client("alice").post(
            f"{USERS}{handle(company.bob)}/", {"role": "administrator", "external": "", "until": "2026-12-05"}
        )
        assert page.status_code == 422
        assert "Un administrateur agit sans date de fin." in text_of(page)


def test_lists_files_and_tasks_say_who_has_a_last_day(company):
    give(company, company.bob)
    alice = company.client("alice")
    assert "jusqu’au 5 déc. 2026 inclus" in text_of(alice.get(USERS))
    listed = alice.get(f"{USERS}?etat=date").content.decode()
    assert ("bob@acme.example" in listed, "agathe@acme.example" in listed) == (True, False)
    exported = b"".join(alice.get(f"{USERS}export.csv").streaming_content).decode("utf-8-sig")
    (bob,) = [line for line in exported.splitlines() if line.startswith("bob@")]
    assert ";2026-12-05;Actif;" in bob
    rights = b"".join(alice.get("/administration/services/droits.csv").streaming_content).decode("utf-8-sig")
    assert "bob@acme.example;Utilisateur;interne;2026-12-05;" in rights
    for who in ("alice", "maud"):
        assert "L’accès de Bob prend fin après le 5 décembre 2026" in text_of(company.client(who).get("/"))
    assert "L’accès de Bob" not in text_of(company.client("acme_user").get("/"))


def test_the_person_is_reminded_once_and_the_history_says_why_it_ended(company):
    give(company, company.bob)
    give(company, company.acme_user, company.now.date() + timedelta(days=3))
    for days in (2, 3, 4):
        tell_of_last_days(now=company.now + timedelta(days=days))
    assert [to for to, _subject in letters()] == [
        "bob@acme.example",
        "agathe@acme.example",  # told when it was set, three days before: no reminder
        "bob@acme.example",
    ]
    assert letters()[-1][1] == "Votre accès pour ACME Industries prend fin après le 5\u00a0décembre 2026"
    with time_machine.travel(end_of(LAST)):
        end_past_last_days(now=end_of(LAST))
        history = text_of(company.client("alice").get("/administration/historique/"))
    assert "Raison : à la date fixée" in " ".join(history.split())


class TestInviting:
    def test_gives_the_date_on_the_form_the_letter_and_the_list(self, company):
        alice = company.client("alice")
        form = {
            "email": "nina@acme.example", "full_name": "Nina", "language": "fr", "role": "user", "external": "",
        }  # fmt: skip
        assert alice.post(INVITE, {**form, "until": "2026-11-24"}).status_code == 422
        alice.post(INVITE, {**form, "until": "2026-12-05"})
        assert Invitation.objects.get(email="nina@acme.example").until == end_of(LAST)
        letter = OutgoingEmail.objects.get(recipient="nina@acme.example").body
        assert "jusqu’au 5\u00a0décembre 2026 inclus" in letter
        assert "Ce lien vaut jusqu’au 5\u00a0décembre 2026 à\u00a023:59" in letter
        listed = text_of(alice.get("/administration/invitations/"))
        assert "jusqu’au 5 déc. 2026 inclus" in listed
        assert "En attente jusqu’au 5 déc. 2026" in listed

    def test_is_refused_in_words_once_the_date_is_over(self, company):
        invitation = invite(
            organisation=company.acme, email="nina@acme.example", full_name="Nina", until=end_of(LAST),
            actor=company.alice, now=company.now,
        )  # fmt: skip
        link = f"/activation/{links.token_of(invitation)}/"
        opened = text_of(company.visitor().get(link))
        assert "Vous agirez jusqu’au 5 décembre 2026 inclus" in opened
        assert "Ce lien vaut jusqu’au 5 décembre 2026 à 23:59" in opened
        with time_machine.travel(end_of(LAST)):
            page = company.visitor().get(link)
            alice = company.client("alice")
            listed = text_of(alice.get("/administration/invitations/"))
            users = text_of(alice.get(USERS))
            pending = text_of(alice.get(f"{USERS}?etat=pending"))
            exported = b"".join(alice.get(f"{USERS}export.csv").streaming_content).decode("utf-8-sig")
        assert page.status_code == 410
        assert "Vous deviez agir pour ACME Industries jusqu’au 5 décembre 2026 inclus." in text_of(page)
        assert "Date de fin passée" in listed
        assert "Renouveler l’invitation" not in listed
        assert "Date de fin passée" in users
        assert "nina@acme.example" not in pending
        assert ";Date de fin passée;" in exported

    @pytest.mark.parametrize("header", ["Jusqu'au", "Agit jusqu’au", "Acts until"])
    def test_many_takes_it_as_a_column(self, company, header):
        text = f"E-mail;Nom;Rôle;{header}\n" + "\n".join(
            f"n{number}@acme.example;N;{cells}"
            for number, cells in enumerate(
                (";05/12/2026", ";2026-12-05", ";demain", ";2026-11-25", "administrateur;2026-12-05", ";")
            )
        )
        people = read_people(text, actor=company.alice)
        assert [one.person.until if one.person else one.findings[0][0] for one in people.lines] == [
            end_of(LAST), end_of(LAST), Finding.UNTIL, Finding.UNTIL_PAST, Finding.UNTIL_ADMINISTRATOR, None,
        ]  # fmt: skip
        assert people.wrong[0].number == 4
        assert fingerprint(people) != fingerprint(
            read_people(text.replace("05/12", "06/12"), actor=company.alice)
        )

    def test_many_says_what_is_wrong_with_a_date(self, company):
        page = company.client("alice").post(
            MANY, {"people": "E-mail;Nom;Jusqu'au\nn@acme.example;N;31/02/2027"}
        )
        assert "« 31/02/2027 » n’est pas une date." in text_of(page)


def test_who_asks_to_be_let_in_is_let_in_until_a_date(company):
    vera = create_user(email="vera@acme.example", full_name="Vera", password=None, now=company.now)
    asked = make_join_request(vera, company.acme, now=company.now)
    alice, page = company.client("alice"), f"/administration/invitations/demandes/{handle(asked)}/"
    form = {"do": "accept", "external": "externe", "until": "2026-12-05", "groups": handle(company.lyon)}
    read = alice.post(page, form)
    alice.post(page, {**form, "seen": hidden(read, "seen")})
    assert company.acme.memberships.get(user=vera).until == end_of(LAST)
    tasks.write_letters(now=timezone.now())
    body = OutgoingEmail.objects.get(key__startswith="join_answered").body
    assert "jusqu’au 5\u00a0décembre 2026 inclus" in body
    with time_machine.travel(end_of(LAST), tick=False):
        end_past_last_days(now=end_of(LAST))
        history = text_of(company.client("alice").get("/administration/historique/"))
    assert history.count("Groupes : Site de Lyon") == 2, "entered and left"
