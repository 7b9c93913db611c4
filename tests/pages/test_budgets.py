"""How many queries each page asks of the registry: exactly as many as its line says, however many rows there are.

A page that asks more fails, and so does one that asks fewer: the line then wants its new, lower figure.
"""

import re
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from gridgate.portal.pages import Page
from tests.pages.conftest import Stage
from tests.pages.listed import PAGES
from tests.pages.test_access import ALLOWED, browser

OPENED = [name for name, page in PAGES.items() if page.get[ALLOWED] == 200]


def test_every_page_that_is_opened_has_its_budget_and_no_other_has() -> None:
    assert [name for name, page in PAGES.items() if page.queries is not None] == OPENED


@pytest.mark.parametrize("name", OPENED)
def test_a_page_asks_as_many_queries_as_its_line_says_and_no_more_for_twice_the_rows(
    grown: Callable[[int], Stage], name: str
) -> None:
    few, many = (queries(grown, growths, PAGES[name]) for growths in (1, 2))
    assert len(many) == len(few), "the number of queries grows with the rows:\n" + difference(few, many)
    assert len(few) == PAGES[name].queries, "\n".join(few)


def queries(grown: Callable[[int], Stage], growths: int, page: Page) -> list[str]:
    """What the page asks in one of the worlds, which is gone afterwards."""
    before = transaction.savepoint()
    world, objects = grown(growths)
    client = browser(world, page, "allowed")
    path = page.path.format(**objects)
    client.get(path).close()  # what is worked out once and kept is not the page's
    with CaptureQueriesContext(connection) as seen:
        response = client.get(path)
        if response.streaming:
            b"".join(response)
    assert response.status_code == 200
    transaction.savepoint_rollback(before)
    return [re.sub(r"'[^']*'|\b\d+\b", "?", query["sql"]) for query in seen]


def difference(few: list[str], many: list[str]) -> str:
    return "\n".join(sql for sql in many if many.count(sql) > few.count(sql))
