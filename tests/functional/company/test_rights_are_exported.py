"""The list of who may do what on which point."""

import csv
import io
from datetime import date

from gridgate.core.roles import Term
from gridgate.metering.models import TitleHolding
from gridgate.metering.rights import explain
from gridgate.organisations.catalogue import BY_CODE, offered_to
from gridgate.organisations.last_days import end_of
from gridgate.organisations.models import Membership
from tests.factories.organisations import make_group, make_member

EXPORT = "/administration/services/droits.csv"


def lines(client) -> list[dict[str, str]]:
    content = b"".join(client.get(EXPORT).streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content), delimiter=";"))


def test_each_person_service_and_point_is_a_line_exactly_when_it_is_allowed(company):
    points = sorted(
        set(TitleHolding.objects.filter(holder=company.acme).values_list("metering_point", flat=True))
    )
    make_group(company.acme, "Deux", [company.bob], {"measurements": points[:1], "invoices": None})
    make_group(company.acme, "Trois", [company.bob, company.maud], {"measurements": points[-1:]})
    said = {
        (one["Adresse e-mail"], one["Service"], one["Point de comptage"])
        for one in lines(company.client("alice"))
    }
    for member in Membership.objects.filter(organisation=company.acme, ended_at=None):
        for entry in offered_to(company.acme.beneficiary_roles):
            for point in points if BY_CODE[entry.code].by_point else [None]:
                allowed = explain(member=member, service=entry.code, point=point).allowed
                assert ((member.user.email, str(entry.label), point or "") in said) == allowed, (
                    member,
                    entry.code,
                )


def test_says_by_what_and_whether_for_points_to_come(company):
    point = TitleHolding.objects.filter(holder=company.acme).values_list("metering_point", flat=True)[0]
    make_group(company.acme, "Deux", [company.bob], {"measurements": [point]})
    found = {
        (one["Personne"], one["Service"]): (
            one["Point de comptage"],
            one["Points à venir"],
            one["Accordé par"],
        )
        for one in lines(company.client("alice"))
        if one["Point de comptage"] in (point, "")
    }
    measurements, users = str(BY_CODE["measurements"].label), str(BY_CODE["users"].label)
    assert found["Alice", measurements] == (point, "oui", "administrateur")
    assert found["Bob", measurements] == (point, "non", "par Deux, Site de Lyon")
    assert found["Maud", users] == ("", "", "par Accueil")


def test_what_is_had_otherwise_from_a_day_on_is_a_line_of_its_own(company):
    """Open to all until a group has it on some points: from then on by the group, on those alone."""
    begins, ends = end_of(date(2026, 12, 2)), end_of(date(2026, 12, 31))
    kept = company.p1.pk
    terms = {"contracts": Term(begins, ends)}
    make_group(company.acme, "Agence", [company.maud], {"contracts": [kept]}, terms)
    found = [
        tuple(
            one[name]
            for name in ("Point de comptage", "Points à venir", "Accordé par", "À partir du", "Jusqu’au")
        )
        for one in lines(company.client("alice"))
        if one["Personne"] == "Maud" and one["Service"] == str(BY_CODE["contracts"].label)
    ]
    assert len(found) == 5, "four points now, one of them later too"
    assert {line[1:] for line in found if line[0] != kept} == {
        ("oui", "ouvert à tous les utilisateurs", "", "2026-12-02")
    }
    assert [line for line in found if line[0] == kept] == [
        (kept, "oui", "ouvert à tous les utilisateurs", "", "2026-12-02"),
        (kept, "non", "par Agence", "2026-12-03", "2026-12-31"),
    ]


def test_is_in_the_readers_language_and_no_formula(company):
    make_member(company.acme, "=2+2", email="calcul@acme.example")
    client = company.client("alice")
    client.cookies["django_language"] = "en"
    found = lines(client)
    assert {one["Granted by"] for one in found if one["Person"] == "Alice"} == {"administrator"}
    assert {one["Person"] for one in found if one["E-mail address"] == "calcul@acme.example"} == {"'=2+2"}


def test_is_for_administrators(company):
    assert company.client("maud").get(EXPORT).status_code == 403
