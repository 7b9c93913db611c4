"""What every path has in common: limits, headers, methods, health, metrics, the request log."""

import asyncio
import json
import os
import re
import resource
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from select import PIPE_BUF
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette

from gridgate.dataplane.accesslog import read_segment
from gridgate.dataplane.http import request_log
from tests.dataplane_plane import Plane
from tests.dataplane_world import ACME, CONSO, TIERS1

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
CURVE = "/enedis/metering_data_clc/v5/consumption_load_curve"
POINTS = "/api/v1/metering-points"


def no_room(*_: object, **__: object) -> int:
    raise OSError(28, "No space left on device")


@contextmanager
def no_more(path: Path) -> Iterator[None]:
    """No file of this process grows beyond the size of this one."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


class TestEveryAnswer:
    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", CURVE, 401),
            ("GET", POINTS, 401),
            ("POST", "/oauth2/token", 401),
            ("GET", "/healthz", 200),
            ("GET", "/api/v1/nothing", 404),
            ("DELETE", POINTS, 405),
            ("OPTIONS", POINTS, 204),
        ],
    )
    def test_bears_the_headers_that_protect_it(
        self, plane: Plane, method: str, path: str, status: int
    ) -> None:
        answer = plane.request(method, path)
        assert answer.status_code == status
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS

    @pytest.mark.parametrize("path", [CURVE, POINTS])
    def test_is_kept_by_no_cache_and_can_be_named(self, plane: Plane, path: str) -> None:
        one, other = plane.get(path), plane.get(path)
        assert one.headers["Cache-Control"] == "no-store"
        assert one.headers["X-Request-Id"] != other.headers["X-Request-Id"]

    def test_is_named_by_what_counts_nobodys_requests(self, plane: Plane) -> None:
        names = [plane.get(POINTS).headers["X-Request-Id"] for _ in range(300)]
        assert len(set(names)) == 300
        assert all(re.fullmatch("[0-9a-f]{16}", name) for name in names)
        for part in (slice(0, 8), slice(8, 16)):
            numbers = [int(name[part], 16) for name in names]
            near = [1 for before, after in pairwise(numbers) if abs(after - before) < 2**16]
            assert len(near) < 5, "neither half stays, or goes on from one to the next"


class TestABodyThatBreaksOff:
    """So the server tells of chunks that it cannot take apart, too: whoever sent them still reads the answer."""

    @pytest.mark.parametrize(
        "path",
        ["/oauth2/token", "/oauth2/revoke", "/enedis/oauth2/v3/token", "/enedis/oauth2/v3/revoke"],
    )
    def test_is_the_senders_fault(self, plane: Plane, path: str) -> None:
        async def call() -> list[Any]:
            said: list[Any] = []

            async def send(message: Any) -> None:
                said.append(message)

            incoming = iter([{"type": "http.request", "body": b"grant_", "more_body": True}])

            async def receive() -> Any:
                return next(incoming, {"type": "http.disconnect"})

            kind = (b"content-type", b"application/x-www-form-urlencoded")
            scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": [kind]}
            await plane.app(scope, receive, send)
            return said

        start, body = asyncio.run(call())
        assert start["status"] == 400
        assert json.loads(body["body"])["error"] == "invalid_request"


class TestMethods:
    @pytest.mark.parametrize(
        ("path", "allow"),
        [(CURVE, "GET, HEAD"), (POINTS, "GET, HEAD"), ("/oauth2/token", "POST")],
    )
    def test_others_are_refused_and_named(self, plane: Plane, path: str, allow: str) -> None:
        for method, status in (("PUT", 405), ("OPTIONS", 204)):
            answer = plane.request(method, path)
            assert (answer.status_code, answer.headers["Allow"]) == (status, allow)

    def test_a_head_is_a_get_without_its_body(self, plane: Plane) -> None:
        plane.world.point(CONSO, holder=ACME)
        token = plane.token(plane.world.application("acme", ACME, "native"))
        headers = {"Authorization": f"Bearer {token}"}
        head, get = (plane.request(method, POINTS, headers=headers) for method in ("HEAD", "GET"))
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["Content-Length"] == get.headers["Content-Length"] == str(len(get.content))


class TestUnknownPaths:
    def test_are_answered_in_the_words_of_the_facade(self, plane: Plane) -> None:
        assert plane.get("/enedis/nothing").json()["fault"]["code"] == 404
        assert plane.get("/api/nothing").headers["Content-Type"] == "application/problem+json"
        assert plane.get("/nothing").text == "there is nothing here\n"


class TestLimits:
    def test_a_query_string_that_no_request_needs(self, plane: Plane) -> None:
        assert plane.get(f"{CURVE}?x={'1' * 3000}").status_code == 414
        answer = plane.get(f"{POINTS}?x={'1' * 3000}")
        assert (answer.status_code, answer.json()["status"]) == (414, 414)

    def test_a_body_that_no_request_needs(self, plane: Plane) -> None:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        for path in ("/oauth2/token", "/enedis/oauth2/v3/token"):
            assert plane.post(path, content=b"x" * 20_000, headers=form).status_code == 413
            assert plane.post(path, content=b"x" * 10_000, headers=form).status_code in (400, 401)

    def test_a_body_of_unknown_length(self, plane: Plane) -> None:
        async def endless() -> object:
            for _ in range(100):
                yield b"x" * 1000

        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert plane.post("/oauth2/token", content=endless(), headers=form).status_code == 413


class TestHealth:
    def test_a_process_that_can_answer_is_ready(self, plane: Plane) -> None:
        answer = plane.get("/readyz")
        assert (answer.status_code, answer.json()) == (200, {"ready": True, "faults": []})

    def test_one_that_cannot_says_why(self, plane: Plane) -> None:
        plane.world.db.execute("DROP TABLE sharing_accessline")
        (plane.folder / "accesslog").rmdir()
        answer = plane.get("/readyz")
        assert answer.status_code == 503
        assert len(answer.json()["faults"]) == 2
        assert plane.get("/healthz").status_code == 200

    def test_is_tried_not_looked_up(self, plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gridgate.dataplane.http.plane.PROBE_SECONDS", 0)
        assert plane.get("/readyz").status_code == 200
        with monkeypatch.context() as full:
            full.setattr("gridgate.dataplane.accesslog.writer.os.write", no_room)
            answer = plane.get("/readyz")
            assert (answer.status_code, len(answer.json()["faults"])) == (503, 1)
            assert "No space left on device" in answer.json()["faults"][0]
        assert plane.get("/readyz").status_code == 200, "by itself"
        assert plane.logged() == []

    def test_needs_a_registry_that_can_be_written(
        self, plane: Plane, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("gridgate.dataplane.http.plane.PROBE_SECONDS", 0)
        plane.world.db.execute("PRAGMA journal_mode = WAL")
        with no_more(plane.folder / "registry.sqlite3-wal"):
            faults = plane.get("/readyz").json()["faults"]
        assert [fault.partition(":")[0] for fault in faults] == ["the registry does not answer"]
        assert plane.get("/readyz").status_code == 200
        plane.world.db.execute("BEGIN IMMEDIATE")
        assert plane.get("/readyz").status_code == 200, "another that writes shows that it can be written"
        plane.world.db.execute("ROLLBACK")

    def test_is_tried_once_for_all_who_ask(self, plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gridgate.dataplane.http.plane.PROBE_SECONDS", 3600)  # however slowly they ask
        for _ in range(5):
            assert plane.get("/readyz").status_code == 200
        (segment,) = (plane.folder / "accesslog").glob("2*.jsonl")
        assert read_segment(segment).probes == 1


class TestFullDisk:
    """Everybody is answered, in the words of the interface that was called."""

    def test_refuses_reads_for_now(self, plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
        plane.world.point(CONSO, holder=TIERS1)
        token = plane.token(plane.world.application("tiers1", TIERS1, "enedis", "native"))
        period = "start=2026-11-18&end=2026-11-25"
        native = f"{POINTS}/{CONSO}/measurements?kind=load_curve&direction=withdrawal&{period}"
        with monkeypatch.context() as full:
            full.setattr("gridgate.dataplane.accesslog.writer.os.write", no_room)
            one, other = (
                plane.get(f"{CURVE}?usage_point_id={CONSO}&{period}", token),
                plane.get(native, token),
            )
        assert (one.status_code, one.json()["error"]) == (503, "Service Unavailable")
        assert (other.status_code, other.json()["title"]) == (503, "Temporarily unavailable")
        assert one.headers["Retry-After"] == other.headers["Retry-After"] == "5"
        assert plane.get(native, token).status_code == 200

    @pytest.mark.parametrize(
        ("path", "error"),
        [
            ("/oauth2/token", "temporarily_unavailable"),
            ("/oauth2/revoke", "temporarily_unavailable"),
            ("/enedis/oauth2/v3/token", "Service Unavailable"),
        ],
    )
    def test_refuses_tokens_for_now(self, plane: Plane, path: str, error: str) -> None:
        client = plane.world.application("tiers1", TIERS1, "enedis", "native")
        given = {"client_id": client.client_id, "client_secret": client.client_secret}
        form = {**given, "grant_type": "client_credentials", "token": plane.token(client)}
        plane.world.db.execute("PRAGMA journal_mode = WAL")
        with no_more(plane.folder / "registry.sqlite3-wal"):
            answer = plane.post(path, data=form)
        assert (answer.status_code, answer.json()["error"]) == (503, error)
        assert answer.headers["Retry-After"] == "5"
        assert answer.headers["Content-Type"] == "application/json"
        assert plane.post(path, data=form).status_code == 200

    def test_of_standard_error_costs_no_answer(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        kept = os.dup(2)
        with Path("/dev/full").open("wb", buffering=0) as full:
            monkeypatch.setattr(sys, "stderr", SimpleNamespace(buffer=full))
            plane = Plane(tmp_path, request_log=True)
            os.dup2(full.fileno(), 2)
            try:
                answers = [plane.get(path).status_code for path in ("/healthz", POINTS)]
                plane.app.state.plane.requests.flush()
            finally:
                os.dup2(kept, 2)
                os.close(kept)
                plane.close()
        assert answers == [200, 401]

    def test_that_nobody_expected_is_no_defect(self, plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("gridgate.facades.native.wire.answers.encode_page", no_room)
        token = plane.token(plane.world.application("acme", ACME, "native"))
        assert plane.get(POINTS, token).status_code == 503


class TestMetrics:
    def test_count_requests_and_reads(self, plane: Plane) -> None:
        plane.world.point(CONSO, holder=ACME)
        token = plane.token(plane.world.application("tiers1", TIERS1, "enedis"))
        plane.get(f"{CURVE}?usage_point_id={CONSO}&start=2026-11-18&end=2026-11-25", token)
        text = plane.get("/metrics").text
        assert 'gridgate_requests_total{facade="enedis",status="403"}' in text
        assert 'gridgate_reads_total{channel="api:enedis",outcome="no_permission"}' in text
        assert 'gridgate_request_seconds_count{facade="enedis"}' in text

    def test_are_for_this_machine_or_who_has_the_token(self, tmp_path: Path) -> None:
        for number, (config, headers, status) in enumerate(
            (
                ({}, {}, 200),
                ({"behind_proxy": True}, {}, 404),
                ({"metrics_token": "t"}, {}, 404),
                ({"metrics_token": "t"}, {"Authorization": "Bearer x"}, 404),
                ({"metrics_token": "t", "behind_proxy": True}, {"Authorization": "Bearer t"}, 200),
            )
        ):
            folder = tmp_path / str(number)
            folder.mkdir()
            plane = Plane(folder, **config)
            assert plane.get("/metrics", headers=headers).status_code == status
            plane.close()


class TestMeasurements:
    def test_are_answered_without_the_router_which_has_the_rest(
        self, plane: Plane, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        plane.world.point(CONSO, holder=ACME)
        token = plane.token(plane.world.application("acme", ACME, "enedis", "native"))
        routed: list[str] = []
        router = Starlette.__call__

        async def routing(app: Starlette, scope: Any, receive: Any, send: Any) -> None:
            routed.append(f"{scope['method']} {scope['path']}")
            await router(app, scope, receive, send)

        monkeypatch.setattr(Starlette, "__call__", routing)
        native = f"{POINTS}/{CONSO}/measurements"
        for path in (f"{CURVE}?usage_point_id={CONSO}&start=2026-11-18&end=2026-11-25", native):
            for method in ("GET", "HEAD"):
                bare = plane.request(method, path)
                assert (bare.status_code, bool(bare.content)) == (401, method == "GET")
                told = plane.request(method, path, headers={"Authorization": f"Bearer {token}"})
                assert told.status_code in (400, 404)  # no data, and parameters that are missing
        assert routed == []
        for path in (CURVE, native):
            refused = plane.post(path)
            assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD")
        assert plane.get(f"{native}/x", token).status_code == 404
        assert routed == [f"POST {CURVE}", f"POST {native}", f"GET {native}/x"]


class TestRequestLog:
    def test_is_one_line_of_json_without_a_secret(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        plane = Plane(tmp_path, request_log=True)
        client = plane.world.application("tiers1", TIERS1, "enedis")
        secret = {"client_id": client.client_id, "client_secret": client.client_secret}
        answer = plane.post("/enedis/oauth2/v3/token", params={"grant_type": "client_credentials", **secret})
        token = answer.json()["access_token"]
        plane.get(f"{CURVE}?usage_point_id={CONSO}&start=2026-11-18&end=2026-11-25", token)
        plane.close()
        written = capfd.readouterr().err
        lines = [json.loads(line) for line in written.splitlines()]
        assert [(line["method"], line["path"], line["status"]) for line in lines] == [
            ("POST", "/enedis/oauth2/v3/token", 200),
            ("GET", CURVE, 403),
        ]
        assert lines[0]["reference"] == answer.headers["X-Request-Id"]
        for word in (client.client_secret, token, CONSO):
            assert word not in written

    def test_is_written_for_many_requests_at_once_by_nobody_who_answers(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(request_log, "MOMENT", 60)
        plane = Plane(tmp_path, request_log=True)
        for _ in range(20):
            plane.get("/healthz")
        assert capfd.readouterr().err == ""
        plane.close()
        assert len(capfd.readouterr().err.splitlines()) == 20

    def test_cuts_no_line_where_other_processes_write_to_the_same_pipe(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        written: list[bytes] = []

        def write(_: int, data: bytes) -> int:
            written.append(data)
            return len(data)

        monkeypatch.setattr(request_log, "MOMENT", 60)
        log = request_log.RequestLog()
        for number in range(100):
            log.note(request_log.Line("native", "GET", "/api/v1/x", 200, 0.001, f"{number:016}", 0.0))
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", write)
            log.flush()
        assert len(b"".join(written).splitlines()) == 100
        assert 1 < len(written) < 20
        assert all(len(piece) <= PIPE_BUF and piece.endswith(b"\n") for piece in written)

    def test_a_thread_that_the_system_refuses_fails_no_request_and_is_begun_later(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log = request_log.RequestLog()
        begun: list[str] = []
        line = request_log.Line("native", "GET", "/api/v1/x", 200, 0.001, "0" * 16, 0.0)

        def refuse(_thread: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            log.note(line)
            patch.setattr(threading.Thread, "start", lambda thread: begun.append(thread.name))
            log.note(line)
            log.note(line)
        assert begun == ["request-log"]
        assert len(log._waiting) == 3
        log._waiting.clear()  # they are written when the process ends

    @pytest.mark.parametrize("held_up", ["the thread", "the end"])
    def test_holds_up_no_end_of_a_process_where_nobody_reads_it(
        self, monkeypatch: pytest.MonkeyPatch, held_up: str
    ) -> None:
        monkeypatch.setattr(request_log, "MOMENT", 0 if held_up == "the thread" else 3600)
        log = request_log.RequestLog()
        standard_error = os.dup(2)
        reading, writing = os.pipe()
        try:
            os.set_blocking(writing, False)
            with suppress(BlockingIOError):
                while True:
                    os.write(writing, bytes(PIPE_BUF))
            os.set_blocking(writing, True)
            os.dup2(writing, 2)
            log.note(request_log.Line("native", "GET", "/api/v1/x", 200, 0.001, "0" * 16, 0.0))
            while held_up == "the thread" and not log._lock.locked():
                time.sleep(0.001)
            ending = threading.Thread(target=log.flush, daemon=True)
            ending.start()
            ending.join(60)
            assert not ending.is_alive()
        finally:
            os.dup2(standard_error, 2)
            for descriptor in (reading, writing, standard_error):  # and whoever is held up goes on
                os.close(descriptor)

    def test_says_how_many_lines_were_lost(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(request_log, "MOMENT", 60)
        monkeypatch.setattr(request_log, "MOST", 3)
        plane = Plane(tmp_path, request_log=True)
        for _ in range(5):
            plane.get("/healthz")
        plane.close()
        *lines, last = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
        assert [line["event"] for line in lines] == ["request"] * 3
        assert (last["event"], last["lines"]) == ("request log lost", 2)

    def test_has_the_reference_of_a_defect(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        plane = Plane(tmp_path)

        def broken(*_: object, **__: object) -> None:
            raise RuntimeError("broken inside")

        monkeypatch.setattr("gridgate.facades.native.wire.answers.encode_page", broken)
        token = plane.token(plane.world.application("acme", ACME, "native"))
        answer = plane.get(POINTS, token)
        plane.close()
        assert answer.status_code == 500
        (line,) = (json.loads(line) for line in capfd.readouterr().err.splitlines())
        assert line["reference"] == answer.json()["reference"]
        assert "broken inside" in line["exception"]
