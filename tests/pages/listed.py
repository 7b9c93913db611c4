"""The one list of pages, as tests use it."""

from gridgate.portal.pages import Page, State, every_page

PAGES: dict[str, Page] = {page.name or page.path: page for page in every_page()}
STATES: list[State] = [state for page in PAGES.values() for state in page.looks()]
