"""The texts of days that are kept: bounded by their bytes."""

from gridgate.dataplane.http.metrics import DAY_TEXT_BYTES
from gridgate.facades.enedis import texts
from gridgate.facades.enedis.texts import DayTexts


def test_lets_go_of_what_was_used_longest_ago() -> None:
    kept = DayTexts(largest=3 * (texts._OVERHEAD + 10))
    put_by, let_go = (DAY_TEXT_BYTES.labels(were)._value for were in ("put_by", "let_go"))
    before = put_by.get() - let_go.get()
    for name in "abc":
        kept.put(name, (b"0123456789", 1))
    assert kept.get("a") is not None
    kept.put("d", (b"0123456789", 1))
    assert [name for name in "abcd" if kept.get(name)] == ["a", "c", "d"]
    assert (len(kept), kept.bytes) == (3, 3 * (texts._OVERHEAD + 10))
    assert put_by.get() - let_go.get() - before == kept.bytes
