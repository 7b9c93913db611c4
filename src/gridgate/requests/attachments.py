"""Documents that people join to what they ask: kept by their content, outside anything that is served.

A file is named by its SHA-256, so that the same document is there once however often it is joined; who may read it
is told by the rows that name it, never here. It is written beside its place and renamed, so that what has its name
is whole. What a document is, its content says: neither its name nor what the browser claims.
"""

import fcntl
import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Final

from gridgate.core.errors import ErrorKind, GridgateError


class AttachmentRefused(GridgateError):
    """The document cannot be joined: `code` and `details` say why, for the screen to put into words."""

    def __init__(self, code: str, message: str, **details: object) -> None:
        self.code, self.details = code, details
        super().__init__(ErrorKind.INVALID, message)


@dataclass(frozen=True, slots=True)
class DocumentType:
    """A type of document, by the name that a form gives it."""

    name: str
    content_type: str
    extensions: tuple[str, ...]


TYPES: Final = {
    one.name: one
    for one in (
        DocumentType("pdf", "application/pdf", (".pdf",)),
        DocumentType("png", "image/png", (".png",)),
        DocumentType("jpeg", "image/jpeg", (".jpg", ".jpeg")),
        DocumentType("tiff", "image/tiff", (".tif", ".tiff")),
        DocumentType("text", "text/plain; charset=utf-8", (".txt", ".csv", ".md")),
    )
}
LONGEST_NAME: Final = 120
ORPHAN_AGE: Final = timedelta(days=1)

_BEGINNINGS: Final = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
)
_MARKUP: Final = re.compile(rb"<\s*(?:html|script|svg|body|iframe|!doctype|\?php)", re.IGNORECASE)
_SNIFFED: Final = 1445
"""How far into a file browsers look for markup (WHATWG MIME Sniffing, 5.2)."""
_MOST_PARTS: Final = 20_000
"""Chunks or segments of an image that are looked through: a hostile one has millions."""
_PDF_ANYWHERE: Final = 1024
"""How far into a file readers look for the beginning of a PDF (ISO 32000-1, annex H, 3.4.1)."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A document that is in its place."""

    sha256: str
    size: int
    type: DocumentType


def store() -> "AttachmentStore":
    """The documents of this instance."""
    from django.conf import settings

    return AttachmentStore(settings.ENVIRONMENT.attachments)


class AttachmentStore:
    """The folder of an instance's documents, readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, chunks: Iterable[bytes], *, most: int, types: Iterable[str]) -> Stored:
        """Write the document, unless the same is there. Raises `AttachmentRefused`, having written nothing.

        Call it within `held`, until the row that names the document is committed.
        """
        self._make(self.folder)
        partial = self.folder / f".{os.getpid()}-{os.urandom(8).hex()}.part"
        digest, size = hashlib.sha256(), 0
        try:
            with _create(partial) as file:
                for chunk in chunks:
                    size += len(chunk)
                    if size > most:
                        raise AttachmentRefused(
                            "too_large", f"the file is larger than {most} bytes", most=most
                        )
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            with partial.open("rb") as file:
                found = type_of(file, size)
            allowed = tuple(types)
            if found.name not in allowed:
                raise AttachmentRefused(
                    "not_allowed", f"this is a {found.name} file", found=found.name, allowed=allowed
                )
            place = self._place(digest.hexdigest())
            if not place.exists():
                self._make(place.parent)
                partial.replace(place)
                _sync(place.parent)
            return Stored(digest.hexdigest(), size, found)
        finally:
            partial.unlink(missing_ok=True)

    def has(self, sha256: str, *, size: int | None = None) -> bool:
        """Whether the document is there and can be read, and is of that size where one is given."""
        place = self._place(sha256)
        try:
            found = place.is_file() and os.access(place, os.R_OK)
            return found and (size is None or place.stat().st_size == size)
        except OSError:
            return False

    def pieces(self, sha256: str) -> Iterator[bytes]:
        """The document, piece by piece; opened when the first is asked for."""
        with self._place(sha256).open("rb") as file:
            while piece := file.read(64 * 1024):
                yield piece

    def discard(self, sha256: str) -> None:
        """Remove the document, which no row names; call it within `held`."""
        self._place(sha256).unlink(missing_ok=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """One at a time, across processes: or a document could be removed between being found and being named."""
        self._make(self.folder)
        descriptor = os.open(self.folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def older_than(self, now: datetime) -> Iterator[str]:
        """The documents written more than a day ago; leftovers of writers that were killed are removed."""
        limit = (now - ORPHAN_AGE).timestamp()
        for path in self.folder.rglob("*"):
            with suppress(FileNotFoundError):
                if not path.is_file() or path.stat().st_mtime > limit:
                    continue
                if path.suffix == ".part":
                    path.unlink()
                elif path.name != ".lock":
                    yield path.name

    def _place(self, sha256: str) -> Path:
        assert re.fullmatch(r"[0-9a-f]{64}", sha256), "a document is named by its SHA-256"
        return self.folder / sha256[:2] / sha256

    def _make(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def clean_name(name: str, document: DocumentType) -> str:
    """The name to keep and to give back: no path, nothing that a screen or a header would read otherwise, and an
    extension that says what the document is.

    >>> clean_name("../../etc/passwd", TYPES["pdf"]), clean_name("C:\\\\scan\\u202efdp.exe", TYPES["pdf"])
    ('passwd.pdf', 'scanfdp.exe.pdf')
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    shown = "".join(
        " " if char.isspace() else char
        for char in last
        if unicodedata.category(char)[0] != "C" or char.isspace()
    )
    shown = re.sub(r'[<>:"|?*;%]', "_", shown)
    shown = " ".join(shown.split()).strip(". ")
    stem, dot, extension = shown.rpartition(".")
    if not dot or f".{extension.lower()}" not in document.extensions:
        stem, extension = shown, document.extensions[0].removeprefix(".")
    stem = stem.strip(". ")[: LONGEST_NAME - len(extension) - 1].strip(". ") or "document"
    return f"{stem}.{extension}"


def type_of(file: IO[bytes], size: int) -> DocumentType:
    """The type that the content shows, being whole and nothing else besides. Raises `AttachmentRefused`."""
    if size == 0:
        raise AttachmentRefused("empty", "the file is empty")
    head = file.read(4096)
    found = next((name for beginning, name in _BEGINNINGS if head.startswith(beginning)), "")
    file.seek(0)
    if not found:
        if not head.startswith((b"PK", b"MZ", b"\x7fELF")) and _is_text(file):
            found = "text"
        else:
            raise AttachmentRefused("unknown_type", "this is none of the types of documents taken here")
    _refuse_two_faces(found, head, file, size)
    match found:
        case "pdf":
            _check_pdf(file, size)
        case "png":
            _check_png(file, size)
        case "jpeg":
            _check_jpeg(file)
    return TYPES[found]


def _refuse_two_faces(found: str, head: bytes, file: IO[bytes], size: int) -> None:
    """Refuse what another program would take for something else: a page, a PDF inside an image, an archive."""
    two_faced = _MARKUP.search(head[:_SNIFFED]) is not None
    two_faced |= found != "pdf" and b"%PDF-" in head[:_PDF_ANYWHERE]
    tail_size = min(size, 65_557)  # an archive's end record and its longest comment
    file.seek(size - tail_size)
    tail = file.read(tail_size)
    end = tail.rfind(b"PK\x05\x06")
    while end >= 0 and not two_faced:
        comment = int.from_bytes(tail[end + 20 : end + 22], "little")
        two_faced = end + 22 + comment == len(tail)
        end = tail.rfind(b"PK\x05\x06", 0, end)
    if two_faced:
        raise AttachmentRefused("two_faces", "the file is of two types at once")


def _check_pdf(file: IO[bytes], size: int) -> None:
    """A PDF ends with `startxref`, a number and `%%EOF` (ISO 32000-1, 7.5.5), and has at least one object."""
    file.seek(max(0, size - 2048))
    end = file.read().rstrip(b"\x00\t\n\x0c\r ")
    if b"%%EOF" not in end[-1024:] or b"startxref" not in end:
        raise AttachmentRefused("truncated", "the PDF ends too early")
    file.seek(0)
    before = b""
    while chunk := file.read(1 << 20):
        if re.search(rb"\d\s+\d+\s+obj\b", before + chunk):
            return
        before = chunk[-64:]
    raise AttachmentRefused("no_pages", "the PDF holds nothing")


def _check_png(file: IO[bytes], size: int) -> None:
    """A PNG is a chain of chunks from IHDR to IEND (PNG, 5.6)."""
    at = 8
    for number in range(_MOST_PARTS):
        file.seek(at)
        header = file.read(8)
        at += 12 + int.from_bytes(header[:4], "big")
        if at > size or (number == 0 and header[4:] != b"IHDR"):
            break
        if header[4:] == b"IEND":
            return
    raise AttachmentRefused("truncated", "the image ends too early")


def _check_jpeg(file: IO[bytes]) -> None:
    """A JPEG runs from SOI to EOI, with a frame between (ITU-T T.81, B.1)."""
    file.seek(0)
    data = file.read()
    at, frame = 2, False
    for _ in range(_MOST_PARTS):
        if at + 4 > len(data) or data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        frame |= 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)
        if marker == 0xDA:
            if frame and data.find(b"\xff\xd9", at) >= 0:
                return
            break
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    raise AttachmentRefused("truncated", "the image ends too early")


def _is_text(file: IO[bytes]) -> bool:
    try:
        text = file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text) is None


@contextmanager
def _create(path: Path) -> Iterator[IO[bytes]]:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
