"""A service given, and a place in a group had, from a day until a day: by forms, read first, told where it counts."""

from datetime import date, datetime, timedelta

import pytest
from django.utils import timezone

from gridgate.audit.models import AuditEvent
from gridgate.core.roles import Term
from gridgate.core.time import civil_day_bounds, civil_day_of
from gridgate.organisations.models import Entitlement, GroupMember, PerimeterPoint
from gridgate.portal.kit import formats
from tests.factories.organisations import make_group
from tests.functional.company.conftest import hidden, read_and_confirmed, text_of
from tests.functional.company.test_a_change_of_rights_is_read_first import group_page, user_page
from tests.functional.company.test_rights_are_exported import lines
from tests.handles import handle

MEASURES, INVOICES = "Visualiser les mesures", "Consulter les factures"


@pytest.fixture
def alice(company):
    return company.client("alice")


def day(number: int) -> date:
    """From today on, where the operator is."""
    return civil_day_of(timezone.now(), timezone.get_default_timezone()) + timedelta(days=number)


def plain(on: date) -> str:
    """As pages write it, with plain spaces."""
    return formats.day(on, "fr").replace("\u00a0", " ")


def days(first: int | None, last: int | None) -> dict[str, str]:
    return {
        "first": "" if first is None else day(first).isoformat(),
        "last": "" if last is None else day(last).isoformat(),
    }


def term(first: int | None, last: int | None) -> Term:
    """From the beginning of a day until the end of a day."""
    zone = timezone.get_default_timezone()
    begins = None if first is None else civil_day_bounds(day(first), zone).start
    ends = None if last is None else civil_day_bounds(day(last), zone).end
    return Term(begins, ends)


def over(rows) -> datetime:
    """What was until yesterday."""
    ends = term(None, -1).ends
    assert rows.update(valid_until=ends)
    return ends


class TestAPlaceInAGroup:
    def test_is_given_from_a_day_until_a_day_with_the_members(self, company, alice):
        """Bob replaces Alice from 1 to 15 August."""
        holidays = make_group(company.acme, "Congés", [], {"invoices": None})
        form = {"chosen": handle(company.bob), "do": "save", **days(3, 17)}
        alice.post(group_page(holidays, "membres/"), form)
        place = holidays.members.get()
        assert place.term == term(3, 17)
        assert not company.membership("bob").has("invoices")
        said = text_of(alice.get(group_page(holidays, "")))
        assert f"du {plain(day(3))} au {plain(day(17))} inclus" in said
        event = AuditEvent.objects.filter(action="group.members_changed").latest("pk")
        assert (event.after["valid_from"], event.after["valid_to"]) == (str(day(3)), str(day(18)))

    def test_is_changed_after_reading_who_loses_what_then(self, company, alice):
        address = group_page(company.lyon, f"membres/{handle(company.bob)}/dates/")
        page = alice.post(address, days(None, 5))
        said = text_of(page)
        assert f"Après le {plain(day(5))}" in said
        assert "Bob perd « Visualiser les mesures »" in said
        assert "Dès maintenant" not in said
        answer = read_and_confirmed(alice, address, days(None, 5), follow=True)
        assert f"jusqu’au {plain(day(5))} inclus" in text_of(answer)
        assert company.lyon.members.get(membership=company.bob).term == term(None, 5)
        assert f"jusqu’au {plain(day(5))} inclus" in text_of(alice.get(user_page(company.bob)))
        history = text_of(alice.get("/administration/historique/"))
        assert "Dates d’un membre du groupe « Site de Lyon » modifiées" in history

    def test_that_ends_after_the_person_has_left_takes_nothing_from_them(self, company, alice):
        company.acme.memberships.filter(pk=company.bob.pk).update(until=term(None, 5).ends)
        address = group_page(company.lyon, f"membres/{handle(company.bob)}/dates/")
        assert alice.post(address, days(None, 10)).status_code == 302
        assert company.lyon.members.get(membership=company.bob).term == term(None, 10)

    def test_that_would_last_longer_than_the_person_says_which_day_rules(self, company, alice):
        company.acme.memberships.filter(pk=company.bob.pk).update(until=term(None, 5).ends)
        shorter = f"jusqu’au {plain(day(5))} inclus, dernier jour de la personne"
        address = group_page(company.lyon, f"membres/{handle(company.bob)}/dates/")
        assert f"enregistrées : {shorter}" in text_of(alice.post(address, days(None, 10), follow=True))
        for page in (group_page(company.lyon, ""), user_page(company.bob), address):
            assert shorter in text_of(alice.get(page)), page
        assert f"Site de Lyon ({shorter})" in text_of(alice.get("/administration/utilisateurs/"))
        first = {"chosen": handle(company.bob), "do": "save"}
        late, never = (make_group(company.acme, name, [], {}) for name in ("Tard", "Jamais"))
        said = text_of(alice.post(group_page(late, "membres/"), first | days(None, 10), follow=True))
        assert f"Finit avant, au dernier jour de la personne : Bob ({plain(day(5))})." in said
        said = text_of(alice.post(group_page(never, "membres/"), first | days(8, 10), follow=True))
        assert f"Sans effet, après le dernier jour de la personne : Bob ({plain(day(5))})." in said
        assert "inclus, après le dernier jour de la personne" in text_of(alice.get(group_page(never, "")))

    def test_gives_nothing_once_it_is_over_and_says_so(self, company, alice):
        assert company.membership("bob").has("measurements")
        over(GroupMember.objects.filter(group=company.lyon, membership=company.bob))
        assert not company.membership("bob").has("measurements")
        said = text_of(alice.get(f"/administration/verifier/?qui={company.bob.user.email}"))
        assert f"par Site de Lyon, mais seulement jusqu’au {plain(day(-1))}" in said

    def test_keeps_its_dates_when_others_come_and_go(self, company, alice):
        places = company.lyon.members.filter(membership=company.bob)
        places.update(valid_until=term(None, 5).ends)
        chosen = f"{handle(company.bob)} {handle(company.maud)}"
        form = {"chosen": chosen, "do": "save"}
        alice.post(group_page(company.lyon, "membres/"), form)
        alice.post(group_page(company.lyon, "perimetre/measurements/"), {"scope": "all", "do": "save"})
        assert places.get().term == term(None, 5)
        assert company.lyon.members.get(membership=company.maud).term == Term()

    def test_that_is_over_is_not_ticked_and_choosing_its_member_again_gives_a_new_one(self, company, alice):
        ended = over(GroupMember.objects.filter(group=company.lyon, membership=company.bob))
        later = make_group(company.acme, "Relève", [company.bob], {})
        later.members.update(valid_from=term(3, None).begins)
        address, gone = group_page(company.lyon, "membres/"), f"fini le {plain(day(-1))}"
        for page in (address, group_page(company.lyon, ""), "/administration/utilisateurs/"):
            assert gone in text_of(alice.get(page)), page
        assert hidden(alice.get(address), "chosen") == ""
        assert f"dès le {plain(day(3))}" in text_of(alice.get(group_page(later, "membres/")))
        assert hidden(alice.get(group_page(later, "membres/")), "chosen") == handle(company.bob)
        assert "0 membre " in text_of(alice.get(group_page(company.lyon, "")))

        alice.post(address, {"chosen": handle(company.maud), "do": "save"})
        assert company.lyon.members.get(membership=company.bob).term.ends == ended
        chosen = f"{handle(company.bob)} {handle(company.maud)}"
        alice.post(address, {"chosen": chosen, "do": "save", **days(None, 5)})
        assert company.lyon.members.get(membership=company.bob).term == term(None, 5)
        assert company.membership("bob").has("measurements")
        event = AuditEvent.objects.filter(action="group.members_changed").latest("pk")
        assert event.before["members"] == [company.maud.user.email]
        assert event.before["place_terms"] == {company.bob.user.email: {"valid_to": str(day(0))}}
        assert event.after["valid_to"] == str(day(6))

    def test_that_is_over_comes_back_from_the_persons_page_when_ticked_there(self, company, alice):
        over(GroupMember.objects.filter(group=company.lyon, membership=company.bob))
        assert (
            " checked" not in alice.get(user_page(company.bob)).content.decode().split('name="groups"', 1)[1]
        )
        alice.post(user_page(company.bob), {"role": "user", "external": "", "groups": [handle(company.lyon)]})
        assert company.lyon.members.get(membership=company.bob).term == Term()

    def test_counts_in_the_list_of_users_of_its_group_while_it_holds(self, company, alice):
        make_group(company.acme, "Autre", [company.bob], {})
        address = f"/administration/utilisateurs/?groupe={handle(company.lyon)}"
        places = company.lyon.members.filter(membership=company.bob)
        assert "Bob bob@acme.example" in text_of(alice.get(address))
        for dates in (
            {"valid_until": term(None, -1).ends},
            {"valid_until": None, "valid_from": term(3, None).begins},
        ):
            places.update(**dates)
            said = text_of(alice.get(address))
            assert "Bob bob@acme.example" not in said
            assert "1 autre personne a dans ce groupe une place finie ou à venir" in said
            assert "autre personne" not in text_of(alice.get(f"{address}&q=maud"))
        exported = b"".join(alice.get(address.replace("?", "export.csv?")).streaming_content)
        assert b"bob@acme.example" not in exported

    def test_has_its_dates_on_ones_own_account(self, company, alice):
        company.lyon.members.filter(membership=company.bob).update(valid_until=term(None, 5).ends)
        bob = company.client("bob")
        for page in ("/compte/", "/compte/entreprise/"):
            assert f"Site de Lyon : jusqu’au {plain(day(5))} inclus" in text_of(bob.get(page))
        over(GroupMember.objects.filter(group=company.lyon, membership=company.bob))
        assert f"Site de Lyon : fini le {plain(day(-1))}" in text_of(bob.get("/compte/"))
        assert "aucun groupe" in text_of(bob.get("/compte/"))

    def test_of_an_administrator_is_not_a_user_managers_to_change(self, company):
        company.lyon.members.create(membership=company.alice)
        address = group_page(company.lyon, f"membres/{handle(company.alice)}/dates/")
        assert company.client("maud").post(address, days(None, 5)).status_code == 403
        own = group_page(company.reception, f"membres/{handle(company.maud)}/dates/")
        assert company.client("maud").post(own, days(None, None)).status_code == 403
        absent = group_page(company.reception, f"membres/{handle(company.bob)}/dates/")
        assert company.client("alice").get(absent).status_code == 404


class TestAService:
    def test_is_given_from_a_day_on_and_reserved_no_earlier(self, company, alice):
        address = group_page(company.lyon, "services/invoices/dates/")
        page = alice.post(address, days(10, None))
        said = text_of(page)
        assert f"À partir du {plain(day(10))}" in said
        assert "Agathe et 1 autre perdent « Consulter les factures »." in said
        alice.post(address, {**days(10, None), "seen": hidden(page, "seen")})
        assert company.lyon.entitlements.get(code="invoices").term == term(10, None)
        assert company.acme_user.has("invoices")
        page = text_of(alice.get(group_page(company.lyon, "")))
        assert f"Pas encore dès le {plain(day(10))}" in page
        for table in (page, text_of(alice.get("/administration/services/"))):
            assert f"Tous les utilisateurs jusqu’au {plain(day(9))} inclus" in table
        history = text_of(alice.get("/administration/historique/"))
        assert f"Service : Consulter les factures Début : {plain(day(10))}" in history, "it is by no point"
        why = text_of(alice.get(f"/administration/verifier/?qui={company.acme_user.user.email}"))
        assert f"ouvert à tous les utilisateurs, jusqu’au {plain(day(9))} inclus" in why
        why = text_of(alice.get(f"/administration/verifier/?qui={company.bob.user.email}"))
        assert f"jusqu’au {plain(day(9))} inclus ; puis par Site de Lyon à partir du {plain(day(10))}" in why

    def test_stays_reserved_after_its_end_and_administrators_decide(self, company, alice):
        ended = make_group(company.acme, "Factures", [company.bob], {"invoices": None})
        over(ended.entitlements.all())
        assert not company.membership("bob").has("invoices")
        assert not company.acme_user.has("invoices")
        home = text_of(alice.get("/"))
        assert "« Consulter les factures » n’est plus à aucun utilisateur" in home
        page = text_of(alice.get(group_page(ended, "")))
        assert f"Fini fini le {plain(day(-1))}" in page
        assert "Il reste réservé : donnez d’autres dates, ou retirez-le." in page
        matrix = text_of(alice.get("/administration/services/"))
        assert "à prolonger ou retirer" in matrix
        for table in (page, matrix):
            assert f"Réservé, à aucun groupe fini le {plain(day(-1))}" in table
        alice.post(group_page(ended, "services/invoices/dates/"), days(None, 30))
        assert company.membership("bob").has("invoices")
        assert "n’est plus à aucun utilisateur" not in text_of(alice.get("/"))

    def test_by_point_is_given_with_its_points_and_its_dates(self, company, alice):
        form = {"scope": "all", "do": "save", **days(2, 4)}
        address = group_page(company.seat, "perimetre/contracts/")
        read_and_confirmed(alice, address, form)
        assert company.seat.entitlements.get(code="contracts").term == term(2, 4)
        answer = alice.get(group_page(company.seat, "services/alerts/dates/"))
        assert answer["Location"] == group_page(company.seat, "perimetre/alerts/")

    def test_that_ends_soon_is_told_to_administrators_alone(self, company, alice):
        company.lyon.entitlements.filter(code="measurements").update(valid_until=term(None, 13).ends)
        company.lyon.members.filter(membership=company.bob).update(valid_until=term(None, 5).ends)
        said = text_of(alice.get("/"))
        assert "Le droit de Site de Lyon à « Visualiser les mesures » finit bientôt" in said
        assert "Bob quitte bientôt le groupe « Site de Lyon »" in said
        assert "finit bientôt" not in text_of(company.client("bob").get("/"))

    def test_is_exported_with_its_last_day(self, company, alice):
        company.lyon.entitlements.filter(code="measurements").update(valid_until=term(None, 13).ends)
        found = {
            one["Jusqu’au"] for one in lines(alice) if (one["Personne"], one["Service"]) == ("Bob", MEASURES)
        }
        assert found == {day(13).isoformat()}
        assert {one["Jusqu’au"] for one in lines(alice) if one["Personne"] == "Alice"} == {""}

    def test_is_exported_from_its_first_day_on_and_point_by_point(self, company, alice):
        """Bob has one point until the 13th; from the 5th on he is in a group that has all, until the 20th."""
        points = {
            one.metering_point_id for one in PerimeterPoint.objects.filter(entitlement__group=company.lyon)
        }
        company.lyon.entitlements.filter(code="measurements").update(valid_until=term(None, 13).ends)
        wide = make_group(company.acme, "Partout", [company.bob], {"measurements": None, "users": None})
        wide.members.update(valid_from=term(5, None).begins)
        wide.entitlements.update(valid_until=term(None, 20).ends)
        found: dict[tuple[str, str], list[tuple[str, ...]]] = {}
        for one in lines(alice):
            if one["Personne"] == "Bob":
                said = tuple(
                    one[name] for name in ("À partir du", "Jusqu’au", "Points à venir", "Accordé par")
                )
                found.setdefault((one["Service"], one["Point de comptage"]), []).append(said)
        began, first, until, last = (day(number).isoformat() for number in (4, 5, 13, 20))
        wider = [
            (first, until, "oui", "par Partout, Site de Lyon"),
            (day(14).isoformat(), last, "oui", "par Partout"),
        ]
        others = {point for service, point in found if service == MEASURES} - points
        assert others
        for point in points:
            assert found[MEASURES, point] == [("", began, "non", "par Site de Lyon"), *wider]
        for point in others:
            assert found[MEASURES, point] == wider
        assert found["Gestion des utilisateurs", ""] == [(first, last, "", "par Partout")]

    def test_to_come_is_marked_where_one_checks_an_access(self, company, alice):
        later = make_group(company.acme, "Relève", [company.bob], {"users": None, "measurements": None})
        later.members.update(valid_from=term(5, None).begins)
        said = text_of(alice.get("/administration/verifier/?qui=bob"))
        begins = f"partir du {plain(day(5))}"
        assert f"À {begins} par Relève, à {begins}" in said
        assert f"par Site de Lyon ; aussi par Relève à {begins}" in said

    def test_that_begins_after_another_reason_ends_is_told_after_it(self, company, alice):
        """Open to all until another group has it, then hers alone, on two points, for some days."""
        make_group(company.acme, "Première", [], {"contracts": None}, {"contracts": term(2, None)})
        points = [company.p1.pk, company.p2.pk]
        make_group(
            company.acme, "Énergie & Co", [company.maud], {"contracts": points}, {"contracts": term(5, 10)}
        )
        said = text_of(alice.get("/administration/verifier/?qui=maud"))
        assert (
            f"ouvert à tous les utilisateurs, jusqu’au {plain(day(1))} inclus ; puis par Énergie &amp; Co, sur 2 points,"
            f" du {plain(day(5))} au {plain(day(10))} inclus"
        ) in said

    def test_that_goes_on_by_another_group_is_told_with_the_end_of_each(self, company, alice):
        make_group(company.acme, "Relève", [company.maud], {"contracts": None}, {"contracts": term(3, 10)})
        said = text_of(alice.get("/administration/verifier/?qui=maud"))
        assert (
            f"ouvert à tous les utilisateurs, jusqu’au {plain(day(2))} inclus ; puis par Relève"
            f" du {plain(day(3))} au {plain(day(10))} inclus"
        ) in said

    def test_of_a_group_that_is_deleted_leaves_its_dates_in_the_history(self, company, alice):
        gone = make_group(company.acme, "Éphémère", [], {"invoices": None}, {"invoices": term(3, 4)})
        page = alice.post(group_page(gone, "supprimer/"))
        alice.post(group_page(gone, "supprimer/"), {"seen": hidden(page, "seen")})
        said = text_of(alice.get("/administration/historique/"))
        assert f"{INVOICES} (du {plain(day(3))} au {plain(day(4))} inclus)" in said


def test_what_somebody_loses_is_told_once_on_the_day_they_lose_it(company, alice):
    """Bob, who is detached, has the service by a group now, and on all points by another from the 5th day on."""
    wide = make_group(company.acme, "Partout", [company.bob], {"measurements": None})
    wide.members.update(valid_from=term(5, None).begins)
    make_group(company.acme, "Autres", [], {"measurements": None}, {"measurements": term(8, 9)})
    said = text_of(alice.get(user_page(company.bob, "detacher/")))
    now, _heading, later = said.partition(f"À partir du {plain(day(5))}")
    assert now.count("Visualiser les mesures Bob perd « Visualiser les mesures » sur 2 points.") == 1
    assert (
        "Visualiser les mesures Bob perd « Visualiser les mesures » sur 2 points et sur ceux à venir."
        in later
    )
    assert plain(day(8)) not in later
    assert "Comme sans ce changement" not in later


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (5, 4, "Le dernier jour vient avant le premier."),
        (None, -1, "Ce jour est passé. Choisissez un jour à venir."),
        (-1, None, "Ce jour est passé. Laissez vide pour commencer dès maintenant."),
    ],
)
def test_dates_that_will_not_do_are_refused_in_words_and_stay_in_the_form(company, alice, first, last, said):
    addresses = {
        "services/invoices/dates/": {},
        f"membres/{handle(company.bob)}/dates/": {},
        "membres/": {"chosen": handle(company.bob), "do": "save"},
        "perimetre/contracts/": {"scope": "all", "do": "save"},
    }
    for address, form in addresses.items():
        answer = alice.post(group_page(company.lyon, address), {**form, **days(first, last)})
        assert answer.status_code == 422, address
        assert said in text_of(answer)
        for typed in filter(None, days(first, last).values()):
            assert f'value="{typed}"' in answer.content.decode()
    assert not Entitlement.objects.exclude(valid_from=None, valid_until=None).exists()
    assert not GroupMember.objects.exclude(valid_from=None, valid_until=None).exists()


def test_what_is_past_may_stay_as_it_is(company, alice):
    """An end that was yesterday is not typed anew when nothing is changed, and is taken away to give again."""
    rows = company.lyon.members.filter(membership=company.bob)
    over(rows)
    address = group_page(company.lyon, f"membres/{handle(company.bob)}/dates/")
    assert alice.post(address, days(None, -1)).status_code == 302
    assert rows.get().term == term(None, -1)
    assert alice.post(address, days(None, None)).status_code == 302
    assert rows.get().term == Term()


class TestWhenItHolds:
    """A page, and the message after it, promise nothing for today of what begins later."""

    AT_ONCE = "le changement vaut dès la page suivante de chacun"

    def test_a_service_given_from_a_day_on_will_be_had(self, company):
        for language, said in (
            ("fr", f"Nord aura « {MEASURES} » sur 1 point, à partir du {plain(day(5))}."),
            ("en", f"South will have “View measurements” on 1 point, from {formats.day(day(5), 'en')} on."),
        ):
            client = company.client("alice", language=language)
            group = make_group(company.acme, "Nord" if language == "fr" else "South", [], {})
            form = {"scope": "some", "chosen": company.p1.pk, "do": "save", **days(5, None)}
            told = text_of(client.post(group_page(group, "perimetre/measurements/"), form, follow=True))
            assert said.replace("\u00a0", " ") in told

    def test_what_begins_later_is_not_said_to_hold_at_once(self, company, alice):
        later = make_group(
            company.acme, "Relève", [company.bob], {"contracts": None}, {"contracts": term(5, None)}
        )
        form = {"cell": [], "had": f"{handle(later)}:contracts"}
        told = text_of(alice.post("/administration/services/", form))
        assert "Rien n’est encore enregistré." in told
        assert self.AT_ONCE not in told

    def test_dates_to_come_are_not_those_of_today(self, company, alice):
        later = make_group(company.acme, "Relève", [], {"contracts": None}, {"contracts": term(5, 9)})
        told = text_of(alice.get(group_page(later, "services/contracts/dates/")))
        assert f"Dates enregistrées : du {plain(day(5))} au {plain(day(9))} inclus." in told

    def test_a_last_day_is_not_said_to_hold_at_once(self, company, alice):
        form = {"role": "user", "external": "", "until": day(5).isoformat()}
        told = text_of(alice.post(user_page(company.maud), form))
        assert "n’agira plus pour ACME" in told
        assert self.AT_ONCE not in told

    def test_a_service_that_is_not_given_yet_is_had_by_no_member(self, company, alice):
        group = make_group(company.acme, "Vide", [], {})
        told = text_of(alice.get(group_page(group, "perimetre/measurements/")))
        assert "Les points sur lesquels donner ce service au groupe. Il n’a aucun membre." in told
