"""Jobs that wait for one durable write."""

import threading
from collections.abc import Sequence

import pytest

from gridgate.dataplane.group_commit import GroupCommit
from tests.waiting import PATIENCE


def test_a_thread_that_the_system_refuses_holds_up_nobody_who_comes_after(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Too many threads for a moment: that request fails, and the next ones are written."""
    written: list[int] = []

    def write(jobs: Sequence[int]) -> Sequence[None]:
        written.extend(jobs)
        return [None] * len(jobs)

    group: GroupCommit[int, None] = GroupCommit("test", write, closed=lambda: RuntimeError("closed"))

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="start new thread"):
            group.done(1)
    later = threading.Thread(target=group.done, args=(2,), daemon=True)
    later.start()
    later.join(PATIENCE)
    assert written == [2]
    group.close()
