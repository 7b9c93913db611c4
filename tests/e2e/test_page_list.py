"""The list of pages holds every URL of the portal that a person can look at."""

from django.urls import URLPattern, URLResolver, get_resolver

from tests.e2e.pages import NOT_PAGES, PAGES


def test_every_url_is_looked_at_or_explained() -> None:
    listed = {page.name for page in PAGES if page.name} | set(NOT_PAGES)
    assert _names(get_resolver().url_patterns) - listed == set(), "say them in pages.py"


def test_no_explanation_is_left_over() -> None:
    names = _names(get_resolver().url_patterns)
    assert set(NOT_PAGES) <= names
    assert not set(NOT_PAGES) & {page.name for page in PAGES}
    assert {page.name for page in PAGES if page.name} <= names


def test_addresses_bear_the_name_they_are_listed_under() -> None:
    for page in PAGES:
        if page.name and "{reset_link}" not in page.path:
            path = page.path.partition("?")[0].format_map(_Anything())
            assert get_resolver().resolve(path).url_name == page.name, page.path


class _Anything(dict[str, str]):
    """A value that every converter of the URL conf takes."""

    def __missing__(self, key: str) -> str:
        numbers = ("import", "member", "group", "directory_token")
        return "1" if key in numbers else "00000000-0000-4000-8000-000000000000"


def _names(patterns: list[URLPattern | URLResolver]) -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            found |= _names(pattern.url_patterns)
        else:
            assert pattern.name, f"{pattern} has no name"
            found.add(pattern.name)
    return found
