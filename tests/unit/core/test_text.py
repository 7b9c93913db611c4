"""What a terminal is shown of what others wrote."""

import json

from gridgate.core.text import shown, shown_lines


def test_what_is_shown_can_be_printed_whatever_it_is() -> None:
    everything = "".join(map(chr, range(0x10000)))
    written = shown(everything)
    assert written.encode()
    commands = [*map(chr, range(32)), *map(chr, range(0x7F, 0xA0)), "\u202e", "\u2066", "\u2028"]
    assert not set(commands) & set(written)
    assert shown("Électricité “Nord” [red]") == "Électricité “Nord” [red]"


def test_json_says_the_same_when_it_is_shown() -> None:
    said = {"name": "a\x1b[2K\x9b\u202e\n\x7f"}
    assert json.loads(shown_lines(json.dumps(said, ensure_ascii=False, indent=2))) == said
