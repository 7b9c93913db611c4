"""Every address of the portal, every method, every kind of person."""

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse

from gridgate.portal.guards.acting import FIELD, FOR_NO_COMPANY
from gridgate.portal.pages import ROLES, SIGN_IN, Page
from tests.comparing import without_what_differs
from tests.pages.conftest import Stage
from tests.pages.listed import PAGES, STATES
from tests.pages.objects import ABSENT
from tests.world import World

METHODS = ("GET", "POST")
ALLOWED = ROLES.index("allowed")
OTHERS = ROLES[:ALLOWED]
"""All but who may: who may is the last."""
EACH_CHECK = {"company_group_new", "kyc_section"}
"""Pages whose forms are checked for their company by the middleware, and by the view itself."""
NO_FORM = (SIGN_IN, 405, 401)
"""What needs no form's token: nobody is let in, the method is not taken, or a token of its own is asked for."""


class TestList:
    def test_has_every_address_and_no_other(self) -> None:
        patterns = list(named_patterns(get_resolver()))
        assert [pattern for name, pattern in patterns if not name] == [], "an address has no name"
        assert {name for name, _ in patterns} == {page.name for page in PAGES.values() if page.name}

    @pytest.mark.parametrize("name", [page.name for page in PAGES.values() if page.name])
    def test_names_the_address_its_path_leads_to(self, name: str) -> None:
        assert resolve(PAGES[name].path.format(**ABSENT)).url_name == name

    def test_looks_at_a_page_under_an_address_that_leads_to_it(self) -> None:
        """But for links whose whole address is in an e-mail, and addresses of no page."""
        made_later = defaultdict(lambda: "1", ABSENT, received=ABSENT["permission"])
        led = {
            state.path: (resolve(state.path.partition("?")[0].format_map(made_later)).url_name, state.page)
            for state in STATES
            if state.page and state.path != "{reset_link}"
        }
        assert {path: names for path, names in led.items() if len(set(names)) > 1} == {}

    def test_says_who_looks_at_a_page_or_why_nobody_does(self) -> None:
        assert [name for name, page in PAGES.items() if bool(page.states) == bool(page.unseen)] == []

    def test_has_every_role(self) -> None:
        for page in PAGES.values():
            for method in METHODS:
                assert len(page.answers(method)) == len(ROLES), page.name


def named_patterns(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str | None, str]]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield entry.name, prefix + str(entry.pattern)
        else:
            yield from named_patterns(entry, prefix + str(entry.pattern))


def browser(world: World, page: Page, role: str) -> Client:
    if role == "visitor":
        return world.visitor()
    cast = {"no entitlement": "acme_user", "other company": "charlie", "outside": "bob"}
    return world.client(cast.get(role, page.allowed))


def request(client: Client, method: str, page: Page, objects: dict[str, str]) -> Any:
    path = page.path.format(**objects)
    if method == "POST":
        return client.post(path, {key: value.format(**objects) for key, value in page.form.items()})
    answer = client.get(path)
    if answer.streaming:
        answer.close()  # a file that nobody takes
    return answer


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_for_whom_it_says(stage: Stage, name: str) -> None:
    """Each method for each role, once, in the list's order on one world: whoever may change something comes last."""
    world, objects = stage
    page = PAGES[name]
    browsers = {role: browser(world, page, role) for role in ROLES}

    def answers(method: str, roles: tuple[str, ...]) -> dict[str, Any]:
        return {role: request(browsers[role], method, page, objects) for role in roles}

    def words(answers: dict[str, Any]) -> list[int | str]:
        return [said(answers[role], page, objects) for role in ROLES]

    read = answers("GET", OTHERS)
    with CaptureQueriesContext(connection) as asked:
        read |= answers("GET", ROLES[ALLOWED:])
    assert words(read) == list(page.get), "GET"
    opened = read["allowed"]
    if page.get[ALLOWED] == "→ step_up":  # the first time sends a code, which is for all that follow
        with CaptureQueriesContext(connection) as asked:
            answers("GET", ROLES[ALLOWED:])
    if page.get[0] == SIGN_IN:
        reading_changes_nothing(asked)
        no_shared_cache_keeps_it(opened)
        every_form_says_for_whom_it_is(opened, getattr(world, page.allowed).organisation.siren)
    if page.get[ALLOWED] == 200:
        no_day_breaks_a_form(browsers["allowed"], page, objects, opened)
    hidden = "{" in page.path and 404 in page.get
    if hidden:
        what_is_not_ones_own_looks_absent("GET", read, browsers, page)
    if page.name and any(answer not in NO_FORM for answer in page.answers("POST")):
        a_form_from_elsewhere_is_refused(browsers["allowed"], page, objects)
        if acts_for_a_company(page):
            a_form_of_another_company_is_refused(browsers["allowed"], world, page, objects)
    sent = answers("POST", OTHERS)
    if hidden:
        what_is_not_ones_own_looks_absent("POST", sent, browsers, page)
    assert words(sent | answers("POST", ROLES[ALLOWED:])) == list(page.answers("POST")), "POST"


def said(response: Any, page: Page, objects: dict[str, str]) -> int | str:
    """The answer in the list's words."""
    if response.status_code != 302:
        return int(response.status_code)
    if response["Location"] == f"/connexion/?next={page.path.format(**objects)}":
        return SIGN_IN
    return f"→ {resolve(response['Location'].partition('?')[0]).url_name}"


def no_shared_cache_keeps_it(response: Any) -> None:
    assert "no-store" in response.get("Cache-Control", "") or "private" in response.get("Cache-Control", "")
    assert "default-src 'self'" in response["Content-Security-Policy"]


def reading_changes_nothing(asked: CaptureQueriesContext) -> None:
    """A link leads somewhere and does nothing. What is kept of reading itself is the session and who read what."""
    kept = (
        "django_session",
        "usersessions_usersession",
        "organisations_usersession",
        "accounts_stepupcode",
    )
    changes = [
        one["sql"]
        for one in asked.captured_queries
        if re.match(r"\s*(INSERT|UPDATE|DELETE|REPLACE)\b", one["sql"], re.I)
    ]
    assert [sql for sql in changes if not any(table in sql for table in kept)] == []


def every_form_says_for_whom_it_is(response: Any, siren: str) -> None:
    if response.streaming or not response["Content-Type"].startswith("text/html"):
        return
    forms = re.findall(r"<form\b[^>]*method=\"post\".*?</form>", response.content.decode(), flags=re.S | re.I)
    assert [form for form in forms if f'name="{FIELD}" value="{siren}"' not in form] == []


def no_day_breaks_a_form(client: Client, page: Page, objects: dict[str, str], opened: Any) -> None:
    """Every field for a day takes the first and the last that a calendar has; what that changes is undone."""
    if opened.streaming or not opened["Content-Type"].startswith("text/html"):
        return
    before = transaction.savepoint()
    for field in set(re.findall(r'<input type="date"[^>]*? name="([^"]+)"', opened.content.decode())):
        for day in ("0001-01-01", "9999-12-31"):
            typed = {key: value.format(**objects) for key, value in page.form.items()} | {field: day}
            assert client.post(page.path.format(**objects), typed).status_code < 500, (field, day)
    transaction.savepoint_rollback(before)


def what_is_not_ones_own_looks_absent(
    method: str, answers: dict[str, Any], browsers: dict[str, Client], page: Page
) -> None:
    """Of another company, or outside the perimeter: same status, same words, same headers."""
    for role in ("other company", "outside"):
        theirs, absent = answers[role], request(browsers[role], method, page, ABSENT)
        where = f"{method} as {role}"
        assert theirs.status_code == absent.status_code, where
        assert bare(theirs) == bare(absent), where
        assert set(theirs.headers) == set(absent.headers), where


def bare(response: Any) -> str:
    return without_what_differs(response.content.decode(), response.wsgi_request.path)


def a_form_from_elsewhere_is_refused(signed_in: Client, page: Page, objects: dict[str, str]) -> None:
    """Without its token, a POST changes nothing, whoever is signed in."""
    client = Client(enforce_csrf_checks=True)
    client.cookies = signed_in.cookies
    assert request(client, "POST", page, objects).status_code == 403, "a form without its token"


def acts_for_a_company(page: Page) -> bool:
    open_to_all = not getattr(resolve(page.path.format(**ABSENT)).func, "login_required", True)
    return not open_to_all and page.name not in FOR_NO_COMPANY


def a_form_of_another_company_is_refused(
    signed_in: Client, world: World, page: Page, objects: dict[str, str]
) -> None:
    """By the form of a page, and for each of the two checks that there are, also when it says none, one that is not the
    person's, or that of the open company beside another: they compare what is said, whatever the page.
    """
    client = Client(enforce_csrf_checks=True)
    client.cookies = signed_in.cookies
    token = client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    path = page.path.format(**objects)
    form = {key: value.format(**objects) for key, value in page.form.items()} | {"csrfmiddlewaretoken": token}
    own, other = getattr(world, page.allowed).organisation.siren, world.client_b.siren
    said: list[dict[str, Any]] = [
        {},
        {FIELD: ""},
        {FIELD: other},
        {FIELD: [own, other]},
        {FIELD: [other, own]},
    ]
    for company in said if page.name in EACH_CHECK else [{FIELD: other}]:
        answer = client.post(path, form | company)
        assert answer.status_code == 409, (page.name, company)
        assert world.client_b.legal_name not in answer.content.decode(), "a company that is not theirs"


def test_forms_that_act_for_no_company_are_few_and_their_own() -> None:
    """Each is an address that takes a form; the rest of the account's addresses take none."""
    forms = {name for name, page in PAGES.items() if page.answers("POST")[ALLOWED] != 405}
    assert forms >= FOR_NO_COMPANY
    assert {name for name in FOR_NO_COMPANY if not PAGES[name].path.startswith("/compte/")} == {
        "step_up",
        "terms_accept",
    }


def test_only_interfaces_of_programs_check_forms_on_their_own() -> None:
    """What Django's check of forms leaves alone, or ours, has tokens of its own, or does both checks itself."""
    views = {page.name: resolve(page.path.format(**ABSENT)).func for page in PAGES.values() if page.name}
    exempt = {name for name, view in views.items() if getattr(view, "csrf_exempt", False)}
    own = {name for name, view in views.items() if getattr(view, "checks_company", False)}
    assert {name for name in exempt if not name.startswith("scim_")} == own == {"kyc_section"}


def test_signing_in_is_asked_by_default() -> None:
    assert "gridgate.portal.guards.access.SignInMiddleware" in settings.MIDDLEWARE
    for name, page in PAGES.items():
        if page.name and (page.get[0] != SIGN_IN or page.answers("POST")[0] != SIGN_IN):
            view = resolve(page.path.format(**ABSENT)).func
            assert getattr(view, "login_required", True) is False, name


def test_reverse_finds_the_sign_in_page() -> None:
    assert reverse("sign_in") == "/connexion/"
