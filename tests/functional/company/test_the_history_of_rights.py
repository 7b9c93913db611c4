"""*Historique des droits*: a sentence for everything that changed, and the file."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

import pytest
from django.utils.translation import override

from gridgate.audit.events import Subject, record
from gridgate.organisations.models import User
from gridgate.organisations.operations.companies import end_contract, record_contract, update_organisation
from gridgate.organisations.operations.groups import create_group
from gridgate.organisations.operations.members import update_member
from gridgate.organisations.operations.services import give
from gridgate.portal.paths import PACKAGE
from gridgate.portal.screens.company import history_sentences
from tests.functional.company.conftest import text_of
from tests.handles import handle

HISTORY, EXPORT = "/administration/historique/", "/administration/historique/export.csv"


def rows(page) -> list[str]:
    found = re.findall(r'<tr role="row"><td.*?</tr>', page.content.decode(), flags=re.S)
    return [re.sub(r"[\s\u00a0\u202f]+", " ", re.sub(r"<[^>]+>", " ", row)).strip() for row in found]


class TestThePage:
    def test_says_who_changed_what_from_what_to_what(self, company):
        update_member(
            membership=company.bob,
            role="administrator",
            external=False,
            until=None,
            actor=company.alice,
            now=company.now,
        )
        page = company.client("alice").get(HISTORY)
        assert rows(page)[0] == (
            "25 nov. 2026 10:30 Rôle ou statut de bob@acme.example modifié"
            " Rôle : Utilisateur Rôle : Administrateur Alice"
        )

    def test_says_when_the_operator_acted_on_ones_behalf(self, company):
        update_organisation(
            organisation=company.acme,
            legal_name="ACME",
            contact_email="contact@acme.example",
            contact_url="",
            roles=["consumer"],
            email_domains=(),
            actor=company.operateur,
            now=company.now,
        )
        [row, *_] = rows(company.client("alice").get(HISTORY))
        assert "Fiche de l’entreprise modifiée" in row
        assert "Raison sociale : ACME Industries" in row
        assert "Rôles sur le réseau : Consommateur" in row
        assert row.endswith("Olivier Réseau Démo, pour votre compte")

    def test_apis_have_a_name(self, company):
        program = Subject("application", "1", "Bilan")
        record(
            "application.created",
            subject=program,
            organisation=company.acme.pk,
            after={"apis": ["native", "enedis"]},
            now=company.now,
        )
        row, *_ = rows(company.client("alice").get(HISTORY))
        assert "API : API du portail, API au format Enedis" in row

    def test_a_questionnaire_is_masculine_and_a_name_elided(self, company):
        subject = Subject("kyc", "1", "KYC-2026-K7Q4M")
        record(
            "kyc.accepted",
            subject=subject,
            organisation=company.acme.pk,
            before={"state": "in_review"},
            after={"state": "accepted"},
            now=company.now,
        )
        invited = Subject("invitation", "1", "irene@acme.example")
        record("invitation.cancelled", subject=invited, organisation=company.acme.pk, now=company.now)
        invitation, questionnaire, *_ = rows(company.client("alice").get(HISTORY))
        assert "Invitation d’irene@acme.example annulée" in invitation
        assert (
            "KYC-2026-K7Q4M accepté État : en cours d’examen État : accepté Le gestionnaire de réseau"
            in questionnaire
        )

    def test_where_ends_of_sharing_are_told(self, company):
        page = company.client("alice").get(HISTORY).content.decode()
        assert 'href="/partage/recus/"' in page
        assert 'href="/partage/"' in page

    def test_says_points_and_services_in_words(self, company):
        group = create_group(organisation=company.acme, name="Énergie", actor=company.alice, now=company.now)
        points = [str(30_001_480_000_000 + number) for number in range(8)]
        give(group=group, code="contracts", points=points, actor=company.alice, now=company.now)
        [row, *_] = rows(company.client("alice").get(HISTORY))
        assert "Service donné au groupe « Énergie »" in row
        assert "Service : Consulter les contrats Points : 30 001 480 000 000, " in row
        assert "30 001 480 000 004 et 3 autres" in row

    def test_says_the_last_day_that_is_covered_and_nothing_of_what_has_no_end(self, company):
        contract = record_contract(
            organisation=company.acme, number="C-9", valid_from=date(2026, 1, 1), now=company.now
        )
        [row, *_] = rows(company.client("alice").get(HISTORY))
        assert "Dernier jour" not in row
        assert "Objet" not in row
        end_contract(
            contract=contract,
            valid_to=date(2027, 1, 1),
            actor=company.operateur,
            now=company.now + timedelta(minutes=1),
        )
        [row, *_] = rows(company.client("alice").get(HISTORY))
        assert "Dernier jour : – Dernier jour : 31 déc. 2026" in row

    def test_reads_in_english(self, company):
        update_member(
            membership=company.bob,
            role="user",
            external=True,
            until=None,
            actor=company.alice,
            now=company.now,
        )
        [row, *_] = rows(company.client("alice", language="en").get(HISTORY))
        assert "Role or status of bob@acme.example changed" in row
        assert "Affiliation: internal" in row

    def test_is_filtered_by_kind_person_and_period(self, company):
        update_member(
            membership=company.bob,
            role="user",
            external=True,
            until=None,
            actor=company.alice,
            now=company.now,
        )
        client = company.client("alice")
        today = company.now.date().isoformat()
        assert len(rows(client.get(f"{HISTORY}?du={today}"))) == 1
        tomorrow = (company.now.date() + timedelta(days=1)).isoformat()
        assert rows(client.get(f"{HISTORY}?du={tomorrow}")) == []
        assert len(rows(client.get(f"{HISTORY}?qui={handle(company.alice.user)}"))) == 1
        groups = rows(client.get(f"{HISTORY}?quoi=groupes&par_page=50"))
        assert groups
        assert all("roupe" in row for row in groups)
        page = client.get(f"{HISTORY}?du={tomorrow}&au={today}")
        assert "La fin est avant le début." in text_of(page)
        assert len(rows(client.get(f"{HISTORY}?quoi=rien&qui=99&par_page=50"))) > 5

    def test_an_action_that_nobody_put_into_words_shows_its_code(self, company):
        record(
            "moon.landed",
            subject=Subject("moon", "1", "Lune"),
            organisation=company.acme.pk,
            after={"flag": True},
            now=company.now,
        )
        [row, *_] = rows(company.client("alice").get(HISTORY))
        assert row == "25 nov. 2026 10:30 moon.landed – flag : oui Le gestionnaire de réseau"

    def test_a_name_is_text_and_nothing_else(self, company):
        create_group(organisation=company.acme, name="<b>x</b>", actor=company.alice, now=company.now)
        page = company.client("alice").get(HISTORY).content.decode()
        assert "<b>x</b>" not in page
        assert "&lt;b&gt;x&lt;/b&gt;" in page

    def test_is_for_administrators_of_the_company(self, company):
        for name in ("maud", "bob"):
            assert company.client(name).get(HISTORY).status_code == 403
            assert company.client(name).get(EXPORT).status_code == 403
        assert "acme" not in text_of(company.client("charlie").get(HISTORY)).lower()


class TestTheFile:
    def read(self, answer) -> list[list[str]]:
        text = b"".join(answer).decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text), delimiter=";"))

    def test_holds_every_event_with_whole_lists(self, company):
        group = create_group(organisation=company.acme, name="Énergie", actor=company.alice, now=company.now)
        points = [str(30_001_480_000_000 + number) for number in range(8)]
        give(group=group, code="contracts", points=points, actor=company.alice, now=company.now)
        answer = company.client("alice").get(f"{EXPORT}?quoi=groupes")
        assert answer["Content-Disposition"].endswith('historique-111222337-2026-11-25.csv"')
        header, first, *others = self.read(answer)
        assert header[:2] == ["Quand (Europe/Paris)", "Par qui"]
        assert first[:5] == [
            "2026-11-25T10:30:00+01:00",
            "Alice",
            "ACME Industries",
            "Service donné au groupe «\xa0Énergie\xa0»",
            "Énergie",
        ]
        assert all(point in first[6] for point in points)
        assert first[7] == "group.service_given"
        assert len(others) > 5

    def test_takes_nothing_for_a_formula(self, company):
        create_group(
            organisation=company.acme, name='=cmd|" /C calc"!A0', actor=company.alice, now=company.now
        )
        _header, first, *_ = self.read(company.client("alice").get(EXPORT))
        assert first[4] == '\'=cmd|" /C calc"!A0'
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in first)


class TestTheDaysOfAReaderElsewhere:
    """The 25th in Martinique (UTC-4) is from 05:00 on the 25th to 05:00 on the 26th in Paris (UTC+1)."""

    at = MappingProxyType(
        {
            "25 nov. 2026 00:00": datetime(2026, 11, 25, 4, 0, tzinfo=UTC),
            "25 nov. 2026 23:59": datetime(2026, 11, 26, 3, 59, 59, 999999, tzinfo=UTC),
            "24 nov. 2026 23:59": datetime(2026, 11, 25, 3, 59, 59, 999999, tzinfo=UTC),
            "26 nov. 2026 00:00": datetime(2026, 11, 26, 4, 0, tzinfo=UTC),
        }
    )

    @pytest.fixture
    def alice(self, company):
        User.objects.filter(pk=company.alice.user_id).update(time_zone="America/Martinique")
        for at in self.at.values():
            record("moon.landed", subject=Subject("moon", "1", "Lune"), organisation=company.acme.pk, now=at)
        return company.client("alice")

    @pytest.mark.parametrize(
        ("asked", "days"),
        [
            ("du=2026-11-25&au=2026-11-25", {"25"}),
            ("du=2026-11-24&au=2026-11-24", {"24"}),
            ("du=2026-11-26", {"26"}),
            ("du=2026-11-25", {"25", "26"}),
            ("du=2026-11-24&au=2026-11-25", {"24", "25"}),
        ],
    )
    def test_hold_the_lines_that_show_them_and_no_other(self, alice, asked, days):
        shown = [
            row[:18] for row in rows(alice.get(f"{HISTORY}?{asked}&par_page=100")) if "moon.landed" in row
        ]
        assert sorted(shown) == sorted(said for said in self.at if said[:2] in days)
        assert all(row[:2] in days for row in rows(alice.get(f"{HISTORY}?{asked}&par_page=100")))

    def test_are_those_of_the_file_too(self, alice):
        answer = alice.get(f"{EXPORT}?du=2026-11-25&au=2026-11-25")
        header, *lines = TestTheFile().read(answer)
        assert header[0] == "Quand (America/Martinique)"
        told = [line[0] for line in lines if line[7] == "moon.landed"]
        assert told == ["2026-11-25T23:59:59-04:00", "2026-11-25T00:00:00-04:00"]
        assert all(line[0].startswith("2026-11-25T") for line in lines)

    def test_are_the_networks_for_a_reader_who_chose_no_clock(self, company, alice):
        User.objects.filter(pk=company.alice.user_id).update(time_zone="")
        alice = company.client("alice")
        shown = rows(alice.get(f"{HISTORY}?du=2026-11-26&au=2026-11-26&par_page=100"))
        assert [row[:18] for row in shown] == ["26 nov. 2026 05:00", "26 nov. 2026 04:59"]

    @pytest.mark.parametrize("zone", ["", "America/Martinique", "Pacific/Apia"])
    def test_may_be_any_that_the_calendar_has(self, company, alice, zone):
        User.objects.filter(pk=company.alice.user_id).update(time_zone=zone)
        alice = company.client("alice")
        everything = len(rows(alice.get(f"{HISTORY}?par_page=100")))
        for asked, found in (
            ("du=0001-01-01&au=9999-12-31", everything),
            ("du=2011-12-30", everything),
            ("du=2011-12-30&au=2011-12-30", 0),
            ("du=2200-12-31", 0),
            ("au=1900-01-01", 0),
            ("du=9999-12-31", everything),
            ("au=0001-01-01", everything),
        ):
            assert len(rows(alice.get(f"{HISTORY}?{asked}&par_page=100"))) == found


class TestWords:
    def test_every_action_that_is_recorded_has_a_sentence(self):
        """Wherever the source calls `record("object.verb", …)`, directly or through a module's own `_record`."""
        recorded = set()
        for path in PACKAGE.rglob("*.py"):
            recorded |= set(
                re.findall(r'record\w*\(\s*"([a-z_]+\.[a-z_]+)"', path.read_text(encoding="utf-8"))
            )
        assert len(recorded) > 20
        assert recorded - set(history_sentences.SENTENCES) == set()

    @pytest.mark.parametrize("action", history_sentences.SENTENCES)
    def test_every_sentence_has_a_family_and_both_languages(self, action):
        family = action.partition(".")[0]
        assert sum(family in families for _label, families in history_sentences.FAMILIES.values()) == 1
        french = str(history_sentences.SENTENCES[action])
        with override("en"):
            assert str(history_sentences.SENTENCES[action]) != french
