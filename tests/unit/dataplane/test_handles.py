"""Handles are stored by others in addresses and programs: they stay what they are."""

import pytest

from gridgate.dataplane.handles import handle_of, number_of

SECRET = "a secret key of tests"


@pytest.mark.parametrize(
    ("kind", "number", "handle"),
    [
        ("group", 1, "c41e5466-76fc-772f-b2b9-99b12ceba0f1"),
        ("group", 2**40, "bc190286-9d7c-827f-02a4-70b5cdee77ef"),
        ("user", 7, "343269fe-c9f5-d0bf-81f5-d0c12ce11138"),
    ],
)
def test_a_row_is_called_the_same_for_good(kind: str, number: int, handle: str) -> None:
    assert handle_of(kind, number, secret=SECRET) == handle_of(kind, number, secret=SECRET.encode()) == handle
    assert number_of(kind, handle, secret=SECRET) == number
    assert number_of(kind, handle, secret="another") is None
    assert number_of("company", handle, secret=SECRET) is None
    assert number_of(kind, handle.upper(), secret=SECRET) is None
