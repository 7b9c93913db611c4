"""Second factors and one-time codes on a real server of two processes, with a real browser and its keys."""

import base64
import hashlib
import hmac
import json
import re
import struct
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, CDPSession, Page

from tests.browser_session import carried_by, submit, token_of
from tests.e2e.going import go
from tests.e2e.looking import listening
from tests.e2e.visiting import Visitor
from tests.instance import Server
from tests.mailbox import code_sent_to
from tests.waiting import PATIENCE

GUESSES = 16
ALLOWED = 5
AHEAD = 30
"""A code of the next half minute is accepted, and the one that set the application up is used: no test waits."""


def totp(secret: str, ahead: int = 0) -> str:
    """RFC 6238, written here from the standard."""
    key = base64.b32decode(secret.replace(" ", ""))
    digest = hmac.new(key, struct.pack(">Q", int(time.time() + ahead) // 30), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def wrong_codes(secret: str, count: int) -> list[str]:
    """That many codes, none of which is good within the next hour or was in the last minutes."""
    good = {totp(secret, ahead) for ahead in range(-300, 3600, 30)}
    return [code for number in range(200 + count) if (code := f"{number:06d}") not in good][:count]


def set_up_totp(server: Server, person: dict[str, str]) -> str:
    """Add an application with forms alone; returns its secret."""
    with password_given(server, person) as client:
        client.get("/compte/securite/application/")
        page = submit(client, "/confirmation/", step_up_code=code_sent_to(server, person["email"]))
        found = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
        assert found, page.text[:2000]
        done = submit(client, "/compte/securite/application/", code=totp(found[1]))
        assert "Gardez-les maintenant" in done.text
    return found[1]


@contextmanager
def password_given(server: Server, person: dict[str, str]) -> Iterator[httpx.Client]:
    """A new browser that has just sent the right password."""
    with httpx.Client(base_url=server.base_url, follow_redirects=True, timeout=PATIENCE) as client:
        submit(client, "/connexion/", login=person["email"], password=person["password"])
        yield client


def try_code(client: httpx.Client, token: str, code: str) -> str:
    """Send a code without reading the page again; returns "in", "wrong", "paused", or the status of another answer."""
    answer = client.post(
        "/connexion/code/", data={"csrfmiddlewaretoken": token, "code": code}, follow_redirects=False
    )
    if answer.status_code == 302:
        return "in" if answer.headers["Location"] == "/" else answer.headers["Location"]
    if "Trop d’essais" in answer.text:
        return "paused"
    return "wrong" if "Ce n’est pas le bon code" in answer.text else str(answer.status_code)


@contextmanager
def several(server: Server, person: dict[str, str], count: int) -> Iterator[list[tuple[httpx.Client, str]]]:
    """That many browsers before the page of the code, each with the token of its form."""
    clients: list[httpx.Client] = []
    try:
        for _ in range(count):
            client = httpx.Client(base_url=server.base_url, follow_redirects=True, timeout=PATIENCE)
            clients.append(client)
            submit(client, "/connexion/", login=person["email"], password=person["password"])
        yield [(client, token_of(client.get("/connexion/code/").text)) for client in clients]
    finally:
        for client in clients:
            client.close()


class TestOverAllProcesses:
    """Each as another person, and so on one server; but guesses also count by the address that they come from."""

    def test_a_second_factor_is_guessed_at_five_times_even_all_at_once(self, own_demo_server: Server) -> None:
        alice = own_demo_server.world["users"]["alice"]
        secret = set_up_totp(own_demo_server, alice)
        with several(own_demo_server, alice, 8) as thieves, ThreadPoolExecutor(16) as pool:
            guesses = [(*thieves[n % 8], code) for n, code in enumerate(wrong_codes(secret, GUESSES))]
            answers = list(pool.map(lambda guess: try_code(*guess), guesses))
            assert answers.count("wrong") <= ALLOWED
            assert set(answers) <= {"wrong", "paused"}
            assert try_code(*thieves[0], totp(secret, AHEAD)) == "paused"

    def test_a_code_of_the_application_opens_one_session_of_five_at_once(
        self, demo_server_of_file: Server
    ) -> None:
        visitor = demo_server_of_file.world["users"]["visiteur"]
        secret = set_up_totp(demo_server_of_file, visitor)
        with several(demo_server_of_file, visitor, 5) as browsers, ThreadPoolExecutor(5) as pool:
            code = totp(secret, AHEAD)
            answers = list(pool.map(lambda browser: try_code(*browser, code), browsers))
        assert sorted(answers) == ["in", "wrong", "wrong", "wrong", "wrong"]

    def test_a_one_time_code_is_used_once_even_by_the_session_that_asked(
        self, demo_server_of_file: Server
    ) -> None:
        operator = demo_server_of_file.world["users"]["operateur"]
        before = len(told(demo_server_of_file, "step-up accepted"))
        with password_given(demo_server_of_file, operator) as client:
            token = token_of(client.get("/compte/securite/application/").text)
            code = code_sent_to(demo_server_of_file, operator["email"])
            form = {"csrfmiddlewaretoken": token, "step_up_code": code}
            with ThreadPoolExecutor(8) as pool:
                list(
                    pool.map(
                        lambda _: client.post("/confirmation/", data=form, follow_redirects=False), range(8)
                    )
                )
        assert len(told(demo_server_of_file, "step-up accepted")) == before + 1

    def test_a_session_closed_from_another_is_out_at_its_next_request(
        self, demo_server_of_file: Server
    ) -> None:
        alice = demo_server_of_file.world["users"]["alice"]
        with (
            password_given(demo_server_of_file, alice) as here,
            password_given(demo_server_of_file, alice) as there,
        ):
            assert there.get("/").url.path == "/"
            submit_named(here, "/compte/securite/", "/compte/securite/sessions/", session="others")
            for _ in range(8):  # whichever process answers
                assert there.get("/compteurs/").url.path == "/connexion/"
                assert here.get("/").url.path == "/"


def told(server: Server, event: str) -> list[dict[str, Any]]:
    """What the server's log says of an event."""
    lines = server.log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = [json.loads(line) for line in lines if line.startswith('{"at"')]
    return [line for line in said if line["event"] == event]


def submit_named(client: httpx.Client, page: str, action: str, **fields: str) -> httpx.Response:
    """Send fields to a form's own address, with what the page that holds it carries."""
    return client.post(action, data={**carried_by(client.get(page).text), **fields})


@pytest.fixture
def warm_server(demo_server_of_file: Server) -> Server:
    """Each process reads its pages at its first request, which takes longer than a browser waits on a busy machine."""
    for _ in range(6):
        assert httpx.get(f"{demo_server_of_file.base_url}/connexion/", timeout=PATIENCE).status_code == 200
    return demo_server_of_file


@pytest.fixture
def keyring(browser: Browser, warm_server: Server) -> Iterator[tuple[Page, CDPSession]]:
    """A page at a host name that browsers take keys at."""
    context = browser.new_context(
        base_url=f"http://localhost:{warm_server.port}",
        locale="fr-FR",
        viewport={"width": 360, "height": 900},
    )
    context.set_default_timeout(PATIENCE * 1000)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    yield page, session
    context.close()


def plug_in(session: CDPSession, *, verified: bool = True) -> str:
    """A device of the browser's own, whose owner is known by their finger, or is not."""
    made = session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": verified,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return str(made["authenticatorId"])


def give_password(page: Page, person: dict[str, str]) -> None:
    page.goto("/connexion/")
    page.get_by_label("Adresse e-mail").fill(person["email"])
    page.get_by_label("Mot de passe", exact=True).fill(person["password"])
    page.get_by_role("button", name="Continuer", exact=True).click()
    page.wait_for_url(lambda url: not url.endswith("/connexion/"))


class TestInABrowser:
    def test_a_person_adds_a_key_and_an_application_and_signs_in_with_either(
        self, warm_server: Server, keyring: tuple[Page, CDPSession], visitor: Visitor
    ) -> None:
        """And nothing is wrong with any page on the way."""
        page, session = keyring
        charlie = warm_server.world["users"]["charlie"]
        plug_in(session)
        with listening(page) as said:
            give_password(page, charlie)
            page.goto("/compte/securite/")
            look(visitor, page)
            go(page.get_by_role("link", name="Ajouter une clé d’accès"))
            look(visitor, page)  # the page that asks for the code from the mailbox
            page.get_by_label("Code à usage unique").fill(code_sent_to(warm_server, charlie["email"]))
            page.get_by_role("button", name="Confirmer").click()
            page.wait_for_url("**/cles/ajouter/")
            look(visitor, page)
            page.get_by_label("Nom de la clé").fill("Mon ordinateur")
            page.get_by_role("button", name="Ajouter la clé").click()
            page.wait_for_url("**/codes/")
            assert page.locator(".codes li").count() == 10
            with page.expect_download() as downloading:
                page.get_by_role("link", name="Télécharger").click()
            assert len(re.findall(r"^\d{4} \d{4} \d{4}", downloading.value.path().read_text(), re.M)) == 10
            page.goto("/compte/securite/codes/")
            assert page.locator(".codes li").count() == 0
            look(visitor, page)
            page.goto("/compte/securite/application/")
            look(visitor, page)
            secret = page.locator("code").first.inner_text()
            page.get_by_label("Code que montre").fill(totp(secret))
            page.get_by_role("button", name="Ajouter l’application").click()
            page.wait_for_url("**/codes/")
            page.goto("/compte/securite/application/")
            look(visitor, page)
            page.goto("/compte/securite/")
            look(visitor, page)
            go(page.get_by_role("link", name="Modifier Mon ordinateur"))
            look(visitor, page)

            sign_out(page)
            page.get_by_role("button", name="Continuer avec une clé d’accès").click()
            page.wait_for_url(lambda url: "/connexion/" not in url)
            page.goto("/compte/securite/")
            assert (
                "clé d’accès" in page.locator("section[aria-labelledby=sign-ins] tbody tr").first.inner_text()
            )

            sign_out(page)
            give_password(page, charlie)
            page.wait_for_url("**/connexion/code/")
            look(visitor, page)
            page.get_by_label("Code à usage unique").fill(totp(secret, AHEAD))
            page.get_by_role("button", name="Se connecter").click()
            page.wait_for_url(lambda url: "/connexion/" not in url)

            sign_out(page)
            give_password(page, charlie)
            page.wait_for_url("**/connexion/code/")
            page.get_by_role("button", name="Continuer avec une clé d’accès").click()
            page.wait_for_url(lambda url: "/connexion/" not in url)
        assert said == []

    def test_a_device_that_does_not_know_its_owner_opens_nothing_and_the_page_says_so(
        self, warm_server: Server, keyring: tuple[Page, CDPSession]
    ) -> None:
        page, session = keyring
        tiers1 = warm_server.world["users"]["tiers1"]
        device = plug_in(session)
        give_password(page, tiers1)
        page.goto("/compte/securite/cles/ajouter/")
        page.get_by_label("Code à usage unique").fill(code_sent_to(warm_server, tiers1["email"]))
        page.get_by_role("button", name="Confirmer").click()
        page.get_by_role("button", name="Ajouter la clé").click()
        page.wait_for_url("**/codes/")
        sign_out(page)
        session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
        page.get_by_role("button", name="Continuer avec une clé d’accès").click()
        page.get_by_role("alert").filter(has_text="Rien n’a été fait").wait_for()
        assert page.url.endswith("/connexion/")

    def test_without_scripts_the_page_of_keys_says_what_to_do_instead(
        self, warm_server: Server, browser: Browser
    ) -> None:
        bob = warm_server.world["users"]["bob"]
        context = browser.new_context(
            base_url=f"http://localhost:{warm_server.port}", locale="fr-FR", java_script_enabled=False
        )
        context.set_default_timeout(PATIENCE * 1000)
        page = context.new_page()
        give_password(page, bob)
        page.goto("/compte/securite/cles/ajouter/")
        page.get_by_label("Code à usage unique").fill(code_sent_to(warm_server, bob["email"]))
        page.get_by_role("button", name="Confirmer").click()
        page.wait_for_url("**/cles/ajouter/")
        assert page.get_by_role("button", name="Ajouter la clé").is_hidden()
        page.get_by_role("link", name="Ajouter une application de codes").click()
        page.wait_for_url("**/application/")
        secret = page.locator("code").first.inner_text()
        page.get_by_label("Code que montre").fill(totp(secret))
        page.get_by_role("button", name="Ajouter l’application").click()
        page.wait_for_url("**/codes/")
        assert page.locator(".codes li").count() == 10
        context.close()


def sign_out(page: Page) -> None:
    """By the menu's own form, from any page."""
    page.locator("form[action='/deconnexion/'] button").first.evaluate(
        "button => button.form.requestSubmit()"
    )
    page.wait_for_url("**/connexion/")


def look(visitor: Visitor, page: Page) -> None:
    """Nothing is wrong with the page; then open it again, for the server takes the answer to what it asked last."""
    assert visitor.look(page, data=("Mon ordinateur",)) == []
    page.reload()
