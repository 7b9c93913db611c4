"""What is tested here is as a process finds it that serves pages."""

import pytest
from django.urls import get_resolver


@pytest.fixture(scope="session", autouse=True)
def addresses() -> None:
    """Loaded before the first page, which is when screens declare what they bring to the operator's desk: a test that
    asks the desk and no page finds it so too, whichever comes first.
    """
    assert get_resolver().url_patterns
