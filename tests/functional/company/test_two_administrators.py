"""Two colleagues have one page open: what the first saved is undone by nobody who has not read it."""

from datetime import date

import pytest

from gridgate.core.roles import Term
from gridgate.organisations.last_days import end_of
from gridgate.organisations.models import GroupMember, UserGroup
from gridgate.organisations.operations.groups import (
    date_place,
    rename_group,
    set_groups,
    set_members,
)
from gridgate.organisations.operations.members import update_member
from gridgate.organisations.operations.services import date_service, give, withdraw
from tests.factories.organisations import make_group, make_member
from tests.functional.company.conftest import hidden, text_of
from tests.functional.company.test_a_change_of_rights_is_read_first import group_page, user_page
from tests.handles import handle

CUT, LATER = date(2026, 12, 3), date(2026, 12, 15)
NOTHING = "Rien n’est encore enregistré Anne a enregistré autre chose depuis que vous avez ouvert cette page."


@pytest.fixture
def anne(company):
    return make_member(company.acme, "Anne", role="administrator", email="anne@acme.example")


@pytest.fixture
def alice(company):
    return company.client("alice")


class TestAPerson:
    @pytest.fixture(autouse=True)
    def _until(self, company):
        update_member(
            membership=company.bob, role="user", external=False, until=end_of(LATER), now=company.now
        )

    def _cut(self, company, anne):
        update_member(
            membership=company.membership("bob"),
            role="user",
            external=False,
            until=end_of(CUT),
            actor=anne,
            now=company.now,
        )

    def _form(self, page, company):
        groups = list(page.context["form"]["groups"].value())
        return {
            "role": "user",
            "external": "externe",
            "until": str(LATER),
            "groups": groups,
            "read": hidden(page, "read"),
        }

    def test_keeps_a_last_day_that_a_colleague_moved(self, company, alice, anne):
        at = user_page(company.bob)
        form = self._form(alice.get(at), company)
        self._cut(company, anne)
        page = alice.post(at, form)
        assert page.status_code == 409
        assert NOTHING in text_of(page)
        assert "Agit jusqu’au 3 décembre 2026" in text_of(page)
        assert company.membership("bob").until == end_of(CUT)
        assert not company.membership("bob").external
        assert 'value="2026-12-15"' in page.content.decode(), "what was typed stays"
        alice.post(at, {**form, "until": str(CUT), "read": hidden(page, "read")})
        assert company.membership("bob").external
        assert company.membership("bob").until == end_of(CUT)

    def test_keeps_the_groups_that_a_colleague_took_them_out_of(self, company, alice, anne):
        at = user_page(company.bob)
        form = self._form(alice.get(at), company)
        assert form["groups"]
        set_groups(membership=company.bob, groups=[], actor=anne, now=company.now)
        assert alice.post(at, form).status_code == 409
        assert not GroupMember.objects.filter(membership=company.bob).exists()

    def test_is_read_anew_even_where_something_else_is_wrong(self, company, alice, anne):
        """Otherwise what a colleague saved would pass for read once the error is mended."""
        at = user_page(company.bob)
        form = self._form(alice.get(at), company)
        self._cut(company, anne)
        assert alice.post(at, {**form, "until": "2026-01-01"}).status_code == 409


class TestTheMembersOfAGroup:
    def test_are_changed_by_what_the_form_changed_alone(self, company, alice, anne):
        dan, eve = make_member(company.acme, "Dan"), make_member(company.acme, "Eve")
        group = make_group(company.acme, "Deux", [dan, company.bob], {})
        at = group_page(group, "membres/")
        page = alice.get(at)
        form = {name: hidden(page, name) for name in ("had", "chosen", "shown", "view", "page")}
        rows = {row.item.pk: row.key for row in page.context["chooser"].rows}
        set_members(group=group, members=[company.bob, eve], actor=anne, now=company.now)
        alice.post(
            at, {**form, "pick": [rows[dan.pk], rows[company.bob.pk], rows[company.maud.pk]], "do": "save"}
        )
        there = set(group.members.values_list("membership", flat=True))
        assert there == {company.bob.pk, eve.pk, company.maud.pk}


class TestAGroup:
    def test_keeps_the_name_that_a_colleague_gave_it(self, company, alice, anne):
        at = group_page(company.lyon, "renommer/")
        read = hidden(alice.get(at), "read")
        rename_group(group=company.lyon, name="Lyon Gerland", actor=anne, now=company.now)
        page = alice.post(at, {"name": "Lyon et environs", "read": read})
        assert page.status_code == 409
        assert f"{NOTHING} Ce que vous aviez saisi est dans le formulaire" in text_of(page)
        assert "Nom du groupe Lyon Gerland" in text_of(page)
        assert UserGroup.objects.get(pk=company.lyon.pk).name == "Lyon Gerland"
        alice.post(at, {"name": "Lyon et environs", "read": hidden(page, "read")})
        assert UserGroup.objects.get(pk=company.lyon.pk).name == "Lyon et environs"

    @pytest.mark.parametrize("do", ["", "search"])
    def test_keeps_the_points_that_a_colleague_chose(self, company, alice, anne, do):
        at = group_page(company.lyon, "perimetre/measurements/")
        page = alice.get(at)
        wide = {"chosen": f"{company.p1.pk} {company.p2.pk} {company.p4.pk}", "scope": "some"}
        form = {**wide, "read": hidden(page, "read")}
        give(group=company.lyon, code="measurements", points=[company.p1.pk], actor=anne, now=company.now)
        if do:  # looking for a point is not reading what is saved
            form["read"] = hidden(alice.post(at, {**form, "do": do}), "read")
        page = alice.post(at, {**form, "do": "save"})
        assert page.status_code == 409
        assert NOTHING in text_of(page)
        assert "Visualiser les mesures 1 point" in text_of(page)
        points = company.lyon.entitlements.get(code="measurements").perimeter
        assert points.count() == 1
        alice.post(at, {**form, "read": hidden(page, "read"), "do": "save"})
        assert points.count() == 3

    def test_is_not_given_again_what_a_colleague_withdrew(self, company, alice, anne):
        at = group_page(company.lyon, "perimetre/measurements/")
        read = hidden(alice.get(at), "read")
        withdraw(group=company.lyon, code="measurements", actor=anne, now=company.now)
        page = alice.post(at, {"chosen": company.p1.pk, "scope": "some", "read": read, "do": "save"})
        assert page.status_code == 409
        assert "Visualiser les mesures le groupe ne l’a plus" in text_of(page)
        assert not company.lyon.entitlements.filter(code="measurements").exists()


class TestDates:
    def test_of_a_service_stay_as_a_colleague_set_them(self, company, alice, anne):
        at = group_page(company.lyon, "services/measurements/dates/")
        read = hidden(alice.get(at), "read")
        cut = Term(None, end_of(CUT))
        date_service(group=company.lyon, code="measurements", term=cut, actor=anne, now=company.now)
        page = alice.post(at, {"first": "", "last": str(LATER), "read": read})
        assert page.status_code == 409
        assert NOTHING in text_of(page)
        assert company.lyon.entitlements.get(code="measurements").term == cut
        alice.post(at, {"first": "", "last": str(LATER), "read": hidden(page, "read")})
        assert company.lyon.entitlements.get(code="measurements").term == Term(None, end_of(LATER))

    def test_of_a_place_stay_as_a_colleague_set_them(self, company, alice, anne):
        at = group_page(company.lyon, f"membres/{handle(company.bob)}/dates/")
        read = hidden(alice.get(at), "read")
        cut = Term(None, end_of(CUT))
        date_place(group=company.lyon, membership=company.bob, term=cut, actor=anne, now=company.now)
        assert alice.post(at, {"first": "", "last": "", "read": read}).status_code == 409
        assert company.lyon.members.get(membership=company.bob).term == cut
