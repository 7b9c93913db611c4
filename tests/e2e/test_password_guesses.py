"""Password guesses against a real server of two processes."""

import re
from concurrent.futures import ThreadPoolExecutor

import httpx

from tests.instance import Server
from tests.waiting import PATIENCE

GUESSES = 16
"""All at once. More of them would take longer on a slow machine than the minute after which another is allowed."""
ALLOWED = 5


def guess(base_url: str, email: str, password: str, address: str) -> str:
    """Try a password as a new browser would; returns "in", "wrong", "paused", or the status of another answer."""
    with httpx.Client(base_url=base_url, headers={"X-Forwarded-For": address}, timeout=PATIENCE) as browser:
        page = browser.get("/connexion/").text
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        assert found
        form = {"login": email, "password": password, "csrfmiddlewaretoken": found[1]}
        answer = browser.post("/connexion/", data=form)
    if answer.status_code == 302:
        return "in"
    if "Trop d’essais" in answer.text:
        return "paused"
    return "wrong" if "Adresse ou mot de passe incorrect" in answer.text else str(answer.status_code)


def test_are_five_over_all_processes_even_all_at_once(own_demo_server: Server) -> None:
    """And the address that a client claims to come from does not give it more."""
    alice = own_demo_server.world["users"]["alice"]
    url, email = own_demo_server.base_url, alice["email"]
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda number: guess(url, email, f"essai {number}", f"192.0.2.{number}"), range(GUESSES))
        )
    assert answers.count("wrong") <= ALLOWED
    assert set(answers) <= {"wrong", "paused"}
    assert guess(url, email, alice["password"], "192.0.2.200") == "paused"
