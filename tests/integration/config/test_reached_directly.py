"""One server that no proxy stands before, spoken to in bytes: what it makes of half, huge, false and foreign requests."""

import select
import shutil
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.instance import Server, serving

OWN = "Host: 127.0.0.1"
FORM = "Content-Type: application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def server(empty_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    data = Path(shutil.copytree(empty_template, tmp_path_factory.mktemp("direct") / "instance"))
    with serving(data, GRIDGATE_WORKERS="1") as server:
        yield server


class Answer:
    def __init__(self, raw: bytes) -> None:
        head, _, self.body = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin1").split("\r\n")
        self.status = int(first.split(" ")[1])
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def open_to(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def head(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", *headers, "", ""]).encode("latin1")


def ask(server: Server, line: str, *headers: str, body: bytes = b"") -> Answer:
    """One request on a connection of its own."""
    with open_to(server) as client:
        client.sendall(head(line, *headers, "Connection: close") + body)
        return read(client)


def read(client: socket.socket) -> Answer:
    """An answer that says its length."""
    raw = b""
    while piece := client.recv(65536):
        raw += piece
        if b"\r\n\r\n" in raw:
            answer = Answer(raw)
            if len(answer.body) >= int(answer.headers.get("content-length", 2**60)):
                return answer
    return Answer(raw)


def test_half_sent_bodies_keep_nobody_from_either_plane(server: Server) -> None:
    """More of them than the portal has threads; few are waited for, the others are refused at once."""
    with ExitStack() as held:
        half = [held.enter_context(open_to(server)) for _ in range(40)]
        for number, one in enumerate(half):
            length = "Transfer-Encoding: chunked" if number % 2 else "Content-Length: 30"
            path = "/oauth2/token" if number % 4 > 1 else "/connexion/"
            one.sendall(head(f"POST {path}", OWN, FORM, length) + (b"3\r\nabc\r\n" if number % 2 else b"abc"))
        assert ask(server, "GET /connexion/", OWN).status == 200
        assert ask(server, "POST /oauth2/token", OWN, FORM, "Content-Length: 3", body=b"a=b").status == 401
        assert ask(server, "POST /connexion/", OWN, FORM, "Content-Length: 3", body=b"a=b").status == 403
        # No more are waited for than one address may have.
        answered = Counter[int]()
        while half and answered[503] < 24:
            for one in select.select(half, [], [], 60)[0]:
                answered[read(one).status] += 1
                half.remove(one)
        # On a slow machine those that are waited for may have been given up meanwhile.
        assert answered[503] == 24
        assert set(answered) <= {503, 408}


def test_a_body_too_large_is_refused_before_it_is_sent_and_while_it_is(server: Server) -> None:
    huge = ask(server, "POST /connexion/", OWN, FORM, "Content-Length: 400000000", "Expect: 100-continue")
    assert (huge.status, huge.headers["content-type"]) == (413, "text/html; charset=utf-8")
    assert "trop lourd" in huge.body.decode()
    in_chunks = b"100000\r\n" + b"x" * 2**20 + b"\r\n100\r\n" + b"x" * 256 + b"\r\n0\r\n\r\n"
    sent = ask(server, "POST /connexion/", OWN, FORM, "Transfer-Encoding: chunked", body=in_chunks)
    assert sent.status == 413
    token = ask(server, "POST /oauth2/token", OWN, FORM, "Content-Length: 20000", body=b"x" * 20_000)
    assert (token.status, token.headers["content-type"]) == (413, "application/problem+json")


def test_no_redirect_of_the_data_plane_and_none_of_the_portal_names_a_host(server: Server) -> None:
    for path in ("/oauth2/token/", "/api/v1/metering-points/", "/enedis/oauth2/v3/token/", "/healthz/"):
        for method in ("GET", "POST"):
            answer = ask(server, f"{method} {path}", OWN)
            assert (answer.status, answer.headers.get("location")) in ((404, None), (405, None))
    assert ask(server, "GET /connexion", OWN).headers["location"].startswith("/")
    assert "evil" not in ask(server, "GET //evil.example/connexion", OWN).headers.get("location", "")


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/connexion/", "text/html; charset=utf-8"),
        ("/api/v1/metering-points", "application/problem+json"),
        ("/enedis/oauth2/v3/token", "application/json"),
        ("/scim/v2/Users", "application/scim+json"),
        ("/metrics", "text/plain; charset=utf-8"),
    ],
)
def test_a_foreign_host_is_refused_in_the_words_of_the_place(server: Server, path: str, shape: str) -> None:
    for hosts in (["Host: evil.example"], [], [OWN, OWN], ["Host: me@127.0.0.1"]):
        answer = ask(server, f"GET {path}", *hosts, "X-Forwarded-Host: 127.0.0.1")
        assert (answer.status, answer.headers["content-type"]) == (400, shape)
        assert b"evil" not in answer.body
    english = ask(server, "GET /connexion/", "Host: evil.example", "Accept-Language: en")
    assert "This address cannot be read" in english.body.decode()


@pytest.mark.parametrize(
    ("line", "headers", "status"),
    [
        ("GET /", [OWN], 302),
        ("GET /connexion/", [OWN], 200),
        ("GET /connexion", [OWN], 301),
        ("GET /nulle-part/", [OWN], 404),
        ("GET /static/mark.svg", [OWN], 200),
        ("GET /static/none.svg", [OWN], 404),
        ("GET /static/mark.svg", ["Host: evil.example"], 200),
        ("POST /connexion/", [OWN], 403),
        ("GET /connexion/", ["Host: evil.example"], 400),
        ("GET /a%00b", [OWN], 400),
        ("GET /connexion/?" + "a" * 9000, [OWN], 414),
        ("POST /connexion/", [OWN, "Content-Length: 90000000"], 413),
        ("GET /scim/v2/Users", [OWN], 401),
        ("GET /healthz", [], 200),
        ("GET /metrics", [OWN], 200),
        ("GET /api/v1/metering-points", [OWN], 401),
        ("GET /api/v1/nothing", [OWN], 404),
        ("PUT /api/v1/metering-points", [OWN], 405),
        ("OPTIONS /api/v1/metering-points", [OWN], 204),
        ("GET /api/v1/metering-points", ["Host: evil.example"], 400),
        ("GET /enedis/" + "a" * 9000, [OWN], 414),
        ("POST /oauth2/token", [OWN, "Content-Length: 90000000"], 413),
    ],
)
def test_every_answer_bears_what_protects_it(
    server: Server, line: str, headers: list[str], status: int
) -> None:
    answer = ask(server, line, *headers)
    assert answer.status == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] in ("no-referrer", "same-origin")
    assert answer.headers["server"] == "gridgate"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (head("POST /connexion/", OWN, "Content-Length: 3", "Content-Length: 4") + b"abcd", 400),
        (head("POST /connexion/", OWN, "Content-Length: -1"), 400),
        (head("POST /connexion/", OWN, "Transfer-Encoding: gzip"), 400),
        (head("GET /" + "a" * 70_000, OWN), 414),
        (head("GET /", OWN, "X: " + "a" * 200_000), 431),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
    ],
)
def test_what_is_no_request_is_closed_with_a_status(
    server: Server, request_bytes: bytes, status: int
) -> None:
    with open_to(server) as client:
        client.sendall(request_bytes)
        answer = read(client)
    assert (answer.status, answer.body) == (status, b"")
