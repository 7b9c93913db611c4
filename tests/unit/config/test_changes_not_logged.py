"""What is logged of changes that could not be written into the chained log."""

from collections.abc import Sequence

import pytest
from django.db import transaction

from gridgate.audit.changes import RIGHTS, Change, say
from gridgate.core.errors import ErrorKind, GridgateError


def refuse(_: Sequence[Change]) -> None:
    raise GridgateError(ErrorKind.UNAVAILABLE, "the disk is full")


@pytest.mark.parametrize(("count", "told"), [(1, "1 change"), (2, "2 changes")])
def test_says_how_many_in_their_number(count, told, settings, monkeypatch, caplog):
    settings.CHANGE_LOG = f"{__name__}.refuse"
    monkeypatch.setattr(transaction, "on_commit", lambda act: act())
    say(*(Change(RIGHTS, str(number), "0" * 64, {}) for number in range(count)))
    assert caplog.messages == [f"{told} committed, and not in the log yet: the disk is full"]
