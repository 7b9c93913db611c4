"""The layer around both planes, without a socket: what reaches a plane, what is refused, and what is held meanwhile."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import PlainTextResponse

from gridgate.config.http_limits import Hosts, HttpLimits, Limits, Side
from gridgate.config.spooling import Outbox, Spool
from gridgate.core.errors import GridgateError
from gridgate.portal.guards.uploads import FORM as FORM_SIZE
from gridgate.portal.guards.uploads import largest_body

FORM = 100_000
HOST = (b"host", b"portal.example")


class Plane:
    """A plane that reads what it is sent and says what it saw."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.seen.append(scope)
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.bodies.append(body)
        await PlainTextResponse("seen")(scope, receive, send)


async def refuse(scope: Any, error: GridgateError) -> PlainTextResponse:
    return PlainTextResponse(str(error), getattr(error, "status", 500))


def layer(
    plane: Any, *, limits: Limits | None = None, proxy: bool = False, secure: bool = False
) -> HttpLimits:
    side = Side(plane, refuse, {"x-frame-options": "DENY"}, lambda path: FORM, 4096)
    return HttpLimits(
        data=side,
        portal=None,
        is_data=lambda path: True,
        hosts=Hosts(("portal.example", "[::1]", ".below.example")),
        behind_proxy=proxy,
        secure=secure,
        limits=limits,
    )


class Request:
    """One request: pieces of a body, which ends, or hangs (`half`)."""

    def __init__(
        self, *pieces: bytes, headers: tuple[tuple[bytes, bytes], ...] = (HOST,), **scope: Any
    ) -> None:
        self.half = scope.pop("half", False)
        self.pieces = list(pieces)
        path = scope.get("path", "/form")
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "client": ("192.0.2.7", 4000),
            "headers": [*headers],
            **scope,
        }
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        if not self.pieces:
            if self.half:
                await asyncio.Event().wait()
            return {"type": "http.disconnect"}
        piece = self.pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(self.pieces) or self.half}

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    async def ask(self, app: HttpLimits) -> int:
        await app(self.scope, self.receive, self.send)
        return self.status

    @property
    def status(self) -> int:
        return self.sent[0]["status"] if self.sent else 0

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}


def ask(app: HttpLimits, request: Request) -> int:
    return asyncio.run(request.ask(app))


def length(size: int) -> tuple[bytes, bytes]:
    return (b"content-length", str(size).encode())


CHUNKED = (b"transfer-encoding", b"chunked")


class TestBodies:
    def test_a_body_in_chunks_reaches_the_plane_whole_and_with_its_length(self) -> None:
        plane = Plane()
        assert ask(layer(plane), Request(b"ab", b"cd", headers=(HOST, CHUNKED))) == 200
        assert plane.bodies == [b"abcd"]
        assert (b"content-length", b"4") in plane.seen[0]["headers"]
        assert CHUNKED not in plane.seen[0]["headers"]

    @pytest.mark.parametrize("headers", [(HOST, length(FORM + 1)), (HOST, CHUNKED)])
    def test_one_too_large_is_refused_by_its_length_or_while_it_is_read(self, headers: Any) -> None:
        plane = Plane()
        request = Request(*[b"x" * 30_000] * 4, headers=headers)
        assert ask(layer(plane), request) == 413
        assert not plane.seen
        assert request.headers["connection"] == "close"

    def test_a_get_brings_no_body_worth_the_name(self) -> None:
        assert (
            ask(layer(Plane()), Request(b"x" * 20_000, headers=(HOST, length(20_000)), method="GET")) == 413
        )

    def test_one_that_comes_too_slowly_is_refused_and_never_reaches_the_plane(self) -> None:
        plane = Plane()
        app = layer(plane, limits=Limits(grace=0.0, at_once=0.0, pace=2**40))
        assert ask(app, Request(b"x", headers=(HOST, length(9)), half=True)) == 408
        assert not plane.seen

    def test_the_least_pace_lets_a_slow_upload_pass(self) -> None:
        """What came so far gives time for the rest."""
        app = layer(plane := Plane(), limits=Limits(grace=0.0, at_once=0.0, pace=0.001))
        request = Request(b"x", b"y", headers=(HOST, length(2)))
        pieces = request.receive

        async def later() -> dict[str, Any]:
            if len(request.pieces) == 1:
                await asyncio.sleep(0)
            return await pieces()

        request.receive = later  # type: ignore[method-assign]
        assert ask(app, request) == 200
        assert plane.bodies == [b"xy"]

    def test_of_many_half_sent_ones_few_are_waited_for_and_none_holds_up_another(self) -> None:
        plane = Plane()
        app = layer(plane, limits=Limits(grace=3600, at_once=0.0, bodies=3, bodies_by_address=2))

        async def scene() -> None:
            half = [Request(b"x", headers=(HOST, length(9)), half=True) for _ in range(6)]
            half += [
                Request(b"x", headers=(HOST, length(9)), half=True, client=(f"192.0.2.{n}", 1))
                for n in (8, 9)
            ]
            tasks = [asyncio.ensure_future(one.ask(app)) for one in half]
            _done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            while len(waiting) > 3:
                _done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            assert [one.status for one in half] == [0, 0, 503, 503, 503, 503, 0, 503]
            assert half[2].headers["retry-after"] == "5"
            assert await Request(b"whole", headers=(HOST, length(5))).ask(app) == 200
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            assert not app._reading
            assert app._kept == 0

        asyncio.run(scene())

    def test_a_client_that_goes_away_costs_nothing_further(self) -> None:
        app = layer(plane := Plane())
        request = Request(b"x", headers=(HOST, length(9)))
        request.pieces, request.half = [], False
        assert ask(app, request) == 400
        assert not plane.seen
        assert app._kept == 0

    def test_all_that_is_held_together_is_bounded(self) -> None:
        assert (
            ask(layer(Plane(), limits=Limits(kept=5)), Request(b"123456", headers=(HOST, length(6)))) == 503
        )


class TestHeaders:
    def test_one_with_an_underscore_passes_for_no_other(self) -> None:
        sly = ((b"x_forwarded_for", b"1"), (b"content_length", b"9"), (b"x-forwarded_proto", b"https"))
        for proxy in (False, True):
            plane = Plane()
            assert ask(layer(plane, proxy=proxy), Request(headers=(HOST, *sly))) == 200
            assert plane.seen[0]["headers"] == [HOST]

    def test_what_a_proxy_says_is_believed_of_a_proxy_only_and_of_its_last_hop(self) -> None:
        forwarded = (
            (b"x-forwarded-for", b"203.0.113.9, 198.51.100.2"),
            (b"x-forwarded-proto", b"http, https"),
            (b"x-forwarded-host", b"evil.example"),
            (b"forwarded", b"for=203.0.113.9"),
        )
        plane = Plane()
        ask(layer(plane), Request(headers=(HOST, *forwarded)))
        ask(layer(plane, proxy=True), Request(headers=(HOST, *forwarded)))
        assert plane.seen[0]["headers"] == [HOST]
        assert plane.seen[1]["headers"] == [
            HOST,
            (b"x-forwarded-for", b"198.51.100.2"),
            (b"x-forwarded-proto", b"https"),
        ]

    @pytest.mark.parametrize("secure", [False, True])
    def test_every_answer_bears_what_protects_it(self, secure: bool) -> None:
        async def breaks(scope: Any, receive: Any, send: Any) -> None:
            raise RuntimeError("a defect")

        for plane, request, status in (
            (Plane(), Request(), 200),
            (Plane(), Request(headers=()), 400),
            (breaks, Request(), 500),
        ):
            assert ask(layer(plane, secure=secure), request) == status
            assert request.headers["x-frame-options"] == "DENY"
            assert request.headers["server"] == "gridgate"
            assert ("strict-transport-security" in request.headers) is secure


class TestHosts:
    @pytest.mark.parametrize(
        "host",
        [b"portal.example", b"PORTAL.example:8443", b"portal.example.", b"[::1]:8000", b"a.below.example"],
    )
    def test_its_own_names_with_any_port(self, host: bytes) -> None:
        assert ask(layer(Plane()), Request(headers=((b"host", host),))) == 200

    @pytest.mark.parametrize(
        "hosts",
        [
            (b"evil.example",),
            (b"",),
            (),
            (b"portal.example", b"portal.example"),
            (b"me@portal.example",),
            (b"portal.example:80:80",),
            (b"portal.example/x",),
            (b"portal.example evil.example",),
            (b"evilportal.example",),
            (b"evilbelow.example",),
        ],
    )
    def test_no_other(self, hosts: tuple[bytes, ...]) -> None:
        assert ask(layer(plane := Plane()), Request(headers=tuple((b"host", one) for one in hosts))) == 400
        assert not plane.seen

    def test_whoever_asks_whether_it_lives_may_ask_by_address(self) -> None:
        for path, status in (("/healthz", 200), ("/readyz", 200), ("/metrics", 400)):
            assert ask(layer(Plane()), Request(path=path, headers=((b"host", b"10.0.0.9"),))) == status


@pytest.mark.parametrize(
    ("path", "raw", "status"),
    [
        ("/a/b", b"/a%2Fb", 400),
        ("/a\\b", b"/a%5cb", 400),
        ("/a\x00b", b"/a%00b", 400),
        ("/a\ufffd", b"/a%ff", 400),
        ("*", b"*", 400),
        ("/" + "a" * 5000, b"/" + b"a" * 5000, 414),
        ("/été", "/été".encode(), 200),
    ],
)
def test_a_path_is_one_that_can_be_read(path: str, raw: bytes, status: int) -> None:
    assert ask(layer(Plane()), Request(path=path, raw_path=raw)) == status


class TestSpool:
    def test_keeps_the_order_in_memory_and_beyond(self) -> None:
        spool = Spool(in_memory=10)
        taken = b""
        for number in range(30):
            spool.put(b"%03d" % number)
            if number % 7 == 6:
                taken += spool.take()
        while not spool.empty:
            taken += spool.take()
        assert taken == b"".join(b"%03d" % number for number in range(30))
        assert spool.size == 90
        spool.close()


def outbox_of(send: Callable[..., Any], *, stalled: float, pieces: int) -> None:
    async def run() -> None:
        async with Outbox(send, stalled=stalled) as put:
            await put({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(pieces):
                await put({"type": "http.response.body", "body": b"x" * 2**16, "more_body": True})
            await put({"type": "http.response.body", "body": b""})

    asyncio.run(run())


class TestOutbox:
    def test_passes_on_all_of_an_answer(self) -> None:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        outbox_of(send, stalled=30, pieces=40)
        assert sent[0]["status"] == 200
        assert sum(len(one["body"]) for one in sent[1:]) == 40 * 2**16
        assert [one["more_body"] for one in sent[1:]].count(False) == 1
        assert sent[-1]["more_body"] is False

    def test_a_reader_who_takes_nothing_holds_no_writer(self) -> None:
        """All is put though nothing is taken; then the reader is given up."""

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.body":
                await asyncio.Event().wait()

        with pytest.raises(TimeoutError):
            outbox_of(send, stalled=0.0, pieces=40)


class TestSizes:
    def test_each_page_that_takes_a_file_takes_what_it_says(self) -> None:
        from gridgate.portal.screens.administration.forms import LARGEST as IMPORT
        from gridgate.portal.screens.receipts.verifying import LARGEST as RECEIPT

        assert largest_body("/administration/import/", 10) > IMPORT
        assert largest_body("/partage/recus/verifier/", 10) > RECEIPT
        assert largest_body("/questionnaire/KYC-2027-K7Q4M/2/", 100) > 100 * 2**20
        assert largest_body("/connexion/", 100) == FORM_SIZE
