"""ID tokens that do not hold, from a provider that would have us believe them (OpenID Connect Core §3.1.3.7)."""

import hmac
import json
import re
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.functional.security.conftest import ask_for
from tests.integration.external_sign_in.conftest import told_of

KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one"})


def signed_with_the_public_key(claims: dict[str, Any]) -> str:
    """As a library that trusts the header would take it; joserfc refuses to make one."""
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "kid": "one"}, claims)]
    text = b".".join(urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    proof = hmac.new(KEY.as_pem(private=False), text, "sha256").digest()
    return (text + b"." + urlsafe_b64encode(proof).rstrip(b"=")).decode()


class Forger:
    """A provider whose answers a test chooses."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.described: dict[str, Any] = {}
        self.info: dict[str, Any] = {}
        self.nonce = ""
        self.sign: Any = None
        self.answer: Any = None
        forger = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._send(forger.read(self.path))

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self._send(forger.token())

            def _send(self, body: Any) -> None:
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"

    def read(self, path: str) -> Any:
        if path == "/jwks":
            return {"keys": [KEY.as_dict(private=False)]}
        if path == "/userinfo":
            return self.info
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            **self.described,
        }

    def token(self) -> Any:
        if self.answer is not None:
            return self.answer
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "gridgate",
            "sub": "s-alice",
            "exp": now + 300,
            "iat": now,
            "nonce": self.nonce,
            "email": "alice@acme.example",
            "email_verified": True,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        signed = self.sign(claims) if self.sign else jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY)
        return {"access_token": "x", "token_type": "Bearer", "expires_in": 300, "id_token": signed}


@pytest.fixture
def forger(people: Any, settings: Any) -> Iterator[Forger]:
    made = Forger()
    told_of(settings, made.issuer)
    thread = Thread(
        target=made.server.serve_forever, args=[0.01], daemon=True
    )  # else its end takes half a second
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def come_back(forger: Forger) -> Any:
    browser = Client()
    asked = parse_qs(urlsplit(browser.get("/connexion/externe/")["Location"]).query)
    forger.nonce = asked["nonce"][0]
    answer = browser.get(f"/connexion/externe/retour/?code=c&state={asked['state'][0]}")
    return browser, answer


def outcome(forger: Forger) -> str:
    browser, answer = come_back(forger)
    inside = browser.get("/compte/").status_code == 200
    assert inside == SocialAccount.objects.exists()
    if inside:
        return "in"
    found = re.fullmatch(r"/connexion/externe/refus/([a-z-]+)/", answer["Location"])
    assert found, answer["Location"]
    return found[1]


def test_one_that_holds_signs_in(forger):
    assert outcome(forger) == "in"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"},
        {"aud": "somebody"},
        {"aud": ["somebody"]},
        {"aud": ["gridgate", "somebody"]},
        {"aud": ["gridgate", "somebody"], "azp": "somebody"},
        {"azp": "somebody"},
        {"sub": None},
        {"sub": ""},
        {"exp": 1},
        {"exp": None},
        {"iat": 4_000_000_000},  # in 2096
        {"nonce": "another"},
        {"nonce": None},
    ],
    ids=str,
)
def test_claims_that_are_not_meant_for_us_are_refused(forger, claims):
    forger.claims = claims
    assert outcome(forger) == "echec"


def test_several_audiences_with_us_as_the_party_hold(forger):
    forger.claims = {"aud": ["gridgate", "somebody"], "azp": "gridgate"}
    assert outcome(forger) == "in"


SIGNATURES = {
    "another key": lambda claims: jwt.encode({"alg": "RS256", "kid": "one"}, claims, OTHER_KEY),
    "an unknown key": lambda claims: jwt.encode({"alg": "RS256", "kid": "two"}, claims, OTHER_KEY),
    "the public key as a secret": signed_with_the_public_key,
    "none": lambda claims: jwt.encode({"alg": "none"}, claims, OctKey.generate_key(), algorithms=["none"]),
    "no token": lambda claims: "x.y.z",
    "no text": lambda claims: 1,
}


@pytest.mark.parametrize("how", SIGNATURES)
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_signatures_that_are_not_the_providers_are_refused(forger, how):
    forger.sign = SIGNATURES[how]
    assert outcome(forger) == "echec"


@pytest.mark.parametrize(
    "answer", [{}, [], 1, "x", {"access_token": "x"}, b"<html>", b"access_token=x&id_token=y"]
)
def test_answers_that_are_none_are_refused(forger, answer):
    forger.answer = answer
    assert outcome(forger) in ("echec", "indisponible")


class TestUserInfo:
    def test_completes_what_the_token_lacks(self, forger):
        forger.claims = {"email": None, "email_verified": None}
        forger.info = {"sub": "s-alice", "email": "alice@acme.example", "email_verified": True}
        assert outcome(forger) == "in"

    def test_of_another_subject_is_refused(self, forger):
        forger.claims = {"email": None, "email_verified": None}
        forger.info = {"sub": "s-mallory", "email": "alice@acme.example", "email_verified": True}
        assert outcome(forger) == "echec"

    def test_does_not_replace_what_the_token_says(self, forger):
        forger.claims = {"email": "alice@acme.example", "email_verified": False}
        forger.info = {"sub": "s-alice", "email": "alice@acme.example", "email_verified": True}
        assert outcome(forger) == "adresse"


class TestASecondFactor:
    """Alice's role asks one, and she has set none here: what counts opens the page, what does not leads elsewhere."""

    @pytest.fixture
    def asked(self, forger):
        ask_for(
            strong_for_administrators=True,
            provider_issuer=forger.issuer,
            provider_amr=["mfa"],
            provider_acr=["2"],
        )

    @staticmethod
    def counts(forger):
        browser, _ = come_back(forger)
        answer = browser.get("/compte/")
        assert answer.status_code == 200 or answer["Location"] == "/compte/securite/"
        return answer.status_code == 200

    def test_counts_when_the_signed_token_says_so(self, asked, forger):
        forger.claims = {"amr": ["pwd", "mfa"]}
        assert self.counts(forger)

    def test_does_not_when_only_the_user_info_does(self, asked, forger):
        """The user info is read, for the address, and is signed by nobody."""
        forger.claims = {"email": None, "email_verified": None}
        forger.info = {
            "sub": "s-alice",
            "email": "alice@acme.example",
            "email_verified": True,
            "amr": ["mfa"],
            "acr": "2",
        }
        assert not self.counts(forger)

    @pytest.mark.parametrize(
        ("ago", "enough"), [(0, True), (9 * 60, True), (12 * 60, False), (-5 * 60, False), (None, False)]
    )
    def test_counts_while_the_sign_in_there_is_recent_when_the_operator_asks_it(
        self, asked, forger, ago, enough
    ):
        ask_for(provider_minutes=10)
        forger.claims = {"amr": ["mfa"], "auth_time": None if ago is None else int(time.time()) - ago}
        assert self.counts(forger) is enough

    @pytest.mark.parametrize("at", ["now", True, [1], 10**400, -(10**400), 1e308], ids=lambda at: str(at)[:9])
    def test_does_not_when_the_token_says_no_instant(self, asked, forger, at):
        ask_for(provider_minutes=10)
        forger.claims = {"amr": ["mfa"], "auth_time": at}
        assert not self.counts(forger)

    def test_of_which_the_sign_in_there_is_old_counts_when_that_does_not_matter(self, asked, forger):
        forger.claims = {"amr": ["mfa"], "auth_time": 1}
        assert self.counts(forger)


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://other.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"jwks_uri": 1},
        {"authorization_endpoint": "ftp://127.0.0.1/"},
    ],
    ids=str,
)
def test_a_description_that_is_not_the_providers_is_told(forger, described):
    forger.described = described
    answer = Client().get("/connexion/externe/")
    assert answer.status_code == 503
    assert "La connexion n’a pas abouti" in answer.content.decode()
