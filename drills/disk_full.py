"""Fill the disk of a real instance, and use every part of it; then make room, and use it again.

Done on a small file system of its own, which needs root, or user namespaces (`unshare`): the instance lies there, and so
does what its processes say on standard error. The disk is filled to its last byte, and the registry's log of writes with
it. Meanwhile a web process is killed, too.

Seen must be: no process ends but the one that is killed, and that one comes back; reads and tokens are refused with 503
in the words of their interface and a Retry-After, as soon as what the files had left is used up; `/readyz` says 503,
`/metrics` answers; a page that reads is shown, or says in words of its own that it cannot be; an end of a sharing is done
when its page says so and not done when that says otherwise. With room again all of it works without a restart, and
`gridgate audit verify` finds nothing wrong.
"""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from drills.instance import Served, gridgate, served

SIZE = "32m"
PATIENCE = 120
"""Seconds within which what comes back by itself is there, on a machine that does much else."""
MOST = 3000
"""More requests than the last pages of files have room for."""
Say = Callable[[str], None]


def run(say: Say) -> bool:
    if os.geteuid():
        return _as_root_of_a_namespace(say)
    with TemporaryDirectory(prefix="gridgate-drill-") as folder, _small_disk(Path(folder), say) as disk:
        if disk is None:
            return False
        data = disk / "instance"
        gridgate(data, "demo", "--no-serve")
        with served(data) as server:
            return Drill(server, say).run()


class Drill:
    """One person and one program that use the instance, and what was not as it must be."""

    def __init__(self, server: Served, say: Say) -> None:
        self.server, self.say, self.fine = server, say, True
        self.world = json.loads((server.data / "demo.json").read_text("utf-8"))
        self.ballast = server.data.with_name("ballast")
        self.alice = httpx.Client(base_url=server.base_url, timeout=PATIENCE)
        self.program = httpx.Client(base_url=server.base_url, timeout=PATIENCE)

    def run(self) -> bool:
        self._sign_in()
        self._ask_for_token("tiers1")
        point = self.program.get("/api/v1/metering-points").json()["metering_points"][0]["id"]
        to_end = self.alice.get(self._ending()).text
        self._reads("with room", point, 200)
        before = _children(self.server.process.pid)

        self._fill()
        self._everything_is_refused(point, to_end)
        self._check("no process has ended", _children(self.server.process.pid) == before)
        self._kill_one(before)

        self.ballast.unlink()
        self._works_again(point)
        for line in gridgate(self.server.data, "audit", "verify").strip().splitlines():
            self.say(f"audit verify: {line}")
        return self.fine

    def _everything_is_refused(self, point: str, to_end: str) -> None:
        full = "full"
        for path in ("/oauth2/token", "/enedis/oauth2/v3/token"):
            self._until_refused(lambda path=path: self._token(path, "tiers2"))
            self._expect(full, path, self._token(path, "tiers2"), 503)
        for path in self._read_paths(point):
            self._until_refused(lambda path=path: self.program.get(path))
        self._reads(full, point, 503)
        answer = self.program.get("/readyz")
        self._expect(full, "/readyz", answer, 503, retry=False)
        self.say(f"  it says: {answer.json()['faults']}")
        for path in ("/healthz", "/metrics"):
            self._expect(full, path, self.program.get(path), 200)
        for path in (
            "/",
            "/compteurs/",
            "/partage/",
            "/journal/",
            self._ending(),
            f"/mesures/{point}/",
            f"/mesures/{point}/export.csv",
        ):
            self._expect(full, f"page {path}", self.alice.get(path), 200, 503)
        self._end(full, to_end)
        with httpx.Client(base_url=self.server.base_url, timeout=PATIENCE) as stranger:
            self._expect(full, "page /connexion/", stranger.get("/connexion/"), 200, 503)
            user = self.world["users"]["bob"]
            form = {"login": user["email"], "password": user["password"]}
            self._expect(full, "form /connexion/", _send(stranger, "/connexion/", form), 503)
        for path in ("/nulle-part/", "/static/css/base.css"):
            self._expect(full, path, self.alice.get(path), 200, 404, 503, retry=False)

    def _works_again(self, point: str) -> None:
        self._within(
            "ready again by itself", PATIENCE, lambda: self.program.get("/readyz").status_code == 200
        )
        room = "room again"
        self._reads(room, point, 200)
        for path in ("/", "/partage/", "/journal/"):
            self._expect(room, f"page {path}", self.alice.get(path), 200)
        self._ask_for_token("tiers1")
        if self._state():
            self._end(room, self.alice.get(self._ending()).text)
        self._check("the sharing is ended, and said so", not self._state())
        self._reads("after the end", point, 403, 404)

    def _read_paths(self, point: str) -> tuple[str, str]:
        last = date.fromisoformat(self.world["today"])
        period = f"start={last - timedelta(days=7)}&end={last}"
        return (
            f"/api/v1/metering-points/{point}/measurements?kind=load_curve&direction=withdrawal&{period}",
            f"/enedis/metering_data_clc/v5/consumption_load_curve?usage_point_id={point}&{period}",
        )

    def _reads(self, when: str, point: str, *statuses: int) -> None:
        for path in self._read_paths(point):
            self._expect(when, path.partition("?")[0], self.program.get(path), *statuses)

    def _end(self, when: str, page: str) -> None:
        """*Résilier*: what the answer says must be what the registry holds."""
        answer = _send(self.alice, self._ending(), {}, page=page)
        self._expect(when, "form Résilier", answer, 302, 503)
        self._check(
            f"{when}: the registry holds what Résilier said",
            self._state() == (answer.status_code != 302),
        )

    def _ending(self) -> str:
        return f"/partage/{self._siren('Tiers 1')}/resilier/"

    def _siren(self, name: str) -> str:
        (siren,) = self._row("SELECT siren FROM organisations_organisation WHERE legal_name = ?", name)
        return str(siren)

    def _state(self) -> int:
        """How many terminable permissions ACME still gives Tiers 1."""
        (count,) = self._row(
            "SELECT count(*) FROM sharing_accessline l"
            " JOIN organisations_organisation r ON r.id = l.reader_id"
            " JOIN organisations_organisation h ON h.id = l.holder_id"
            " WHERE l.basis != 'title' AND r.legal_name = ? AND h.legal_name = ?"
            " AND (l.valid_until IS NULL OR l.valid_until > unixepoch())",
            "Tiers 1",
            "ACME Industries",
        )
        return int(count > 0)

    def _row(self, statement: str, *parameters: str) -> tuple[object, ...]:
        registry = sqlite3.connect(f"file:{self.server.data / 'registry.sqlite3'}?mode=ro", uri=True)
        try:
            row: tuple[object, ...] = registry.execute(statement, parameters).fetchone()
            return row
        finally:
            registry.close()

    def _sign_in(self) -> None:
        user = self.world["users"]["alice"]
        answer = _send(self.alice, "/connexion/", {"login": user["email"], "password": user["password"]})
        self._expect("with room", "form /connexion/", answer, 302)

    def _ask_for_token(self, name: str) -> None:
        answer = self._token("/oauth2/token", name)
        self._expect("with room", "/oauth2/token", answer, 200)
        if answer.status_code == 200:
            self.program.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def _token(self, path: str, name: str) -> httpx.Response:
        program = self.world["applications"][name]
        given = {key: program[key] for key in ("client_id", "client_secret")}
        return self.program.post(path, data={"grant_type": "client_credentials", **given})

    def _until_refused(self, ask: Callable[[], httpx.Response]) -> None:
        """Ask until no process has room for it: each has a file of its own to log in."""
        answered, refused = 0, 0
        while refused < 20 and answered < MOST:
            self.program.headers["Connection"] = "close"  # the next may come to another process
            if ask().status_code == 503:
                refused += 1
            else:
                answered, refused = answered + 1, 0
        if answered:
            self.say(f"{answered} requests more were answered by what the files had left")

    def _kill_one(self, before: set[int]) -> None:
        killed = next(pid for pid in sorted(before) if "worker" not in _command(pid))
        os.kill(killed, signal.SIGKILL)

        def is_back() -> bool:
            there = _children(self.server.process.pid)
            return killed not in there and len(there) == len(before)

        self._within("a web process killed meanwhile comes back", PATIENCE, is_back)
        self._within("and is answered for", PATIENCE, lambda: _status(self.program, "/healthz") == 200)

    def _fill(self) -> None:
        with self.ballast.open("wb", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                with suppress(OSError):
                    while file.write(b"x" * size) == size:
                        pass
        free = shutil.disk_usage(self.ballast.parent).free
        self._check(f"the disk is full: {free} bytes are free", free == 0)

    def _expect(
        self, when: str, what: str, answer: httpx.Response, *statuses: int, retry: bool = True
    ) -> None:
        said = answer.status_code in statuses
        if answer.status_code == 503 and retry:
            said = said and "Retry-After" in answer.headers
        form = answer.headers.get("Content-Type", "").partition(";")[0]
        self._check(f"{when}: {what} {answer.status_code} {form}", said)
        if answer.status_code == 503 and form == "application/json":
            self.say(f"  {answer.text[:120]}")

    def _within(self, what: str, seconds: float, true: Callable[[], bool]) -> None:
        began = time.monotonic()
        while not (seen := true()) and time.monotonic() < began + seconds:
            time.sleep(0.1)
        self._check(f"{what}, in {time.monotonic() - began:.1f} s", seen)

    def _check(self, what: str, fine: bool) -> None:
        self.say(what if fine else f"NOT AS IT MUST BE: {what}")
        self.fine = self.fine and fine


def _send(client: httpx.Client, path: str, form: dict[str, str], *, page: str = "") -> httpx.Response:
    """Send the form of a page, with what the page put into it."""
    page = page or client.get(path).text
    hidden = {
        name: found.group(1)
        for name in ("csrfmiddlewaretoken", "acting_for")
        if (found := re.search(f'name="{name}" value="([^"]*)"', page))
    }
    headers = {"Referer": f"{client.base_url}{path}"}
    return client.post(path, data={**hidden, **form}, headers=headers)


def _status(client: httpx.Client, path: str) -> int:
    with suppress(httpx.TransportError):
        return client.get(path).status_code
    return 0


def _children(pid: int) -> set[int]:
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent, *_ = path.read_text().rpartition(")")[2].split()
            if int(parent) == pid and state != "Z":
                found.add(int(path.parent.name))
    return found


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")


@contextmanager
def _small_disk(folder: Path, say: Say) -> Iterator[Path | None]:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "gridgate-drill", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        say(f"cannot be done here: {mounted.stderr.strip()}; it needs the right to mount, or user namespaces")
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=False)


def _as_root_of_a_namespace(say: Say) -> bool:
    command = ["unshare", "-rm", sys.executable, "-c", _ALONE]
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    except FileNotFoundError:
        say("cannot be done here: it needs root, or unshare")
        return False
    assert process.stdout is not None
    for line in process.stdout:
        say(line.rstrip("\n"))
    if process.wait() == 2:
        say("cannot be done here: it needs root, or user namespaces")
    return process.returncode == 0


_ALONE = """
import sys
from functools import partial
from drills.disk_full import run
sys.exit(0 if run(partial(print, flush=True)) else 1)
"""
