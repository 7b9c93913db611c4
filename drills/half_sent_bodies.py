"""Hold connections open by all that keeps a server waiting, and go on using both planes.

Done to an instance that no proxy stands before, from one address and from many: 40 and 1,100 bodies that stay half sent,
on either plane; 1,100 bodies in chunks that never end; 1,100 heads that are never finished; 1,100 readers that never read
what they asked for; 400 MB sent to a form.

Seen must be: meanwhile every page, every token and every read of the data plane is answered, none later than in
`LONGEST` seconds, or in `SLOWER` times what it took before; bodies too many are refused with 503 at once and the others
with 408 after ten seconds; heads end after ten; the 400 MB are refused with 413 and are nowhere on the disk.
"""

import json
import resource
import select
import socket
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from drills.instance import Served, demo_instance, served

LONGEST = 5.0
"""Seconds that an ordinary request may take while all this goes on: the machine that holds the connections serves too."""
SLOWER = 10
"""On a machine that does much else: how many times the slowest one from before all this."""
PATIENCE = 60
"""Seconds within which connections are ended that the server ends after ten."""
MANY = 1100
ROUNDS = 12
Say = Callable[[str], None]


def run(say: Say) -> bool:
    _allow_files(MANY * 2 + 512)
    with demo_instance() as data, served(data) as server:
        ordinary = Ordinary(server)
        ordinary.use("nobody else is there", say)
        seen = [
            _half_bodies(server, ordinary, say, 40, "/connexion/", addresses=1),
            _half_bodies(server, ordinary, say, MANY, "/connexion/", addresses=1),
            _half_bodies(server, ordinary, say, MANY, "/connexion/", addresses=100),
            _half_bodies(server, ordinary, say, MANY, "/oauth2/token", addresses=100),
            _half_bodies(server, ordinary, say, MANY, "/connexion/", addresses=100, chunked=True),
            _half_heads(server, ordinary, say),
            _never_reading(server, ordinary, say),
            _huge_form(server, ordinary, say),
        ]
        return all(seen) and not ordinary.faults


class Ordinary:
    """What people and programs do meanwhile, from this machine's usual address."""

    def __init__(self, server: Served) -> None:
        self.server = server
        self.faults = 0
        self._allowed: float | None = None
        program = json.loads((server.data / "demo.json").read_text("utf-8"))["applications"]["acme"]
        self._credentials = {name: program[name] for name in ("client_id", "client_secret")}
        self._point = ""

    def use(self, meanwhile: str, say: Say) -> bool:
        seconds: dict[str, list[float]] = {"page": [], "token": [], "read": []}
        faults = Counter[str]()
        for _ in range(ROUNDS):
            # A connection of its own each time, since new ones are what is kept out.
            with httpx.Client(base_url=self.server.base_url, timeout=2 * PATIENCE) as client:
                for name, ask in (("page", self._page), ("token", self._token), ("read", self._read)):
                    began = time.monotonic()
                    try:
                        status = ask(client)
                    except httpx.HTTPError as error:
                        status = type(error).__name__
                    seconds[name].append(time.monotonic() - began)
                    if status != 200:
                        faults[f"{name}: {status}"] += 1
        figures = ", ".join(
            f"{name} {statistics.median(times) * 1000:.0f} ms (at most {max(times) * 1000:.0f})"
            for name, times in seconds.items()
        )
        slowest = max(time for times in seconds.values() for time in times)
        if self._allowed is None:
            self._allowed = max(LONGEST, SLOWER * slowest)
        late = sum(one > self._allowed for times in seconds.values() for one in times)
        say(f"while {meanwhile}: {figures}{f'; NOT ANSWERED {dict(faults)}' if faults else ''}")
        if late:
            say(f"LATE: {late} took longer than {self._allowed:.0f} s")
        self.faults += faults.total() + late
        return not faults and not late

    def _page(self, client: httpx.Client) -> int:
        return client.get("/connexion/").status_code

    def _token(self, client: httpx.Client) -> int:
        answer = client.post("/oauth2/token", data={"grant_type": "client_credentials", **self._credentials})
        if answer.status_code == 200:
            client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return answer.status_code

    def _read(self, client: httpx.Client) -> int:
        return client.get("/api/v1/metering-points").status_code


def _half_bodies(
    server: Served,
    ordinary: Ordinary,
    say: Say,
    count: int,
    path: str,
    *,
    addresses: int,
    chunked: bool = False,
) -> bool:
    length = "Transfer-Encoding: chunked" if chunked else "Content-Length: 1000"
    sent = _head(server, f"POST {path}", "Content-Type: application/x-www-form-urlencoded", length)
    sent += b"3\r\na=b\r\n" if chunked else b"a=b"
    what = f"{count} {'bodies in chunks that never end' if chunked else 'half-sent bodies'} to {path}"
    with _held(server, count, sent, addresses=addresses) as clients:
        fine = ordinary.use(f"{what} hang, of {addresses} addresses", say)
        ends = _ends(clients, within=PATIENCE)
    say(f"  of these: {_said(ends)}")
    return fine and set(ends) <= {"408", "503"} and ends["408"] > 0


def _half_heads(server: Served, ordinary: Ordinary, say: Say) -> bool:
    sent = f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAccept: text/".encode()
    with _held(server, MANY, sent, addresses=100) as clients:
        fine = ordinary.use(f"{MANY} heads are never finished", say)
        ends = _ends(clients, within=PATIENCE)
    say(f"  of these: {_said(ends)}")
    return fine and not ends["still open"]


def _never_reading(server: Served, ordinary: Ordinary, say: Say) -> bool:
    static = "/static/vendor/uplot/uPlot.iife.min.js"
    with httpx.Client(base_url=server.base_url) as client:
        answer = client.get(static)
    if answer.status_code != 200:
        static = "/static/css/components.css"
    sent = _head(server, f"GET {static}") * 40
    with _held(server, MANY, sent, addresses=100, window=2048) as clients:
        fine = ordinary.use(f"{MANY} clients read nothing of 40 × {static}", say)
        del clients
    return fine


def _huge_form(server: Served, ordinary: Ordinary, say: Say) -> bool:
    began = time.monotonic()
    piece = b"x" * 2**20
    sent = 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=2 * PATIENCE) as client:
        client.sendall(_head(server, "POST /connexion/", "Transfer-Encoding: chunked"))
        try:
            for _ in range(400):
                client.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
                sent += 1
                if select.select([client], [], [], 0)[0] and time.monotonic() - began > 20:
                    break
            client.sendall(b"0\r\n\r\n")
        except OSError:
            say(f"  the server hung up after {sent} MB")
        try:
            status = client.recv(65536).split(b" ", 2)[1].decode()
        except (OSError, IndexError):
            status = "no answer"
    kept = _spooled(server)
    say(
        f"400 MB to a form: {status} after {time.monotonic() - began:.1f} s, {sent} MB taken, {kept} bytes kept"
    )
    return status == "413" and kept == 0


def _spooled(server: Served) -> int:
    """Bytes in files without a name that the server's processes have open."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(server.data) not in (process / "cmdline").read_text("utf-8", "replace"):
                continue
            for file in (process / "fd").iterdir():
                if "(deleted)" in str(file.readlink()):
                    total += file.stat().st_size
        except OSError:
            continue
    return total


def _head(server: Served, line: str, *headers: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", f"Host: 127.0.0.1:{server.port}", *headers, "", ""]).encode()


@contextmanager
def _held(
    server: Served, count: int, sent: bytes, *, addresses: int, window: int = 0
) -> Iterator[list[socket.socket]]:
    clients = []
    try:
        for number in range(count):
            client = socket.socket()
            clients.append(client)
            if window:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window)
            client.settimeout(PATIENCE)
            client.bind((f"127.0.0.{2 + number % addresses}", 0))
            client.connect(("127.0.0.1", server.port))
            client.sendall(sent)
        yield clients
    finally:
        for client in clients:
            client.close()


def _ends(clients: list[socket.socket], *, within: float) -> Counter[str]:
    """What each was answered, or how it ended, within some seconds."""
    ends = Counter[str]()
    waiting = {client.fileno(): client for client in clients}
    poll = select.poll()
    for number in waiting:
        poll.register(number, select.POLLIN)
    deadline = time.monotonic() + within
    while waiting and (left := deadline - time.monotonic()) > 0:
        for number, _ in poll.poll(left * 1000):
            poll.unregister(number)
            client = waiting.pop(number)
            try:
                said = client.recv(64)
            except OSError:
                said = b""
            ends[said.split(b" ", 2)[1].decode() if said.startswith(b"HTTP/1.1 ") else "closed"] += 1
    if waiting:
        ends["still open"] += len(waiting)
    return ends


def _said(ends: Counter[str]) -> str:
    return ", ".join(f"{count} × {end}" for end, count in sorted(ends.items()))


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (count if hard == resource.RLIM_INFINITY else min(count, hard), hard)
        )
