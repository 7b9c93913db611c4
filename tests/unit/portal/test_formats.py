"""How values are written, in both languages."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.template.loader import render_to_string
from django.utils.translation import override

from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Figure

PARIS_WINTER = datetime(2026, 11, 17, 13, 32, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "decimals", "french", "english"),
    [
        (3248, 0, "3\u202f248", "3\u202f248"),
        (16683.25, 1, "16\u202f683,3", "16\u202f683.3"),
        (1204880, 0, "1\u202f204\u202f880", "1\u202f204\u202f880"),
        (-12.04, 1, "\u221212,0", "\u221212.0"),
        (-0.04, 1, "0,0", "0.0"),
        (0, 0, "0", "0"),
        (Decimal("2.5"), 0, "3", "3"),
        (None, 2, "–", "–"),
    ],
)
def test_numbers_have_the_marks_of_each_language(value, decimals, french, english) -> None:
    assert formats.number(value, decimals, "fr") == french
    assert formats.number(value, decimals, "en") == english


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (262_000, "W", "262\u00a0kW"),
        (59_400, "W", "59,4\u00a0kW"),
        (71_240_000, "Wh", "71\u202f240\u00a0kWh"),
        (965_400_000, "Wh", "965\u00a0MWh"),
        (750, "Wh", "750\u00a0Wh"),
        (36_000, "VA", "36,0\u00a0kVA"),
        (None, "Wh", "–"),
    ],
)
def test_a_quantity_takes_the_unit_in_which_it_reads_best(value, unit, shown) -> None:
    assert formats.quantity(value, unit, "fr") == shown


def test_percentages() -> None:
    assert formats.percent(0.955, 1, "fr") == "95,5\u202f%"
    assert formats.percent(0.955, 1, "en") == "95.5%"
    assert formats.percent(None) == "–"


@pytest.mark.parametrize(("language", "shown"), [("fr", "95,5\u202f%"), ("en", "95.5%")])
def test_a_percentage_is_written_alike_in_a_sentence_and_as_a_figure(language, shown) -> None:
    with override(language):
        value = formats.number(95.5, 1)
        html = render_to_string("components/figures.html", {"figures": [Figure("Reçues", value, "%")]})
        energy = render_to_string("components/figures.html", {"figures": [Figure("Énergie", "12", "kWh")]})
        assert formats.with_unit(95.5, "%", 1) == shown
    assert shown in re.sub("<[^>]*>", "", html)
    assert "12\u00a0kWh" in re.sub("<[^>]*>", "", energy)


@pytest.mark.parametrize(("ratio", "said"), [(-0.041, "4,1"), (0.041, "4,1"), (0.0004, ""), (-0.0, "")])
def test_a_change_that_would_be_written_as_zero_is_none(ratio, said) -> None:
    assert formats.change(ratio).partition("\u202f")[0] == said


@pytest.mark.parametrize(
    ("day", "short", "long", "english"),
    [
        (date(2026, 11, 17), "17 nov. 2026", "17 novembre 2026", "17 November 2026"),
        (date(2024, 3, 1), "1ᵉʳ mars 2024", "1ᵉʳ mars 2024", "1 March 2024"),
        (date(2025, 2, 28), "28 févr. 2025", "28 février 2025", "28 February 2025"),
    ],
)
def test_days_in_tables_and_in_sentences(day, short, long, english) -> None:
    plain = {0xA0: " "}
    assert formats.day(day, "fr").translate(plain) == short
    assert formats.long_day(day, "fr").translate(plain) == long
    assert formats.long_day(day, "en").translate(plain) == english


def test_an_instant_is_shown_on_the_clock_of_the_instance() -> None:
    assert formats.clock(PARIS_WINTER) == "14:32"
    assert (
        formats.moment(PARIS_WINTER, "fr", seconds=True).replace("\u00a0", " ")
        == "17 novembre 2026 à 14:32:07"
    )
    assert formats.moment(PARIS_WINTER, "en").replace("\u00a0", " ") == "17 November 2026 at 14:32"
    just_before_midnight_utc = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)
    assert formats.civil_day(just_before_midnight_utc) == date(2026, 7, 1)


@pytest.mark.parametrize(
    ("instant", "french", "english"),
    [
        (datetime(2026, 11, 17, 4, 2, tzinfo=UTC), "aujourd’hui à 05:02", "today at 05:02"),
        (datetime(2026, 11, 16, 23, 30, tzinfo=UTC), "aujourd’hui à 00:30", "today at 00:30"),
        (datetime(2026, 11, 16, 13, 20, tzinfo=UTC), "hier à 14:20", "yesterday at 14:20"),
        (datetime(2026, 11, 10, 6, 30, tzinfo=UTC), "10 novembre à 07:30", "10 November at 07:30"),
        (datetime(2025, 12, 1, 6, 30, tzinfo=UTC), "1ᵉʳ décembre 2025 à 07:30", "1 December 2025 at 07:30"),
        (datetime(2026, 11, 18, 6, 30, tzinfo=UTC), "demain à 07:30", "tomorrow at 07:30"),
    ],
)
def test_near_days_have_names(instant, french, english) -> None:
    assert formats.relative(instant, PARIS_WINTER, "fr").replace("\u00a0", " ") == french
    assert formats.relative(instant, PARIS_WINTER, "en").replace("\u00a0", " ") == english


@pytest.mark.parametrize(
    ("first", "last", "french"),
    [
        (date(2026, 11, 9), date(2026, 11, 15), "9 – 15 novembre 2026"),
        (date(2026, 10, 28), date(2026, 11, 3), "28 oct. – 3 nov. 2026"),
        (date(2026, 12, 28), date(2027, 1, 3), "28 déc. 2026 – 3 janv. 2027"),
        (date(2026, 11, 9), date(2026, 11, 9), "9 novembre 2026"),
        (date(2026, 11, 1), date(2026, 11, 30), "1ᵉʳ – 30 novembre 2026"),
    ],
)
def test_a_period_says_nothing_twice(first, last, french) -> None:
    assert formats.period(first, last, "fr").replace("\u00a0", " ") == french


@pytest.mark.parametrize(
    ("seconds", "french", "english"),
    [
        (5400, "1 h 30", "1 h 30 min"),
        (3600, "1 h", "1 h"),
        (2700, "45 min", "45 min"),
        (183600, "51 h", "51 h"),
        (None, "–", "–"),
    ],
)
def test_durations(seconds, french, english) -> None:
    assert formats.duration(seconds, "fr").replace("\u00a0", " ") == french
    assert formats.duration(seconds, "en").replace("\u00a0", " ") == english


@pytest.mark.parametrize(
    ("identifier", "groups"),
    [
        ("30001480112233", ["30", "001", "480", "112", "233"]),
        ("111222337", ["111", "222", "337"]),
        ("571313174112345676", ["57", "1313", "1741", "1234", "5676"]),
        ("17X000000012345N", ["17X000000012345N"]),
        ("12345", ["12345"]),
    ],
)
def test_identifiers_are_grouped_for_the_eye(identifier, groups) -> None:
    assert formats.groups(identifier) == groups
    assert "".join(formats.groups(identifier)) == identifier


@pytest.mark.parametrize(
    ("name", "letters"),
    [("ACME Industries", "AC"), ("Tiers 1", "T1"), ("Réseau Démo", "RD"), ("Enedis", "EN"), ("", "?")],
)
def test_initials(name, letters) -> None:
    assert formats.initials(name) == letters


def test_a_series_is_set_apart_as_each_language_does() -> None:
    assert formats.series(["a, b", "c"], "fr") == "a, b\u202f; c"
    assert formats.series(["a, b", "c"], "en") == "a, b; c"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Demande EIC de ACME Industries", "Demande EIC d’ACME Industries"),
        ("Ce que <b>Énergie Sud</b> garde", "Ce qu’<b>Énergie Sud</b> garde"),
        ("Le titre de Tiers 1, de Yves et de Yann", "Le titre de Tiers 1, d’Yves et de Yann"),
        ("Le code de Onze Bis, au nord de Halluin", "Le code de Onze Bis, au nord de Halluin"),
    ],
)
def test_a_name_is_elided_in_french_alone(said: str, shown: str) -> None:
    assert formats.elided(said, "fr") == shown
    assert formats.elided(said, "en") == said


def test_what_is_quoted_is_so_as_in_the_readers_language() -> None:
    assert formats.quoted("Énergie", "fr") == "«\u00a0Énergie\u00a0»"
    assert formats.quoted("Énergie", "en") == "“Énergie”"


def test_the_first_of_a_month_is_written_as_french_does() -> None:
    assert formats.day_in_week(date(2026, 7, 1), "fr") == "mercredi\u00a01ᵉʳ"
    assert formats.day_in_week(date(2026, 7, 1), "en") == "Wednesday\u00a01"
