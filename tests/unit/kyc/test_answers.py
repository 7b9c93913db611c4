"""Answers: read as typed, kept in one spelling, held to the form."""

import re
from datetime import date
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridgate.kyc.answers import (
    carried_over,
    entered,
    faults_of,
    parse,
)
from gridgate.kyc.form import BUILT_IN, Form
from gridgate.kyc.form_file import read_form
from gridgate.kyc.numbers import (
    _IBAN_LENGTHS,
    Unfit,
    parse_bic,
    parse_iban,
    parse_vat,
)

WORDS = {"fr": "Libellé", "en": "Label"}
TODAY = date(2026, 11, 25)
CHOICES = [{"value": value, "label": WORDS} for value in ("one", "two", "three")]


def field(name: str = "a", kind: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "label": WORDS, **more}


def form(*fields: dict[str, Any]) -> Form:
    return Form.of([{"title": WORDS, "fields": list(fields)}])


def one(kind: str, **more: Any) -> Any:
    return form(field(kind=kind, **more)).by_name["a"]


def codes(asked: Form, answers: dict[str, Any], files: dict[str, int] | None = None) -> list[tuple[Any, ...]]:
    found = faults_of(asked, answers, files or {}, today=TODAY)
    return [(fault.name, fault.code, fault.row, fault.inner) for fault in found]


GOOD = [
    ("text", {}, "  Réseau \t Démo\u202e ", "Réseau Démo"),
    ("text", {}, "a\x00b\x07", "ab"),
    ("text", {}, "e\u0301", "é"),
    ("long_text", {}, " une\r\nautre \n", "une\nautre"),
    ("number", {"decimals": 2}, "1\u202f234,50", "1234.5"),
    ("number", {"decimals": 2}, "1 234.05", "1234.05"),
    ("number", {}, "\u22125", "-5"),
    ("number", {}, "100", "100"),
    ("number", {}, "-0", "0"),
    ("percentage", {}, "25,5 %", "25.5"),
    ("percentage", {}, "100", "100"),
    ("date", {}, "31/12/1980", "1980-12-31"),
    ("date", {}, "1.2.1980", "1980-02-01"),
    ("date", {"past": True}, "2026-11-24", "2026-11-24"),
    ("yes_no", {}, "yes", True),
    ("yes_no", {}, "no", False),
    ("choice", {"choices": CHOICES}, "two", "two"),
    ("choices", {"choices": CHOICES}, ["three", "one"], ["one", "three"]),
    ("choices", {"choices": CHOICES}, "two", ["two"]),
    ("country", {}, "fr", "FR"),
    ("siren", {}, "732 829 320", "732829320"),
    ("iban", {}, "fr76 3000 6000 0112 3456 7890 189", "FR7630006000011234567890189"),
    ("bic", {}, "bnpafrpp", "BNPAFRPP"),
    ("vat", {}, "FR 44 732 829 320", "FR44732829320"),
    ("eic", {}, "10xfr-rte------q", "10XFR-RTE------Q"),
]
WRONG = [
    ("text", {"longest": 3}, "abcd", "too_long"),
    ("number", {}, "douze", "not_a_number"),
    ("number", {}, "1,234.5", "not_a_number"),
    ("number", {}, "1e9", "not_a_number"),
    ("number", {}, "١٢", "not_a_number"),
    ("number", {}, "9" * 16, "not_a_number"),
    ("number", {}, "1,5", "too_many_decimals"),
    ("number", {"least": 3}, "2", "too_small"),
    ("percentage", {}, "100,01", "too_large"),
    ("percentage", {}, "-1", "too_small"),
    ("date", {}, "31/02/1980", "no_such_day"),
    ("date", {}, "01/01/0001", "no_such_day"),
    ("date", {}, "décembre 1980", "not_a_date"),
    ("date", {"past": True}, "2026-11-25", "not_past"),
    ("yes_no", {}, "peut-être", "not_a_choice"),
    ("choice", {"choices": CHOICES}, "four", "not_a_choice"),
    ("choices", {"choices": CHOICES}, ["one", "four"], "not_a_choice"),
    ("country", {}, "ZZ", "not_a_choice"),
    ("siren", {}, "73282932", "length"),
    ("siren", {}, "732829321", "check"),
    ("siren", {}, "73282932X", "digits_only"),
    ("iban", {}, "FR7630006000011234567890188", "check"),
    ("iban", {}, "FR76300060000112345678901", "iban_length"),
    ("iban", {}, "ZZ7630006000011234567890189", "iban_country"),
    ("iban", {}, "30006000011234567890189", "iban_form"),
    ("bic", {}, "BNPAFRP", "bic_form"),
    ("bic", {}, "BNPAZZPP", "bic_country"),
    ("vat", {}, "FR45732829320", "check"),
    ("vat", {}, "DE12345678", "vat_country"),
    ("vat", {}, "12", "vat_form"),
    ("eic", {}, "10XFR-RTE------R", "check"),
    ("eic", {}, "10XFR", "length"),
]


class TestParse:
    @pytest.mark.parametrize(("kind", "more", "typed", "kept"), GOOD)
    def test_keeps_one_spelling(self, kind, more, typed, kept):
        asked = one(kind, **more)
        assert parse(asked, typed, today=TODAY) == kept
        assert parse(asked, kept, today=TODAY) == kept

    @pytest.mark.parametrize(("kind", "more", "typed", "code"), WRONG)
    def test_says_why_it_will_not_do(self, kind, more, typed, code):
        with pytest.raises(Unfit) as error:
            parse(one(kind, **more), typed, today=TODAY)
        assert error.value.code == code

    @pytest.mark.parametrize("nothing", ["", "  \n", None, []])
    def test_takes_nothing_for_no_answer(self, nothing):
        for kind in ("text", "number", "date", "yes_no", "iban"):
            assert parse(one(kind), nothing, today=TODAY) is None

    @given(
        st.sampled_from(
            ["text", "long_text", "number", "percentage", "date", "siren", "iban", "bic", "vat", "eic"]
        ),
        st.text(max_size=40),
    )
    def test_reads_what_it_kept_as_it_kept_it(self, kind, typed):
        asked = one(kind)
        try:
            kept = parse(asked, typed, today=TODAY)
        except Unfit:
            return
        assert kept is None or parse(asked, kept, today=TODAY) == kept


@pytest.mark.parametrize(
    "iban",
    [
        "DE89370400440532013000",
        "GB29NWBK60161331926819",
        "BE68539007547034",
        "NO9386011117947",
        "NL91ABNA0417164300",
        "MT84MALT011000012345MTLCAST001S",
        "CH9300762011623852957",
        "IT60X0542811101000000123456",
    ],
)
def test_published_ibans_check(iban):
    assert parse_iban(iban) == iban


VATS = {
    "AT": "ATU13585627",
    "BE": "BE0403019261",
    "BG": "BG175074752",
    "CH": "CHE107787577IVA",
    "CY": "CY10259033P",
    "CZ": "CZ25123891",
    "DE": "DE136695976",
    "DK": "DK13585628",
    "EE": "EE100931558",
    "EL": "EL094259216",
    "ES": "ESB58378431",
    "FI": "FI20774740",
    "FR": "FR40303265045",
    "GB": "GB980780684",
    "HR": "HR33392005961",
    "HU": "HU12892312",
    "IE": "IE6433435F",
    "IT": "IT00743110157",
    "LT": "LT119511515",
    "LU": "LU15027442",
    "LV": "LV40003521600",
    "MT": "MT11679112",
    "NL": "NL004495445B01",
    "NO": "NO995525828MVA",
    "PL": "PL8567346215",
    "PT": "PT501964843",
    "RO": "RO18547290",
    "SE": "SE123456789701",
    "SI": "SI50223054",
    "SK": "SK2022749619",
    "XI": "XI980780684",
}
"""One of each country, of those that the authorities and the library publish as examples."""


@pytest.mark.parametrize("country", VATS)
def test_a_number_for_vat_is_checked_by_the_rules_of_its_country(country: str) -> None:
    number = VATS[country]
    assert parse_vat(number) == number
    assert parse_vat(f" {number[:4].lower()} {number[4:]} ") == number
    digit = max(place for place, char in enumerate(number) if char.isdecimal() and place < len(number) - 2)
    wrong = number[:digit] + str((int(number[digit]) + 1) % 10) + number[digit + 1 :]
    with pytest.raises(Unfit):
        parse_vat(wrong)


def test_a_greek_number_has_the_code_of_the_commission() -> None:
    assert parse_vat("GR094259216") == "EL094259216"


def test_a_swiss_number_needs_no_suffix() -> None:
    assert parse_vat("CHE-107.787.577") == "CHE107787577"


def test_a_number_of_a_country_without_known_rules_is_taken_as_it_is() -> None:
    assert parse_vat("US 12-3456789") == "US123456789"


def test_accounts_are_as_long_as_in_the_registry_that_the_library_brings() -> None:
    structures = re.findall(
        r'^([A-Z]{2}) country="[^"]*" bban="([^"]*)"', (files("stdnum") / "iban.dat").read_text("utf-8"), re.M
    )
    lengths = {
        country: 4 + sum(int(part) for part in re.findall(r"(\d+)!?[nac]", structure))
        for country, structure in structures
    }
    assert lengths == _IBAN_LENGTHS

    assert parse_bic("DEUTDEFF500") == "DEUTDEFF500"


class TestEntered:
    section = form(
        field("name"),
        field("share", "percentage"),
        field("owners", "group", row=WORDS, most=2, fields=[field("who"), field("share", "percentage")]),
        field("doc", "file"),
    ).sections[0]

    def test_keeps_what_is_right_and_what_is_wrong(self):
        typed = {
            "name": " ACME ",
            "share": "beaucoup",
            "owners": [{"who": "A", "share": "25,0"}, {"who": "", "share": " "}, {"share": "x"}],
            "doc": "ignored",
            "unknown": "ignored",
        }
        kept = entered(self.section, typed, today=TODAY)
        assert kept == {"name": "ACME", "share": "beaucoup", "owners": [{"who": "A", "share": "25"}]}

    def test_drops_empty_rows(self):
        kept = entered(self.section, {"owners": [{}, {"who": "B"}]}, today=TODAY)
        assert kept == {"owners": [{"who": "B"}]}

    @pytest.mark.parametrize("odd", [None, "text", 3, {"a": 1}, [1, "x", None], [{"who": ["a"]}]])
    def test_is_at_ease_with_odd_shapes(self, odd):
        entered(self.section, {"owners": odd, "name": odd, "share": odd}, today=TODAY)

    def test_bounds_what_it_keeps(self):
        kept = entered(self.section, {"share": "x" * 100_000}, today=TODAY)
        assert len(kept["share"]) == 20_000


class TestFaultsOf:
    asked = form(
        field("country", "country", required=True),
        field("siren", "siren", required_if={"field": "country", "is": "FR"}),
        field("has", "yes_no", required=True),
        field(
            "owners",
            "group",
            row=WORDS,
            required_if={"field": "has", "is": True},
            fields=[
                field("who", required=True),
                field("pep", "yes_no"),
                field("role", required_if={"field": "pep", "is": True}),
            ],
        ),
        field("proof", "file", required_if={"field": "has", "is": True}),
    )

    def test_lists_what_is_missing(self):
        assert codes(self.asked, {}) == [("country", "missing", None, ""), ("has", "missing", None, "")]

    def test_asks_more_when_a_condition_holds(self):
        assert codes(self.asked, {"country": "FR", "has": True}) == [
            ("siren", "missing", None, ""),
            ("owners", "missing_rows", None, ""),
            ("proof", "missing_file", None, ""),
        ]
        assert codes(self.asked, {"country": "DE", "has": False}) == []

    def test_names_the_row(self):
        answers = {"country": "DE", "has": True, "owners": [{"who": "A"}, {"pep": True}]}
        assert codes(self.asked, answers, {"proof": 1}) == [
            ("owners", "missing", 1, "who"),
            ("owners", "missing", 1, "role"),
        ]

    def test_tells_what_is_wrong_of_what_may_be_left_out(self):
        assert codes(self.asked, {"country": "DE", "has": False, "siren": "123"}) == [
            ("siren", "length", None, "")
        ]

    def test_finds_nothing_in_a_whole_questionnaire(self):
        from tests.factories.kyc import ANSWERS, FILES

        built_in, _ = read_form(BUILT_IN.read_bytes())
        assert faults_of(built_in, ANSWERS, FILES, today=TODAY) == []


class TestCarriedOver:
    def test_keeps_what_the_new_version_still_asks_and_takes(self):
        later = form(
            field("name"),
            field("kind", "choice", choices=CHOICES[:2]),
            field("owners", "group", row=WORDS, most=1, fields=[field("who"), field("born", "date")]),
            field("changed", "number"),
            field("doc", "file"),
        )
        earlier = {
            "name": "ACME",
            "kind": "three",
            "owners": [{"who": "A", "gone": "x", "born": "soon"}, {"who": "B"}],
            "changed": "text before",
            "gone": "x",
            "doc": "x",
        }
        assert carried_over(later, earlier, today=TODAY) == {"name": "ACME", "owners": [{"who": "A"}]}

    @pytest.mark.parametrize("odd", ["text", {"a": 1}, [1]])
    def test_leaves_what_has_another_shape(self, odd):
        later = form(field("owners", "group", row=WORDS, fields=[field("who")]))
        assert carried_over(later, {"owners": odd}, today=TODAY) == {}
