"""From one page to the next."""

from playwright.sync_api import Locator


def go(to: Locator) -> None:
    """Press what leads to another page, and be there when it has loaded.

    A click ends before the form is sent: what is asked next may be asked of the page that goes (reloading it is then
    refused by the browser), or of a new one that has no body yet; and pressing something else can undo the sending.
    """
    with to.page.expect_navigation():
        to.click()
