"""Who asks for very many files at once keeps nobody from a page, and the other way round."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from gridgate.config.portal_threads import AT_ONCE, in_threads
from gridgate.dataplane.http.guard import NotTaken

FILE, PAGE = "/static/css/base.css", "/connexion/"


async def nothing(_: Message | None = None) -> Message:
    return {"type": "http.disconnect"}


@pytest.mark.parametrize(("many", "one"), [(FILE, PAGE), (PAGE, FILE)])
def test_what_waits_of_one_kind_keeps_out_none_of_the_other(many: str, one: str) -> None:
    asked: list[str] = []

    async def main() -> None:
        free = asyncio.Event()

        async def django(scope: Scope, receive: Receive, send: Send) -> None:
            asked.append(scope["path"])
            await free.wait()

        portal = in_threads(django)
        under_way = [
            asyncio.create_task(portal({"path": path}, nothing, nothing)) for path in [many] * AT_ONCE + [one]
        ]
        await asyncio.sleep(0)
        while len(asked) <= AT_ONCE:
            await asyncio.sleep(0)
        with pytest.raises(NotTaken):
            await portal({"path": many}, nothing, nothing)
        free.set()
        await asyncio.gather(*under_way)
        await portal({"path": many}, nothing, nothing)

    asyncio.run(main())
    assert asked.count(one) == 1
    assert asked.count(many) == AT_ONCE + 1
