"""How many of the portal's answers are made, or wait for a thread, at once."""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gridgate.config.connections import STALLED_SECONDS
from gridgate.config.http_limits import FILES, no_room
from gridgate.config.spooling import Outbox

AT_ONCE: Final = 128
"""Pages that are made or wait for a thread, in one process, and as many files; beyond these, come back in some
seconds."""


def in_threads(django: ASGIApp) -> ASGIApp:
    """The portal's pages, each in a thread that no reader holds, and no more of them waiting than can be served soon.

    Its files are counted apart: whoever asks for very many of them at once keeps nobody from a page.
    """
    at_work = {"pages": 0, "files": 0}

    async def portal(scope: Scope, receive: Receive, send: Send) -> None:
        kind = "files" if scope["path"].startswith(FILES) else "pages"
        if at_work[kind] >= AT_ONCE:
            raise no_room()

        # Granian's receive gives awaitables that are no coroutines, which a2wsgi asks for.
        async def receiving() -> Message:
            return await receive()

        async with Outbox(send, stalled=STALLED_SECONDS) as put:
            at_work[kind] += 1
            try:
                await django(scope, receiving, put)
            finally:
                at_work[kind] -= 1

    return portal
