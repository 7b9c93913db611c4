"""What `gridgate demo` leaves to look at for those who run the network, and for somebody who acts for no company."""

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridgate.core.quantities import FlowDirection, Kind
from gridgate.dataplane.store import open_store
from gridgate.demo import cast
from gridgate.demo.curves import POWER_FACTOR
from tests.browser_session import signed_in, submit
from tests.dataplane_world import PARIS
from tests.instance import INSTALLED, READY_SECONDS, Server, demo_copy

CLIENT_C, TIERS_2 = "222222226", "333444552"


def text_of(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.url
    page = re.sub(r"<svg\b.*?</svg>", "", answer.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture(scope="module")
def server_as_installed(demo_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`gridgate serve` by the installed command, in an interpreter of its own, which most tests spare themselves."""
    with demo_copy(demo_template, tmp_path_factory.mktemp("installed"), installed=True) as server:
        yield server


class TestTheInstalledCommand:
    def test_seeds_the_world_and_serves_it(self, server_as_installed: Server) -> None:
        with signed_in(server_as_installed, "alice") as alice:
            assert "ACME Industries" in text_of(alice.get("/"))

    def test_checks_it(self, server_as_installed: Server) -> None:
        done = subprocess.run(
            [INSTALLED, "--data", server_as_installed.data, "check"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, f"{server_as_installed.data}: nothing to mend.\n")


class TestDemoJson:
    def test_holds_every_account_under_the_names_that_do_not_change(self, demo_server: Server) -> None:
        users: dict[str, Any] = demo_server.world["users"]
        assert {"alice", "bob", "charlie", "tiers1", "operateur", "visiteur"} <= users.keys()
        for person in users.values():
            assert person.keys() == {"email", "password", "organisation", "role"}

    def test_says_of_the_visitor_that_they_act_for_no_company(self, demo_server: Server) -> None:
        visitor = demo_server.world["users"]["visiteur"]
        assert (visitor["organisation"], visitor["role"]) == ("", "")

    def test_each_account_signs_in_at_once(self, demo_server: Server) -> None:
        for user in demo_server.world["users"]:
            with signed_in(demo_server, user) as client:
                answer = client.get("/")
                assert answer.status_code == 200
                assert "/conditions/" not in str(answer.url), f"{user} is asked for the general terms"


class TestTheVisitor:
    @pytest.mark.parametrize(
        ("language", "said"),
        [
            ("fr", ["Bonjour Visiteur", "Code EIC « VISITEUR »", "Vos démarches", "Vos favoris"]),
            ("en", ["Hello Visiteur", "EIC code “VISITEUR”", "What you can ask for", "Your favourites"]),
        ],
    )
    def test_finds_their_request_and_their_favourites(
        self, demo_server: Server, language: str, said: list[str]
    ) -> None:
        with signed_in(demo_server, "visiteur", language=language) as visitor:
            text = text_of(visitor.get("/")).replace("\u00a0", " ")
        for words in said:
            assert words in text

    def test_removes_a_favourite_and_withdraws_none(self, demo_server: Server) -> None:
        with signed_in(demo_server, "visiteur", language="en") as visitor:
            text = text_of(visitor.get("/compte/"))
        assert "Remove EIC codes" in text
        assert "Withdraw" not in text

    def test_sees_nobody_s_meters(self, demo_server: Server) -> None:
        with signed_in(demo_server, "visiteur") as visitor:
            assert visitor.get("/compteurs/").status_code == 403


class TestTheOperator:
    def test_may_declare_the_first_administrator_of_client_c(self, server_as_installed: Server) -> None:
        page = f"/administration/entreprises/{CLIENT_C}/premier-administrateur/"
        with signed_in(server_as_installed, "operateur") as operator:
            text_of(operator.get(page))
            text = text_of(
                submit(
                    operator,
                    page,
                    email="premier.administrateur@client-c.example",
                    full_name="Premier administrateur",
                    language="fr",
                )
            )
        assert "premier.administrateur@client-c.example" in text
        assert "Activation attendue" in text

    def test_follows_the_link_that_the_first_administrator_of_tiers_2_has_not_opened(
        self, demo_server: Server
    ) -> None:
        with signed_in(demo_server, "operateur") as operator:
            text = text_of(operator.get(f"/administration/entreprises/{TIERS_2}/"))
        assert "Lien envoyé" in text
        assert "Activation attendue" in text

    def test_finds_the_request_of_a_person_on_the_desk(self, demo_server: Server) -> None:
        with signed_in(demo_server, "operateur") as operator:
            text = text_of(operator.get("/administration/demandes/"))
        assert "Visiteur pour aucune entreprise d’ici" in text


FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
NO_CHUNK = b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc\r\n0\r\n\r\n"
TOO_SHORT = b"Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n"


class TestBytesThatAreNoRequest:
    @pytest.mark.parametrize(
        "sent",
        [
            b"POST /oauth2/token HTTP/1.1\r\n%H" + FORM + NO_CHUNK,
            b"POST /enedis/oauth2/v3/revoke HTTP/1.1\r\n%H" + FORM + TOO_SHORT,
            b"POST /connexion/ HTTP/1.1\r\n%H" + FORM + NO_CHUNK,
            b"POST /scim/v2/Users HTTP/1.1\r\n%H" + NO_CHUNK,
            b"GET /\xff HTTP/1.1\r\n%H\r\n",
            b"GET /%ff%00%zz/%ed%a0%80?%ff=%zz&\xff=1 HTTP/1.1\r\n%H\r\n",
            b"GET /api/v1/metering-points/%ff%00?limit=%ff HTTP/1.1\r\n%HAuthorization: Bearer \xff\r\n\r\n",
            b"GET /enedis/%ed%a0%80 HTTP/1.1\r\n%HAuthorization: Basic \xff\r\n\r\n",
            b"GET /metrics HTTP/1.1\r\n%HAuthorization: \xff\r\n\r\n",
            b"GET /connexion/ HTTP/1.1\r\n%HCookie: session=\xff; messages=\xfe; =;\r\nAccept-Language: \xff\r\n\r\n",
            b"GET /static/%ff/%2e%2e/%00 HTTP/1.1\r\n%HIf-Modified-Since: \xff\r\nRange: bytes=9-\xff\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: \xff\r\nConnection: close\r\n\r\n",
            b"GET / HTTP/1.0\r\n\r\n",
            b"F\xffO / HTTP/1.1\r\n%H\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ],
        ids=lambda sent: sent.partition(b" HTTP")[0].decode("latin-1").encode("unicode_escape").decode()[:40],
    )
    def test_are_the_senders_fault(self, demo_server: Server, sent: bytes) -> None:
        named = f"Host: 127.0.0.1:{demo_server.port}\r\nConnection: close\r\n".encode()
        with socket.create_connection(("127.0.0.1", demo_server.port), timeout=READY_SECONDS) as talking:
            talking.sendall(sent.replace(b"%H", named))
            answer = talking.recv(12)
        assert answer[9:10] in (b"", b"2", b"3", b"4")
        assert httpx.get(f"{demo_server.base_url}/healthz", timeout=READY_SECONDS).status_code == 200


def test_its_figures_of_one_day_agree(demo_template: Path) -> None:
    """The corrected day's among them: what a curve, a day's energy and two indexes say is one and the same."""
    world = json.loads((demo_template / "demo.json").read_text())
    point = next(one.id for one in cast.POINTS if one.flawed)
    today = date.fromisoformat(world["today"])
    days = [today - timedelta(days=ago) for ago in range(cast.CORRECTED_DAYS_AGO + 2, 1, -1)]
    with open_store(demo_template / "measurements.sqlite3", read_only=True, zone=PARIS) as store:
        told = {
            kind: {b.day: b for b in store.read(point, kind, FlowDirection.WITHDRAWAL, days[0], today)}
            for kind in (Kind.LOAD_CURVE, Kind.DAILY_ENERGY, Kind.MAXIMUM_POWER, Kind.REGISTER_READING)
        }
    curves, energies, maxima, indexes = told.values()
    for day in days:
        energy = int(energies[day].values[0])
        assert int(indexes[day + timedelta(days=1)].values[0] - indexes[day].values[0]) == energy, day
        if curves[day].said.all():
            assert int(curves[day].values.sum()) // 6 == energy, day
            highest = curves[day].values.max() / POWER_FACTOR
            assert abs(maxima[day].values[0] - highest) <= 0.01 * highest, day
