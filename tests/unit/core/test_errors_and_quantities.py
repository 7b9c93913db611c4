"""Errors read as a person needs them; sets of kinds and directions keep their stored bits."""

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, Kind, bits, directions_of, kinds_of


def test_an_error_says_where_what_and_how_to_mend_it() -> None:
    error = GridgateError(ErrorKind.INVALID, "the SIREN has 8 digits.", remedy="Give all 9.", where="line 3")
    assert str(error) == "line 3: the SIREN has 8 digits. Give all 9."
    assert str(GridgateError(ErrorKind.INTERNAL, "lost")) == "lost"


def test_the_stored_bits_never_change() -> None:
    assert {kind.value: kind.bit for kind in Kind} == {
        "load_curve": 1,
        "daily_energy": 2,
        "maximum_power": 4,
        "register_reading": 8,
    }
    assert {way.value: way.bit for way in FlowDirection} == {"withdrawal": 1, "injection": 2}


def test_sets_survive_being_packed() -> None:
    for mask in range(16):
        assert bits(kinds_of(mask)) == mask
    for mask in range(4):
        assert bits(directions_of(mask)) == mask
