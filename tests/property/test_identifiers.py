"""The rules of `core.identifiers`, which is standard library alone, held to those of python-stdnum."""

from collections.abc import Callable

from hypothesis import assume, given
from hypothesis import strategies as st
from stdnum import ean
from stdnum.eu import eic
from stdnum.fr import siren

from gridgate.core.identifiers import EIC_TYPES, InvalidIdentifier, parse_eic, parse_gsrn, parse_siren

DIGITS = "0123456789"
CODE = DIGITS + "ABCDEFGHIJKLMNOPQRSTUVWXYZ-"


def taken(parse: Callable[[str], str], text: str) -> bool:
    try:
        return parse(text) == text
    except InvalidIdentifier:
        return False


@given(st.text(DIGITS, min_size=8, max_size=8), st.sampled_from(DIGITS))
def test_a_siren_is_what_the_library_takes(body: str, check: str) -> None:
    assert taken(parse_siren, body + check) is siren.is_valid(body + check)


@given(st.text(DIGITS, min_size=17, max_size=17), st.sampled_from(DIGITS))
def test_a_gsrn_has_the_check_digit_of_gs1(body: str, check: str) -> None:
    assert taken(parse_gsrn, body + check) is (ean.calc_check_digit(body) == check)


@given(
    st.text(DIGITS, min_size=2, max_size=2),
    st.sampled_from(sorted(EIC_TYPES)),
    st.text(CODE, min_size=12, max_size=12),
    st.sampled_from(CODE),
)
def test_an_eic_code_is_what_the_library_takes(office: str, kind: str, body: str, check: str) -> None:
    text = office + kind + body + check
    assume(check != "-")  # the manual issues no such code, which the library does not know
    assert taken(parse_eic, text) is eic.is_valid(text)
