"""Identifiers against published codes, and against every single-character mistake in them."""

import pytest

from gridgate.core.identifiers import (
    InvalidIdentifier,
    eic_check_character,
    parse_eic,
    parse_gsrn,
    parse_metering_point_id,
    parse_prm,
    parse_siren,
)

PUBLISHED_EIC = [
    "10XFR-RTE------Q",
    "10YFR-RTE------C",
    "17X100A100A0001A",
    "10X1001A1001A450",
    "10YBE----------2",
    "10Y1001A1001A83F",
]


@pytest.mark.parametrize(
    ("parse", "code"),
    [(parse_eic, "10XFR-RTE------Q"), (parse_siren, "732829320"), (parse_prm, "30001480112233")],
)
def test_drop_what_nobody_sees(parse, code: str) -> None:
    assert parse(f"\ufeff{code[:4]}\u200b{code[4:]}\u2060") == code


class TestEic:
    @pytest.mark.parametrize("code", PUBLISHED_EIC)
    def test_takes_published_codes(self, code: str) -> None:
        assert parse_eic(code.lower()) == code

    @pytest.mark.parametrize("code", PUBLISHED_EIC)
    def test_refuses_any_other_check_character(self, code: str) -> None:
        others = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") - {code[-1]}
        assert not [other for other in others if _accepts(parse_eic, code[:-1] + other)]

    @pytest.mark.parametrize("code", PUBLISHED_EIC)
    def test_refuses_two_neighbours_that_changed_places(self, code: str) -> None:
        swapped = {
            code[:at] + code[at + 1] + code[at] + code[at + 2 :]
            for at in range(3, 14)
            if code[at] != code[at + 1]
        }
        assert not [text for text in swapped if _accepts(parse_eic, text)]

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("10XFR-RTE------", "16 characters, this one 15"),
            ("10XFR_RTE------Q", "letters, digits and hyphens, not _"),
            ("10BFR-RTE------Q", "third character"),
        ],
    )
    def test_says_what_is_wrong(self, text: str, says: str) -> None:
        with pytest.raises(InvalidIdentifier, match=says):
            parse_eic(text)

    def test_refuses_a_code_whose_check_character_would_be_a_hyphen(self) -> None:
        prefixes = (f"10XAAAAAAAAAA{a}{b}" for a in "ABCDEFGH" for b in "0123456789")
        refused = [prefix for prefix in prefixes if not _accepts(eic_check_character, prefix)]
        assert refused, "one prefix in 37 has a hyphen as its check character"


class TestFrenchIdentifiers:
    def test_a_siren_is_nine_digits_that_check(self) -> None:
        assert parse_siren("111 222 337") == "111222337"
        with pytest.raises(InvalidIdentifier, match="does not check"):
            parse_siren("111222333")
        with pytest.raises(InvalidIdentifier, match="9 digits, this one 8"):
            parse_siren("11122233")

    def test_a_prm_has_no_check_rule(self) -> None:
        assert parse_prm("30\u00a0001\u202f480 112 233") == "30001480112233"
        with pytest.raises(InvalidIdentifier, match="digits only"):
            parse_prm("3000148011223X")
        with pytest.raises(InvalidIdentifier, match="digits only"):
            parse_prm("３0001480112233")


class TestGsrn:
    def test_checks_its_last_digit(self) -> None:
        assert parse_gsrn("571313174200000002") == "571313174200000002"
        assert not [digit for digit in "013456789" if _accepts(parse_gsrn, f"57131317420000000{digit}")]


class TestMeteringPointId:
    def test_knows_its_family_by_its_form(self) -> None:
        assert parse_metering_point_id("30 001 480 112 233") == "30001480112233"
        assert parse_metering_point_id("571313174200000002") == "571313174200000002"
        zone = "17Z000000000001"
        assert parse_metering_point_id(zone + eic_check_character(zone)) == zone + eic_check_character(zone)

    def test_a_party_is_not_a_point(self) -> None:
        with pytest.raises(InvalidIdentifier, match="names a party"):
            parse_metering_point_id("10XFR-RTE------Q")

    def test_a_lost_leading_zero_is_named(self) -> None:
        with pytest.raises(InvalidIdentifier, match="this one 13") as caught:
            parse_metering_point_id("9775542606818")
        assert "begins with a zero" in caught.value.remedy


def _accepts(parse: object, text: str) -> bool:
    try:
        parse(text)  # type: ignore[operator]
    except InvalidIdentifier:
        return False
    return True
