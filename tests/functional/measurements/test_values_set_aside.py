"""Values that came and were set aside are told on the page, with their cause, and are not said never to have come."""

import html
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict
from django.utils.translation import override

from gridgate.core.quantities import FlowDirection, bits
from gridgate.core.time import Interval, Resolution, civil_day_bounds
from gridgate.dataplane.query.answer import Answer, Missing, Segment
from gridgate.dataplane.store.quarantine import Cause, SetAside
from gridgate.portal.screens.measurements.absences import Absence
from gridgate.portal.screens.measurements.aside import set_aside_in_words
from gridgate.portal.screens.measurements.drawing import picture
from gridgate.portal.screens.measurements.period import Shown, read_choice
from gridgate.portal.screens.measurements.picture import Picture
from gridgate.portal.screens.measurements.subscribed_power import Meter
from tests.measured import Measured
from tests.world import NOW, World

PARIS = ZoneInfo("Europe/Paris")
MONDAY = date(2026, 11, 16)
WEEK = "vue=semaine&le=2026-11-16"


def days(first: int, last: int, reason: str = "set_aside") -> Missing:
    """From the start of one day of the week to the start of another."""
    start, end = (civil_day_bounds(MONDAY + timedelta(days=n), PARIS).start for n in (first, last))
    return Missing(start, end, reason)


def received(*numbers: int) -> list[Segment]:
    return [
        Segment(days(n, n + 1).start, Resolution.PT60M, [20_000] * 24, [("measured", 24)]) for n in numbers
    ]


def aside(day: int = 0, cause: Cause = Cause.NEGATIVE, count: int = 48) -> SetAside:
    return SetAside(MONDAY + timedelta(days=day), cause, count)


def drawn(segments: list[Segment], missing: list[Missing], *found: SetAside, address: str = WEEK) -> Picture:
    asked: Shown = read_choice(
        QueryDict(address),
        directions=bits(FlowDirection),
        span=lambda *_: (MONDAY - timedelta(days=30), MONDAY + timedelta(days=6)),
    )
    period = asked.interval(PARIS)
    assert period.end is not None
    end = period.end

    def read(*_: Any, **__: Any) -> Answer:
        return Answer(
            "30001480112233",
            asked.kind,
            asked.flow,
            asked.kind.unit,
            period.start,
            end,
            segments,
            Interval(period.start, end),
            missing=missing,
            set_aside=list(found),
        )

    return picture(read, asked, Meter("Usine"), NOW)


def plain(text: str) -> str:
    return re.sub(r"[\xa0\u202f]", " ", text)


REMEDY = (
    "Le gestionnaire de réseau peut corriger ce qui est en défaut et le renvoyer : demandez-le-lui. Les valeurs "
    "apparaîtront alors ici."
)


class TestADay:
    def test_of_which_all_was_set_aside_says_so_beside_the_others(self) -> None:
        page = drawn(received(0, 1, 3, 4, 5, 6), [days(2, 3)], aside(2))
        (told,) = page.absences
        assert plain(told.when) == "Mercredi 18 novembre 2026, de 00:00 à 24:00"
        assert plain(told.why) == (
            f"48 valeurs sont arrivées et n’ont pas été retenues : elles sont négatives. {REMEDY}"
        )
        assert (told.tone, told.ask) == ("warn", True)
        assert page.figures[-1].label == "Données retenues"
        assert [row.quality for row in page.rows].count("Aucune valeur") == 1

    def test_alone_on_the_page_has_no_other_sentence(self) -> None:
        page = drawn([], [days(0, 1)], aside(), address="vue=jour&le=2026-11-16")
        assert page.empty == "Ce qui en est connu est dit ci-dessous."
        assert [plain(one.why)[:70] for one in page.absences] == [
            "48 valeurs sont arrivées et n’ont pas été retenues : elles sont négati"
        ]

    def test_of_which_a_part_came_tells_the_rest(self) -> None:
        segment = Segment(days(0, 1).start, Resolution.PT60M, [20_000] * 10, [("measured", 10)])
        gap = Missing(segment.end(PARIS), days(1, 1).start, "set_aside")
        span = int(gap.start.timestamp()), int(gap.start.timestamp()) + 3600
        corrected = int(days(0, 1).start.timestamp()), int(days(0, 1).start.timestamp()) + 3600
        page = drawn(
            [segment],
            [gap],
            SetAside(MONDAY, Cause.NEGATIVE, 1, span),
            SetAside(MONDAY, Cause.BEYOND, 1, corrected),
            address="vue=jour&le=2026-11-16",
        )
        (told,) = page.absences
        assert plain(told.why).startswith(
            "1 valeur est arrivée et n’a pas été retenue : elle est négative. Le"
        )

    def test_of_another_period_changes_no_word(self) -> None:
        page = drawn(received(*range(7)), [days(-3, -2)], aside(-3))
        assert page.absences == []
        assert page.figures[-1].label == "Données reçues"

    def test_of_an_opposition_is_no_fault(self) -> None:
        page = drawn(received(0), [days(1, 2)], aside(1, Cause.OPPOSITION))
        assert [Absence(plain(one.when), plain(one.why), one.tone) for one in page.absences] == [
            Absence(
                "Mardi 17 novembre 2026, de 00:00 à 24:00",
                "48 valeurs sont arrivées et n’ont pas été retenues : une opposition à la collecte de la courbe de "
                "charge était enregistrée. Une opposition se lève, pour les jours à venir, à la page « Collecte de la "
                "courbe de charge ».",
                "info",
            )
        ]

    def test_of_readings_is_told_where_nothing_else_is(self) -> None:
        reading = Segment(days(0, 1).start, Resolution.P1D, [5_000], [("measured", 1)], register="HP")
        gaps = [days(1, 2), days(2, 7, "not_received")]
        page = drawn([reading], gaps, aside(1, Cause.NEGATIVE, 1), address=f"{WEEK}&grandeur=index")
        assert [plain(one.when) for one in page.absences] == ["Mardi 17 novembre 2026, de 00:00 à 24:00"]


def test_several_causes_are_a_sentence_each_the_most_frequent_first() -> None:
    found = [aside(count=1), aside(1, Cause.STEP, 40), aside(1, Cause.NEGATIVE, 1)]
    assert plain(set_aside_in_words(found)) == (
        "40 valeurs sont arrivées et n’ont pas été retenues : leur pas de temps n’est pas connu, ou n’est pas de 5, 10, "
        f"15, 30 ou 60 min. 2 valeurs sont arrivées et n’ont pas été retenues : elles sont négatives. {REMEDY}"
    )


def test_the_energy_of_days_whose_curve_lacks_values_is_said_to_be_that() -> None:
    day = Segment(days(0, 1).start, Resolution.P1D, [5_000], [("measured", 1)])
    energy = f"{WEEK}&grandeur=energie"
    told = "La courbe de charge est incomplète : l’énergie ne peut pas en être calculée."
    for page in (
        drawn([day], [days(2, 3, "incomplete")], address=energy),
        drawn([], [days(0, 7, "incomplete")], address=energy),
    ):
        assert [(plain(one.why)[:76], one.tone) for one in page.absences] == [(told, "warn")]


class TestValuesWhoseTimeNobodyKnows:
    """Of the spring day: 02:00 and 02:30 do not exist."""

    DAY = civil_day_bounds(date(2026, 3, 29), PARIS).start

    def page(self, *found: SetAside) -> list[tuple[str, str]]:
        hour = timedelta(hours=1)
        segment = Segment(self.DAY + 1.5 * hour, Resolution.PT30M, [20_000] * 2, [("measured", 2)])
        gaps = [
            Missing(self.DAY, segment.start, "set_aside"),
            Missing(segment.end(PARIS), self.DAY + 23 * hour, "set_aside"),
        ]
        drew = drawn([segment], gaps, *found, address="vue=jour&le=2026-03-29")
        return [(plain(one.when), plain(one.why).split(" : ")[0]) for one in drew.absences]

    def test_are_told_once_of_the_day_and_of_no_hour(self) -> None:
        assert self.page(SetAside(date(2026, 3, 29), Cause.NO_SUCH_TIME, 2)) == [
            ("Dimanche 29 mars 2026", "2 valeurs sont arrivées et n’ont pas été retenues"),
            ("Dimanche 29 mars 2026, de 00:00 à 01:30", "Aucune valeur n’est connue pour ces heures."),
            ("Dimanche 29 mars 2026, de 03:30 à 24:00", "Aucune valeur n’est connue pour ces heures."),
        ]

    def test_are_told_apart_from_those_of_which_it_is_known(self) -> None:
        begin = int(self.DAY.timestamp())
        negative = SetAside(date(2026, 3, 29), Cause.NEGATIVE, 1, (begin, begin + 1800))
        assert self.page(SetAside(date(2026, 3, 29), Cause.NO_SUCH_TIME, 2), negative) == [
            ("Dimanche 29 mars 2026", "2 valeurs sont arrivées et n’ont pas été retenues"),
            (
                "Dimanche 29 mars 2026, de 00:00 à 01:30",
                "1 valeur est arrivée et n’a pas été retenue",
            ),
            ("Dimanche 29 mars 2026, de 03:30 à 24:00", "Aucune valeur n’est connue pour ces heures."),
        ]


class TestOfMoreThanCanBeShown:
    MONTH = "vue=mois&le=2026-10-16"

    def test_those_set_aside_come_first_and_the_others_are_counted(self) -> None:
        gaps = [days(-46 + 2 * n, -45 + 2 * n, "not_received") for n in range(8)]
        day = days(-20, -19)
        begin = int(day.start.timestamp())
        gaps.append(Missing(day.start, day.start + timedelta(hours=1), "set_aside"))
        found = SetAside(MONDAY + timedelta(days=-20), Cause.NEGATIVE, 1, (begin, begin + 1800))
        page = drawn(received(-18), gaps, found, address=self.MONTH)
        assert [plain(one.why)[:40] for one in page.absences] == [
            *["Aucune valeur n’a été reçue. Si elles ar"] * 4,
            "1 valeur est arrivée et n’a pas été rete",
            "Elles durent en tout 4 jours.",
        ]
        assert plain(page.absences[-1].when) == "Et 4 autres périodes sans valeur"

    def test_hours_are_added_up(self) -> None:
        hour = timedelta(hours=1)
        starts = [days(-46 + n, 0).start for n in range(6)]
        gaps = [
            Missing(start + hour, start + (2 + n) * hour, "not_received") for n, start in enumerate(starts)
        ]
        page = drawn(received(-18), gaps, address=self.MONTH)
        assert [plain(text) for text in (page.absences[-1].when, page.absences[-1].why)] == [
            "Et 1 autre période sans valeur",
            "Elle dure 1 h.",
        ]


def test_half_hours_of_the_curve_and_energies_of_days_are_counted_apart() -> None:
    found = [
        aside(count=1),
        replace(aside(count=50), of_curve=True),
        replace(aside(1, count=1), of_curve=True),
    ]
    assert plain(set_aside_in_words(found)) == (
        "51 valeurs de la courbe de charge sont arrivées et n’ont pas été retenues : elles sont négatives. 1 valeur est "
        f"arrivée et n’a pas été retenue : elle est négative. {REMEDY}"
    )


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_cause_has_its_own_sentence_in_both_languages(language: str) -> None:
    with override(language):
        told = {
            (cause, count): plain(set_aside_in_words([aside(0, cause, count)]))
            for cause in Cause
            if cause is not Cause.REPEATED  # it leaves no gap
            for count in (1, 2)
        }
    assert len(set(told.values())) == len(told)
    arrived = "arrived and was not kept" if language == "en" else "est arrivée et n’a pas été retenue"
    assert all(arrived in text for (_, count), text in told.items() if count == 1)
    foreign = ("retenue", "négative") if language == "en" else ("kept", "negative")
    assert not [text for text in told.values() for word in foreign if word in text]


def test_an_empty_period_of_several_causes_tells_each_by_its_days() -> None:
    gaps = [days(0, 3, "collection_inactive"), days(3, 5, "not_received"), days(5, 7)]
    page = drawn([], gaps, aside(5))
    assert page.empty == "Ce qui en est connu est dit ci-dessous."
    assert [one.tone for one in page.absences] == ["info", "warn", "warn"]


class TestThePage:
    @pytest.mark.parametrize(
        ("language", "told", "denied"),
        [
            (
                "fr",
                "valeurs sont arrivées et n’ont pas été retenues\xa0: elles sont négatives.",
                "Aucune valeur n’a été",
            ),
            ("en", "values arrived and were not kept: they are negative.", "No value was received"),
        ],
    )
    def test_says_what_came_and_whom_to_ask(
        self, world: World, measured: Measured, settings: Any, language: str, told: str, denied: str
    ) -> None:
        world.operator.contact_email = "contact@reseau.example"
        world.operator.save()
        measured.refused.add(world.p1.pk)
        client = world.client("alice")
        client.cookies["django_language"] = language
        page = html.unescape(client.get(f"/mesures/{world.p1.pk}/?vue=jour&le=2026-11-24").content.decode())
        assert told in page
        assert denied not in page
        assert re.search(r"ask them\.|demandez-le-lui", page)

    def test_opens_at_no_day_to_come(
        self, world: World, measured: Measured, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ahead = [replace(info, last=date(2031, 1, 1)) for info in measured.series([world.p1.pk])]
        monkeypatch.setattr(measured, "series", lambda points: ahead)
        page = world.client("alice").get(f"/mesures/{world.p1.pk}/")
        assert page.context["shown"].last.year == 2026
