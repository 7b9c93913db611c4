"""What a document is, what it is called, and where it lies."""

import io
import os
import stat
import threading
from datetime import UTC, datetime, timedelta

import pytest

from gridgate.requests.attachments import (
    TYPES,
    AttachmentRefused,
    AttachmentStore,
    clean_name,
    type_of,
)
from tests.factories.documents import EMPTY_ZIP, JPEG, PDF, PNG, pdf

ALL = tuple(TYPES)


def found(content: bytes) -> str:
    return type_of(io.BytesIO(content), len(content)).name


def refusal(content: bytes) -> str:
    with pytest.raises(AttachmentRefused) as error:
        found(content)
    return error.value.code


class TestTypeOf:
    @pytest.mark.parametrize(
        ("content", "name"),
        [
            (PDF, "pdf"),
            (PDF.rstrip(), "pdf"),
            (PDF + b"\x00" * 40, "pdf"),
            (PNG, "png"),
            (JPEG, "jpeg"),
            (b"\xff\xd8\xff\xff\xe0" + JPEG[4:], "jpeg"),
            (b"II*\x00\x08\x00\x00\x00", "tiff"),
            ("Société ; 25 %\r\n".encode(), "text"),
        ],
    )
    def test_reads_it_from_the_content(self, content, name):
        assert found(content) == name

    @pytest.mark.parametrize(
        ("content", "code"),
        [
            (b"", "empty"),
            (PDF[:-20], "truncated"),
            (PDF[: len(PDF) // 2], "truncated"),
            (PDF.replace(b"startxref", b"start"), "truncated"),
            (b"%PDF-1.7\nstartxref\n0\n%%EOF\n", "no_pages"),
            (PNG[:-4], "truncated"),
            (PNG[:8], "truncated"),
            (PNG[:8] + PNG[33:], "truncated"),
            (JPEG[:-2], "truncated"),
            (JPEG[:3], "truncated"),
            (JPEG[:20] + b"\xff\xd9", "truncated"),
            (b"GIF89a\x01\x00\x01\x00\x00\x00\x00;\x00", "unknown_type"),
            (b"MZ\x90\x00", "unknown_type"),
            (b"PK\x03\x04", "unknown_type"),
            (b"text with \x00 in it", "unknown_type"),
            (b"caf\xe9", "unknown_type"),
        ],
    )
    def test_tells_what_is_spoilt_or_unknown(self, content, code):
        assert refusal(content) == code

    @pytest.mark.parametrize(
        "content",
        [
            PDF + EMPTY_ZIP,
            PNG + EMPTY_ZIP,
            JPEG + EMPTY_ZIP[:-2] + b"\x04\x00%%EO",
            b"\xff\xd8\xff\xe0\x00\x10" + b"%PDF-1.4\n" + JPEG[6:],
            PDF.replace(b"%PDF-1.4\n", b"%PDF-1.4\n%<script>alert(1)</script>\n"),
            b"\xff\xd8\xff\xfe\x00\x20<!DOCTYPE html><body>" + JPEG[2:],
            b"<html>%PDF-1.4",
            b"<?php echo 1;",
            b"\n <svg xmlns='http://www.w3.org/2000/svg'/>",
        ],
    )
    def test_refuses_what_another_program_would_take_for_something_else(self, content):
        assert refusal(content) == "two_faces"

    def test_takes_a_pdf_that_holds_an_archive(self):
        """Joined inside it, not stuck to its end."""
        assert found(PDF.replace(b"xref\n0 3", EMPTY_ZIP + b"\nxref\n0 3")) == "pdf"

    def test_looks_at_so_many_segments_and_no_more(self):
        many = b"\xff\xd8" + b"\xff\xe0\x00\x02" * 100_000 + JPEG[2:]
        assert refusal(many) == "truncated"


class TestCleanName:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ("Kbis ACME.pdf", "Kbis ACME.pdf"),
            ("../../etc/passwd", "passwd.pdf"),
            ("C:\\Users\\a\\kbis.PDF", "kbis.PDF"),
            ("..", "document.pdf"),
            ("", "document.pdf"),
            (".pdf", "pdf.pdf"),
            (".htaccess", "htaccess.pdf"),
            ("a\r\nSet-Cookie: x=1.pdf", "a Set-Cookie_ x=1.pdf"),
            ("kbis\u202efdp.exe", "kbisfdp.exe.pdf"),
            ("re\u2067vers\u200b.pdf", "revers.pdf"),
            ('a"b<c>|d?*.pdf', "a_b_c__d__.pdf"),
            ("nul\x00l.pdf", "null.pdf"),
            ("scan.jpg", "scan.jpg.pdf"),
            ("reçu\u00a0définitif .pdf", "reçu définitif.pdf"),
            ("e\u0301tat.pdf", "état.pdf"),
        ],
    )
    def test_keeps_what_is_harmless(self, given, kept):
        assert clean_name(given, TYPES["pdf"]) == kept

    def test_is_never_too_long(self):
        assert len(clean_name("é" * 500 + ".pdf", TYPES["pdf"])) <= 120
        assert clean_name("a" * 500 + ".jpeg", TYPES["jpeg"]).endswith(".jpeg")


@pytest.fixture
def documents(tmp_path):
    return AttachmentStore(tmp_path / "attachments")


def keep(documents, content=PDF, *, most=10_000, types=ALL):
    with documents.held():
        return documents.keep([content[:10], content[10:]], most=most, types=types)


def files_in(documents):
    return [path for path in documents.folder.rglob("*") if path.is_file() and path.name != ".lock"]


class TestStore:
    def test_keeps_the_same_document_once_and_privately(self, documents):
        first, second = keep(documents), keep(documents)
        assert first == second
        (place,) = files_in(documents)
        assert place.read_bytes() == PDF
        assert place.name == first.sha256
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        for folder in (documents.folder, place.parent):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700

    @pytest.mark.parametrize("content", [b"", PDF[:-20], b"GIF89a\x00", PDF * 100])
    def test_leaves_nothing_of_what_it_refuses(self, documents, content):
        with pytest.raises(AttachmentRefused):
            keep(documents, content)
        assert files_in(documents) == []

    def test_refuses_a_type_that_the_field_does_not_take(self, documents):
        with pytest.raises(AttachmentRefused) as error:
            keep(documents, PNG, types=("pdf",))
        assert error.value.code == "not_allowed"
        assert error.value.details == {"found": "png", "allowed": ("pdf",)}

    def test_stops_reading_at_the_limit(self, documents):
        read = []

        def endless():
            while True:
                read.append(1)
                yield b"%PDF-" + b"x" * 995

        with documents.held(), pytest.raises(AttachmentRefused):
            documents.keep(endless(), most=10_000, types=ALL)
        assert len(read) == 11

    @pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "a" * 63])
    def test_opens_nothing_but_documents(self, documents, name):
        for act in (documents.has, documents.discard, lambda name: next(documents.pieces(name))):
            with pytest.raises(AssertionError):
                act(name)

    def test_gives_back_what_it_keeps(self, documents):
        long = pdf("x" * 200_000)
        kept = keep(documents, long, most=1_000_000)
        assert documents.has(kept.sha256)
        assert b"".join(documents.pieces(kept.sha256)) == long
        with documents.held():
            documents.discard(kept.sha256)
        assert not documents.has(kept.sha256)

    def test_is_held_by_one_at_a_time(self, documents):
        inside = threading.Event()

        def other():
            with documents.held():
                inside.set()

        with documents.held():
            thread = threading.Thread(target=other)
            thread.start()
            assert not inside.wait(0.2)
        thread.join()
        assert inside.is_set()

    def test_names_old_documents_and_removes_what_killed_writers_left(self, documents):
        kept = keep(documents)
        part = documents.folder / ".1-ab.part"
        part.write_bytes(b"half")
        now = datetime(2030, 1, 1, tzinfo=UTC)
        for path in (part, *files_in(documents)):
            os.utime(path, (now.timestamp() - 23 * 3600,) * 2)
        assert list(documents.older_than(now)) == []
        assert list(documents.older_than(now + timedelta(hours=2))) == [kept.sha256]
        assert not part.exists()
