"""How states, ends, periods and refusals are said."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.sharing import PermissionState
from gridgate.metering.models import TitleHolding
from gridgate.metering.operations.titles import close_holding
from gridgate.organisations.handles import handle_of
from gridgate.portal.screens.journal import entry_texts
from gridgate.portal.screens.sharing import lifecycle, refusals, service_data
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.portal.screens.sharing.reads import reads_chart
from gridgate.portal.screens.sharing.tiles import expires, tile, unusual
from gridgate.portal.screens.sharing.timeline import steps
from gridgate.sharing.models import Permission
from gridgate.sharing.operations.durations import InvalidEnd
from gridgate.sharing.operations.granting import LoadCurveOpposed, NoPoints, subscribe
from gridgate.sharing.operations.pausing import suspend
from gridgate.sharing.operations.requesting import RequestClosed
from gridgate.sharing.queries.companies import companies_reading
from tests.factories.sharing import make_service
from tests.functional.confirming import hidden_in
from tests.functional.partage.test_who_reads_our_data import text_of

PARIS = ZoneInfo("Europe/Paris")
MOMENT = Moment(datetime(2026, 11, 25, 9, 30, tzinfo=UTC), PARIS)
DAYS = MOMENT.last_days(30)


def plain(text):
    return text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2026-11-23T23:00", "2026-11-24T23:00", "24 nov. 2026"),
        ("2026-11-17T23:00", "2026-11-24T23:00", "18 – 24 nov. 2026"),
        ("2026-10-25T23:00", "2026-11-24T23:00", "26 oct. – 24 nov. 2026"),
        ("2025-12-30T23:00", "2026-01-02T23:00", "31 déc. 2025 – 2 janv. 2026"),
        ("2026-11-24T13:00", "2026-11-24T13:10", "24 nov. 2026, 14:00 – 14:10"),
        ("2026-11-23T13:00", "2026-11-24T13:10", "23 nov. 2026 14:00 – 24 nov. 2026 14:10"),
        (None, None, "–"),
    ],
)
def test_a_period_read_is_short(start, end, said):
    instants = [text and datetime.fromisoformat(f"{text}+00:00") for text in (start, end)]
    assert plain(entry_texts.period(*instants, PARIS)) == said


@pytest.mark.parametrize(
    ("entry", "ground"),
    [
        ({"outcome": "granted", "basis": "title"}, "Titulaire"),
        ({"outcome": "granted", "basis": "operator"}, "Commande du gestionnaire de réseau"),
        ({"outcome": "granted", "basis": ""}, "Non précisé"),
        ({"outcome": "granted", "permission": "abcdef12-3456"}, "Une autorisation que vous ne voyez pas"),
        ({"outcome": "before_history"}, "Hors historique autorisé"),
        ({"outcome": "quota_reached"}, "quota reached"),
    ],
)
def test_the_ground_of_an_entry(entry, ground):
    whole = {"permission": "", "basis": ""} | entry
    assert entry_texts.ground(SimpleNamespace(**whole), {}) == ground


def test_what_the_operator_reads_at_the_command_line_is_no_program_withdrawn():
    assert entry_texts.program("gridgate export", {}) == "une commande du gestionnaire de réseau"
    assert entry_texts.program("a-program-that-is-gone", {}) == "un programme retiré"


def test_other_facades_have_their_own_name():
    assert entry_texts.channel("api:espi") == "API, espi"


@pytest.mark.parametrize(
    ("days", "said"), [(0, "Expire aujourd’hui"), (1, "Expire dans 1 jour"), (23, "Expire dans 23 jours")]
)
def test_days_left_are_civil_days(days, said):
    assert plain(expires(MOMENT.end_of(MOMENT.today + timedelta(days=days)), MOMENT)) == said


def test_midnight_ends_the_day_before():
    assert MOMENT.last_day_before(datetime(2026, 12, 10, 23, tzinfo=UTC)) == date(2026, 12, 10)


@pytest.mark.parametrize(
    ("state", "by", "said"),
    [
        (PermissionState.REVOKED, "Alice", "Résilié par Alice"),
        (PermissionState.REVOKED, "", "Résilié"),
        (PermissionState.FULFILLED, "", "Terminé"),
        (PermissionState.ACTIVE, "Alice", "Arrivé à échéance"),
    ],
)
def test_an_end_in_a_few_words(state, by, said):
    assert lifecycle.ending(Permission(state=state), by) == said


def test_steps_and_kinds():
    assert (service_data.step(0), plain(service_data.step(1800)), service_data.step(86400)) == (
        "",
        "30 min",
        "par jour",
    )
    assert (service_data.kind("load_curve"), service_data.kind("foreign")) == ("Courbe de charge", "foreign")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LoadCurveOpposed(), "n’est pas collectée"),
        (InvalidEnd("", remedy=""), "La fin doit être à venir"),
        (NoPoints(), "Choisissez-en au moins un"),
        (RequestClosed("refused"), "a déjà reçu une réponse"),
        (GridgateError(ErrorKind.CONFLICT, "something else"), "something else"),
    ],
)
def test_a_refusal_names_the_cause_and_the_remedy(error, said):
    assert said in refusals.refusal(error)


@pytest.mark.parametrize(
    ("back", "when"), [(0, "aujourd’hui, 25 novembre"), (1, "hier, 24 novembre"), (9, "le 16 novembre")]
)
def test_an_unusual_day_is_placed(back, when):
    counts = [5] * 30
    counts[29 - back] = 60
    found = unusual(counts, DAYS)
    assert (plain(found.when), found.count, found.usual) == (when, 60, 5)
    assert f"60 le {found.on.day}" in plain(reads_chart(counts, DAYS).bars.mark.text)


def test_a_suspended_company_and_one_with_many_ends(world):
    services = [make_service(world.third_party_1, f"Service {number}") for number in range(3)]
    ends = [world.now + timedelta(days=days) for days in (100, 200)]
    for service, end in zip(services, [*ends, None], strict=True):
        service.purpose = service.name
        service.save()
        subscribe(actor=world.alice, service=service, points=[world.p1.pk], valid_until=end, now=world.now)
    moment = Moment(world.now, PARIS)

    def shown():
        (company,) = companies_reading(actor=world.alice, now=world.now, today=moment.today, days=[])
        return tile(company, held=4, restricted=False, days=[], moment=moment)

    assert plain(shown().until) == "5 mars 2027 au plus tôt, 24 novembre 2027 au plus tard"
    assert plain(shown().why) == "Service 0 · Service 1 · 1 autre finalité"
    Permission.objects.filter(service=services[2]).update(valid_until=None)
    assert plain(shown().until) == "5 mars 2027 au plus tôt"
    for permission in Permission.objects.all():
        suspend(actor=world.operateur, permission_id=permission.pk, reason="panne", now=world.now)
    assert shown().tag.text == "Suspendu"
    assert "Suspendu" in text_of(world.client("tiers1").get("/partage/recues/"))


def test_what_happened_names_who_did_it():
    def event(**more):
        service = SimpleNamespace(text=lambda name: "Suivi")
        permission = SimpleNamespace(service_id=1, service=service)
        said = {
            "state": "active",
            "at": MOMENT.now,
            "actor_id": 1,
            "actor_name": "Alice",
            "reason": "",
            "details": {},
        }
        return SimpleNamespace(permission=permission, **(said | more))

    labels = [
        one.label
        for one in steps(
            [
                event(),
                event(reason="extended"),
                event(details={"points_lost": ["1"]}, actor_id=None),
                event(state="expired", actor_id=None, actor_name="Gridgate"),
            ]
        )
    ]
    assert labels == [
        "Accordé par Alice",
        "Prolongé par Alice",
        "Compteurs que vous avez quittés, retirés",
        "Arrivé à échéance",
    ]


def test_both_sides_are_shown_the_point_that_was_left_and_what_goes_on(world):
    service = make_service(world.third_party_1)
    given = world.now - timedelta(days=10)
    subscribe(actor=world.alice, service=service, points=[world.p1.pk, world.p3.pk], now=given)
    for point in (world.p3, world.p4):
        title = TitleHolding.objects.get(metering_point=point.pk)
        close_holding(holding=title, valid_to=world.now.date(), now=world.now)
    page = text_of(world.client("alice").get(f"/partage/{world.third_party_1.siren}/"))
    left = "Lyon Gerland, bureaux"
    assert f"{left} depuis le 25 novembre 2026 · le partage continue pour les autres" in page
    page = text_of(world.client("bob").get(f"/partage/{world.third_party_1.siren}/"))
    assert world.p3.pk not in page
    assert left not in page
    page = text_of(world.client("tiers1").get("/partage/recues/"))
    assert f"sans {world.p3.pk}, que le titulaire a quitté le 25" in page
    assert world.p4.pk not in page


def test_a_reader_of_another_period_stays_chosen(world):
    with translation.override("en"):
        page = world.client("alice", language="en").get(f"/journal/?qui={handle_of('company', 424242)}")
    assert "Another company" in text_of(page)


def test_a_request_that_another_answers_meanwhile_is_told(world, monkeypatch):
    from gridgate.portal.screens.sharing import requests
    from gridgate.sharing.operations.requesting import request_permission

    asked = request_permission(
        requester=world.tiers1,
        service=make_service(world.third_party_1),
        holder=world.acme,
        points=[world.p1.pk],
        valid_until=date(2027, 5, 31),
        now=world.now,
    )

    def too_late(**_):
        raise RequestClosed("refused")

    monkeypatch.setattr(requests, "accept_request", too_late)
    address = f"/partage/demandes/{asked.pk}/"
    client = world.client("alice")
    said = hidden_in(client.get(address)) | {"answer": "accept", "point": world.p1.pk}
    answer = client.post(address, said, follow=True)
    assert answer.redirect_chain == [(address, 302)]
    assert "a déjà reçu une réponse" in text_of(answer)


@pytest.mark.parametrize(
    ("first", "named"),
    [
        (date(2026, 11, 1), ["1ᵉʳ nov.", "9 nov.", "16 nov.", "23 nov."]),
        (date(2026, 10, 2), ["2 oct.", "12 oct.", "19 oct.", "26 oct."]),
    ],
)
def test_the_names_of_days_under_a_month_of_reads_leave_room_to_each_other(first, named):
    days = [first + timedelta(days=n) for n in range(30)]
    drawn = reads_chart([1] * 30, days).bars
    said = [plain(one.text) for one in drawn.labels if one.text]
    assert said == named
