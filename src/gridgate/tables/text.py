"""From the bytes of a file to its text: what it is instead, its encoding, its separator, guarded cells."""

import re
from typing import Final

from gridgate.tables.diagnosis import Fault, UnusableFile

UTF8_MARK: Final = b"\xef\xbb\xbf"
SEPARATORS: Final = (";", ",", "\t")
SEPARATOR_NAMES: Final = {";": "semicolons", ",": "commas", "\t": "tabs", "|": "bars"}
_PACKED: Final = {
    b"\x1f\x8b": "gzip",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "RAR",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MARKS_16: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_SEP: Final = re.compile(r"\"?sep=(.)\"?[;,\t]*", re.IGNORECASE)
_HTML: Final = re.compile(
    rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|meta)\b", re.I | re.S
)
_GUESSES: Final = (("Windows-1252", "cp1252"), ("Mac Roman", "mac_roman"), ("DOS (code page 850)", "cp850"))
_LIKELY: Final = frozenset("éèêëàâäîïôöùûüçœæñÉÈÊËÀÂÄÎÏÔÖÙÛÜÇŒÆß«»’‘“”°€–—…²³\u00a0")
_GUARDED: Final = re.compile(r"'*[=+\-@\t\r]")


def container(head: bytes) -> None:
    """Raises `UnusableFile` for what is no table that is read: packed, a PDF, a page, another workbook."""
    for mark, what in _PACKED.items():
        if head.startswith(mark):
            raise UnusableFile("is_packed", what=what)
    if head.startswith(b"%PDF"):
        raise UnusableFile("is_pdf")
    if head.startswith(_OLE):
        raise UnusableFile("is_xls")
    if _HTML.match(head.removeprefix(UTF8_MARK)[:4096]):
        raise UnusableFile("is_html")


def utf16(head: bytes) -> str:
    """The codec of a text in UTF-16, by its mark or by the zeros between its letters; else empty."""
    if head.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return ""
    for mark, codec in _MARKS_16.items():
        if head.startswith(mark):
            return codec
    some = head[:512]
    if len(some) >= 8 and b"\0" in some:
        for codec, letters, zeros in (
            ("utf-16-le", some[::2], some[1::2]),
            ("utf-16-be", some[1::2], some[::2]),
        ):
            if b"\0" not in letters and zeros.count(b"\0") > 0.8 * len(zeros):
                return codec
    return ""


def from_utf16(data: bytes, codec: str) -> str:
    """Raises `UnusableFile`."""
    try:
        return data.decode(codec).removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise UnusableFile("not_text", what="UTF-16 that breaks off") from None


def guessed_encoding(data: bytes) -> str:
    """What text that is not UTF-8 seems to be: the encoding in which most of its bytes make sense; or empty."""
    beyond = bytes(byte for byte in data[:1_000_000] if byte > 0x7F)[:4096]
    best, most = "", len(beyond) // 2
    for name, codec in _GUESSES:
        sense = sum(letter in _LIKELY for letter in beyond.decode(codec, "replace"))
        if sense > most:
            best, most = name, sense
    return best


def decoded(data: bytes) -> str:
    """The text of a table: UTF-8 or UTF-16. Raises `UnusableFile`."""
    container(data[:4096])
    if codec := utf16(data[:512]):
        return from_utf16(data, codec)
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise UnusableFile("not_text", line=line, what="binary")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n|\n|\r", data[: error.start])) + 1
        fault = not_utf8(data, error.start)
        start = max(data.rfind(end, 0, error.start) for end in (b"\n", b"\r")) + 1
        shown = re.split(rb"[\r\n]", data[start : error.start + 20])[0].decode("latin-1").strip()[-80:]
        raise UnusableFile(fault.code, line=line, value=shown, **fault.details) from None


def not_utf8(data: bytes, place: int) -> Fault:
    """What to say of a text whose byte at `place` is not UTF-8."""
    byte = f"{data[place]:02X}"
    if guess := guessed_encoding(data):
        return Fault("other_encoding", {"byte": byte, "guess": guess})
    return Fault("not_utf8", {"byte": byte})


def named_separator(line: str) -> str:
    """The separator that a line `sep=;` names; empty when it is no such line.

    >>> [named_separator(line) for line in ("sep=;", '"sep=,"', "SEP=;;;;", "id;segment")]
    [';', ',', ';', '']
    """
    found = _SEP.fullmatch(line.strip("\r\n\ufeff ")) or _SEP.fullmatch(line.strip("\r\n\ufeff"))
    return found[1] if found else ""


def separator_of(header: str) -> str:
    """The separator that cuts a header into most columns."""
    return max(SEPARATORS, key=header.count)


def guarded(text: str) -> str:
    """Text that a spreadsheet would take for a formula, made plain text by an apostrophe; `unguarded` undoes it.

    >>> [guarded(text) for text in ("=1+1", "-5", "'=x", "O'Neill")]
    ["'=1+1", "'-5", "''=x", "O'Neill"]
    """
    return f"'{text}" if _GUARDED.match(text) else text


def unguarded(text: str) -> str:
    """What `guarded` was given.

    >>> [unguarded(text) for text in ("'=1+1", "''=x", "'hello", "O'Neill")]
    ['=1+1', "'=x", "'hello", "O'Neill"]
    """
    return text[1:] if text.startswith("'") and _GUARDED.match(text[1:]) else text
