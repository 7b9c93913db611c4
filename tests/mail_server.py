"""A mail server that a test speaks to over the network."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from aiosmtpd.smtp import SMTP


@contextmanager
def mail_server(handler: Any) -> Iterator[int]:
    """One that gives what it is sent to a handler of aiosmtpd's; yields the port that it was given."""
    loop = asyncio.new_event_loop()
    listening = loop.create_server(lambda: SMTP(handler, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", 0)
    server = loop.run_until_complete(listening)
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _close(server: asyncio.Server) -> None:
    """Listen no more, and hang up on whoever is there."""
    server.close()
    speaking = asyncio.all_tasks() - {asyncio.current_task()}
    for task in speaking:
        task.cancel()
    await asyncio.gather(*speaking, return_exceptions=True)
