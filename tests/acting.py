"""Posts of tests that draw no page first: they say the company that is open, as the page's form would."""

from collections.abc import Iterator

import pytest
from django.http import HttpRequest

from gridgate.portal.guards import acting


@pytest.fixture(scope="session", autouse=True)
def _forms_say_for_whom_they_are() -> Iterator[None]:
    """As Django lets test clients post without a token; those with `enforce_csrf_checks` bring both themselves, and a
    company that a test sends is taken as sent.
    """
    sent_for = acting.sent_for

    def filled_in(request: HttpRequest) -> set[str]:
        lenient = getattr(request, "_dont_enforce_csrf_checks", False)
        if lenient and acting.FIELD not in request.POST:
            return {acting.siren_of(request) or ""}
        return sent_for(request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(acting, "sent_for", filled_in)
        yield
