"""Moving through time: civil weeks, arrows that stop where the data does, powers that change, what is not there."""

import html
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict

from gridgate.core.quantities import FlowDirection, Kind, bits
from gridgate.core.time import Interval, Resolution, civil_day_bounds
from gridgate.dataplane.query.answer import Answer, Missing, Segment
from gridgate.metering.operations.titles import close_holding
from gridgate.metering.queries.titles import HeldTime, held_times
from gridgate.portal.screens.measurements.drawing import picture
from gridgate.portal.screens.measurements.period import Shown, read_choice
from gridgate.portal.screens.measurements.picture import Picture
from gridgate.portal.screens.measurements.subscribed_power import Meter
from tests.measured import Measured
from tests.world import World

PARIS = ZoneInfo("Europe/Paris")
FIRST, LATEST = date(2024, 3, 6), date(2026, 11, 24)  # a Wednesday, a Tuesday
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


def shown(address: str = "") -> Shown:
    return read_choice(QueryDict(address), directions=bits(FlowDirection), span=lambda *_: (FIRST, LATEST))


def test_a_week_runs_from_monday_to_sunday() -> None:
    for address in ("", "vue=semaine&le=2026-11-26"):
        found = shown(address)
        assert (found.first, found.last) == (date(2026, 11, 23), date(2026, 11, 29))
    assert "le=2026-11-16" in shown().before()


@pytest.mark.parametrize("view", ["jour", "semaine", "mois", "annee"])
def test_the_arrows_stop_at_the_first_and_at_the_last_data(view: str) -> None:
    newest, oldest = shown(f"vue={view}"), shown(f"vue={view}&le={FIRST}")
    assert newest.before()
    assert not newest.following()
    assert oldest.following()
    assert not oldest.before()


def test_from_beyond_the_data_an_arrow_leads_back_to_it() -> None:
    assert f"le={FIRST}" in shown("vue=jour&le=2019-01-01").following()
    assert not shown("vue=jour&le=2019-01-01").before()
    assert f"le={LATEST}" in shown("vue=jour&le=2030-01-01").before()
    assert "du=2024-03-06&au=2024-03-08" in shown("du=2019-01-01&au=2019-01-03").following()


def test_a_shorter_view_of_a_period_that_is_not_over_shows_its_last_data() -> None:
    by_day = next(choice for choice in shown("vue=annee").views() if "vue=jour" in choice.address)
    assert f"le={LATEST}" in by_day.address


def test_the_page_has_no_link_past_the_last_data(world: World, measured: Measured) -> None:
    page = world.client("alice").get(f"/mesures/{world.p1.pk}/").content.decode()
    assert 'aria-label="Période précédente"' in page
    assert "Période suivante\xa0: rien après" in html.unescape(page)


LAST_DAYS = "Voir les derniers jours reçus"


@pytest.fixture
def without_values(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing came for any days asked for; that some did for others, `series` tells."""

    def read(self: Measured, reader: Any, point: str, kind: Kind, *rest: Any, **_: Any) -> Answer:
        direction, start, end = rest
        return Answer(point, kind, direction, kind.unit, start, end, [], Interval(start, end))

    monkeypatch.setattr(Measured, "read", read)


@pytest.mark.parametrize(("quantity", "offered"), [("puissance", True), ("energie", True), ("index", False)])
def test_the_last_days_received_are_offered_of_the_quantity_shown_if_there_are_any(
    world: World, without_values: None, quantity: str, offered: bool
) -> None:
    address = f"/mesures/{world.p1.pk}/"
    asked = f"{address}?grandeur={quantity}&le=2019-01-07"
    page = html.unescape(world.client("alice").get(asked).content.decode())
    assert "Rien à montrer pour ces jours" in page
    assert (LAST_DAYS in page) is offered
    assert (f'href="{address}?grandeur={quantity}&sens=soutirage">{LAST_DAYS}' in page) is offered


def curve(day: date, kilowatts: list[float | None], step: Resolution = Resolution.PT60M) -> Segment:
    words = [("missing" if value is None else "measured", 1) for value in kilowatts]
    start = civil_day_bounds(day, PARIS).start
    return Segment(start, step, [None if v is None else round(v * 1000) for v in kilowatts], words)


def drawn(
    segments: list[Segment],
    address: str,
    *powers: tuple[date, date | None, int | None],
    missing: tuple[Missing, ...] = (),
) -> Picture:
    asked = shown(address)
    period = asked.interval(PARIS)
    assert period.end is not None

    def read(*_: Any, **__: Any) -> Answer:
        return Answer(
            "30001480112233",
            asked.kind,
            asked.flow,
            asked.kind.unit,
            period.start,
            period.end or NOW,
            segments,
            Interval(period.start, period.end),
            missing=list(missing),
        )

    times = [
        HeldTime(first, after, None if power is None else Decimal(power)) for first, after, power in powers
    ]
    return picture(read, asked, Meter.of("Usine", times, asked, PARIS, today=NOW.date()), NOW)


MONDAY = date(2026, 11, 16)
WEEK = [curve(MONDAY + timedelta(days=n), [20.0] * 9 + [60.0, 70.0] + [20.0] * 13) for n in range(7)]


def test_a_change_of_the_subscribed_power_is_a_step_and_each_time_is_compared_with_its_own() -> None:
    thursday = date(2026, 11, 19)
    page = drawn(WEEK, "le=2026-11-16", (date(2024, 1, 1), thursday, 100), (thursday, None, 50))
    assert page.curve is not None
    assert [line.text.replace("\xa0", " ") for line in page.curve.limits] == [
        "Souscrite 100 kVA",
        "Souscrite 50 kVA",
    ]
    assert page.curve.limits[1].rise == page.curve.limits[0].y
    assert page.over is not None
    assert [row.when.replace("\xa0", " ") for row in page.over.rows] == [
        f"{day} novembre 2026 à 09:00" for day in (19, 20, 21, 22)
    ]
    assert not page.note


def test_exceedances_say_when_how_long_how_much_and_lead_to_their_day() -> None:
    page = drawn(WEEK, "le=2026-11-16", (date(2024, 1, 1), None, 50))
    assert page.over is not None
    first = page.over.rows[0]
    assert first.address == "?vue=jour&grandeur=puissance&sens=soutirage&le=2026-11-16"
    assert (first.length.replace("\xa0", " "), first.highest, first.over) == ("2 h", "70,0", "20,0")


def test_a_curve_in_kw_held_against_a_power_in_kva_says_what_the_two_are() -> None:
    page = drawn(WEEK, "le=2026-11-16", (date(2024, 1, 1), None, 50))
    assert page.over is not None
    for text in (page.caption, page.over.note):
        assert "une puissance active (kW), la puissance souscrite une puissance apparente (kVA)" in text
    below = drawn(WEEK, "le=2026-11-16", (date(2024, 1, 1), None, 100))
    assert "apparente" in below.caption
    assert below.figures[2].note == "aucun vu en kW"
    assert "apparente" not in drawn(WEEK, "le=2026-11-16", (date(2024, 1, 1), None, None)).caption


def test_one_value_is_counted_as_one() -> None:
    start = civil_day_bounds(MONDAY, PARIS).start
    day = Segment(start, Resolution.P1D, [20_000], [("estimated", 1)])
    page = drawn([day], "vue=jour&grandeur=maximum&le=2026-11-16", (FIRST, None, 50))
    assert page.figures[-1].note.replace("\xa0", " ") == "1 valeur sur 1, dont 1 estimée"


def test_what_exceeds_is_the_difference_of_the_two_numbers_beside_it() -> None:
    page = drawn([curve(MONDAY, [20.0] * 9 + [259.95] + [20.0] * 14)], "le=2026-11-16", (FIRST, None, 250))
    assert page.over is not None
    (row,) = page.over.rows
    assert (row.highest, row.over, row.subscribed) == ("260,0", "10,0", "250")
    assert "10,0\xa0kW" in page.figures[1].note


def test_each_day_whose_maximum_is_above_is_told_days_in_a_row_too() -> None:
    start = civil_day_bounds(MONDAY, PARIS).start
    days = Segment(
        start, Resolution.P1D, [60_000, 80_000, 20_000, 70_000, 20_000, 20_000, 20_000], [("measured", 7)]
    )
    page = drawn([days], "grandeur=maximum&le=2026-11-16", (FIRST, None, 50))
    assert page.over is not None
    assert [row.highest for row in page.over.rows] == ["60,0", "80,0", "70,0"]
    assert page.figures[1].note == "dépassée 3\xa0jours"


def test_a_power_known_of_no_day_is_not_said_to_be_known_of_some() -> None:
    wednesday = date(2026, 11, 18)
    partly = drawn(WEEK, "le=2026-11-16", (FIRST, wednesday, 50), (wednesday, None, None))
    assert partly.note.startswith("La puissance souscrite n’est pas connue de tous ces jours")
    assert "aucun dépassement" in drawn(WEEK, "le=2026-11-16", (FIRST, None, None)).note


@pytest.mark.parametrize("known", [date(2026, 11, 18), date(2026, 11, 30)])
def test_the_day_from_which_a_power_is_known_is_said_beside_values_of_before(known: date) -> None:
    page = drawn(WEEK, "le=2026-11-16", (FIRST, known, None), (known, None, 50))
    said = f"La puissance souscrite n’est connue qu’à partir du {known.day} novembre 2026 : avant, aucun dépassement"
    assert page.note.replace("\xa0", " ").startswith(said)


def test_a_power_unknown_of_days_without_values_is_no_matter() -> None:
    wednesday = MONDAY + timedelta(days=2)
    assert drawn(WEEK[2:], "le=2026-11-16", (FIRST, wednesday, None), (wednesday, None, 50)).note == ""


def test_no_collection_on_record_is_no_proof_that_nothing_is_collected() -> None:
    start, end = (civil_day_bounds(MONDAY + timedelta(days=n), PARIS).start for n in (1, 2))
    page = drawn(
        WEEK[:1], "le=2026-11-16", (FIRST, None, 50), missing=(Missing(start, end, "collection_inactive"),)
    )
    assert [one.why for one in page.absences] == [
        "Aucune collecte de la courbe de charge n’est enregistrée ici pour ces jours."
    ]


def test_nothing_ever_received_leads_nowhere(world: World, measured: Measured) -> None:
    measured.silent.add("30001480112244")
    page = world.client("alice").get("/mesures/30001480112244/").content.decode()
    assert "Rien à montrer pour ces jours" in page
    assert "Voir les derniers jours reçus" not in page


def test_a_year_is_drawn_by_days_with_every_extreme() -> None:
    days = [curve(date(2025, 1, 1) + timedelta(days=n), [10.0] * 12 + [15.0] * 12) for n in range(365)]
    days[100] = curve(date(2025, 4, 11), [2.0] + [10.0] * 22 + [99.0])
    page = drawn(days, "vue=annee&le=2025-01-01")
    assert page.curve is not None
    assert page.curve.by_day
    assert (page.curve.count, len(page.curve.data["days"])) == (365, 365)
    assert page.curve.data["days"][100][2:4] == [2.0, 99.0]
    assert page.curve.peak is not None
    assert page.curve.peak.value == 99
    assert not page.curve.data_url


def test_thirty_watts_are_not_nothing() -> None:
    page = drawn([curve(MONDAY, [0.03] * 24)], "vue=jour&le=2026-11-16")
    assert (page.figures[1].value, page.rows[0].maximum, page.rows[0].minimum) == ("0,030", "0,030", "0,030")


def test_days_of_another_holder_are_no_gap_and_say_so() -> None:
    away = Missing(
        civil_day_bounds(date(2026, 11, 18), PARIS).start,
        civil_day_bounds(date(2026, 11, 21), PARIS).start,
        "between_titles",
    )
    mine = [WEEK[0], WEEK[1], *WEEK[5:]]
    page = drawn(mine, "le=2026-11-16", missing=(away,))
    assert page.curve is not None
    assert page.curve.gaps == ()
    assert page.figures[-1].value == "100"
    assert [(one.tone, one.why) for one in page.absences] == [
        ("info", "Ces jours ne font pas partie de votre titularité.")
    ]
    assert [row.quality for row in page.rows].count("Rien à recevoir") == 3


def test_what_was_not_received_is_told_without_a_cause_that_nobody_knows() -> None:
    gap = Missing(WEEK[3].start, WEEK[4].start, "not_received")
    page = drawn([*WEEK[:3], *WEEK[4:]], "le=2026-11-16", missing=(gap,))
    assert [(one.tone, one.why) for one in page.absences] == [
        ("warn", "Aucune valeur n’a été reçue. Si elles arrivent, elles apparaîtront ici.")
    ]


def test_the_times_of_a_company_that_came_back_are_all_its_own(world: World, measured: Measured) -> None:
    close_holding(holding=world.p3.holdings.get(), valid_to=date(2026, 3, 1), now=world.now)
    world.p3.holdings.create(holder=world.acme, valid_from=date(2026, 9, 1))
    from gridgate.metering.as_held import project

    project([world.p3.pk])
    times = held_times(actor=world.alice, point_id=world.p3.pk)
    assert [(time.after, time.first >= date(2026, 9, 1)) for time in times] == [
        (date(2026, 3, 1), False),
        (None, True),
    ]
    page = world.client("alice").get(f"/mesures/{world.p3.pk}/?vue=mois&le=2026-09-01").content.decode()
    back = re.search(r'href="([^"]*)" aria-label="Période précédente"', page)
    assert back
    assert "le=2026-08-01" in back[1]


def test_a_prm_is_no_number_and_numbers_stay_with_what_they_count(world: World, measured: Measured) -> None:
    page = html.unescape(world.client("alice").get(f"/mesures/{world.p1.pk}/").content.decode())
    lead = re.search(r'class="lead"[^>]*>(.*?)</p>', page, re.DOTALL)
    assert lead
    assert f'PRM\xa0<span class="id">{world.p1.pk}</span>' in lead[1]
    called = page[page.index("<code") : page.index("</code>")]
    assert '<wbr><span class="id">metering-points/</span><wbr>' in called, "an address breaks at its hyphens"
    assert re.search(r"\d\xa0valeurs sur \d", page)


@pytest.mark.parametrize(("reason", "named"), [("not_received", True), ("before_title", False)])
def test_the_year_names_no_gap_in_days_that_are_not_the_companys_own(reason: str, named: bool) -> None:
    start = civil_day_bounds(date(2026, 1, 1), PARIS).start
    gap = Missing(start, civil_day_bounds(MONDAY, PARIS).start, reason)
    page = drawn(WEEK, "vue=annee&le=2026-01-01", (MONDAY, None, 50), missing=(gap,))
    assert page.heat is not None
    assert bool(page.heat.gap_at) is named
    assert page.heat.gaps.startswith("M0 0h") is named, "the two days after the week are a gap in either case"
