"""Zip archives, honest and otherwise."""

import errno
import zipfile
from pathlib import Path

import pytest

from gridgate.dataplane.ingest import archive
from gridgate.dataplane.ingest.archive import members
from gridgate.dataplane.ingest.content import Content
from gridgate.dataplane.ingest.unreadable import UnreadableFile
from tests.ingest_samples import zipped


def unpacked(data: bytes) -> list[tuple[str, bytes]]:
    found = []
    for member in members(Content("a.zip", data)):
        assert isinstance(member, Content)
        found.append((member.name, member.read()))
    return found


class TestMembers:
    def test_come_one_after_the_other_inner_archives_included(self) -> None:
        data = zipped(
            {"x.csv": b"1", "in/y.zip": zipped({"z.csv": b"2"}), "__MACOSX/x.csv": b"", "dir/": b""}
        )

        assert unpacked(data) == [("a.zip/x.csv", b"1"), ("a.zip/in/y.zip/z.csv", b"2")]

    def test_spill_to_disk_when_they_are_large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archive, "_IN_MEMORY", 10)

        assert unpacked(zipped({"x": b"0123456789abcdef"})) == [("a.zip/x", b"0123456789abcdef")]

    def test_blame_a_full_disk_on_no_archive(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*given: object) -> bytes:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(archive, "_copied", full)

        with pytest.raises(OSError, match="No space left"):
            unpacked(zipped({"x": b"0"}))

    @pytest.mark.parametrize("keep", [0.1, 0.5, 0.99])
    def test_refuse_a_truncated_archive(self, keep: float) -> None:
        data = zipped({"x.csv": b"some,text\n" * 1000})

        with pytest.raises(UnreadableFile, match=r"truncated or damaged.*Fetch the archive again"):
            unpacked(data[: int(len(data) * keep)])

    def test_report_a_damaged_member_and_go_on(self) -> None:
        packed = zipped({"bad": b"0123456789" * 100, "good": b"1"})
        damaged = bytearray(packed)
        damaged[40] ^= 0xFF

        bad, good = members(Content("a.zip", bytes(damaged)))

        assert isinstance(bad, UnreadableFile)
        assert bad.where == "a.zip/bad"
        assert isinstance(good, Content)

    @pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_report_a_damaged_member_of_any_compression(self, tmp_path: Path, method: int) -> None:
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w", method) as packed:
            packed.writestr("bad", b"0123456789" * 100)
        damaged = bytearray(path.read_bytes())
        damaged[45:50] = bytes(5)

        (bad,) = members(Content("a.zip", bytes(damaged)))

        assert isinstance(bad, UnreadableFile)

    def test_refuse_a_version_that_nobody_knows(self) -> None:
        data = bytearray(zipped({"x": b"1"}))
        data[data.index(b"PK\x01\x02") + 6] = 151

        with pytest.raises(UnreadableFile, match="damaged"):
            unpacked(bytes(data))

    def test_refuse_a_bomb(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archive, "_RATIO_FREE", 1000)
        monkeypatch.setattr(archive, "_IN_MEMORY", 1000)

        (bomb,) = members(Content("a.zip", zipped({"zeros": bytes(2_000_000)})))

        assert isinstance(bomb, UnreadableFile)
        assert "as a bomb would" in bomb.message

    def test_count_what_is_unpacked_at_any_depth(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each member, and each archive in it, is within its own measure."""
        monkeypatch.setattr(archive, "MAX_BYTES", 100_000)
        inner = {f"{n}.zip": zipped({"zeros": bytes(30_000)}) for n in range(5)}
        found = members(Content("a.zip", zipped(inner)))

        for _ in range(3):
            assert isinstance(next(found), Content)
        with pytest.raises(UnreadableFile, match=r"archives in it included, as a bomb would.*genuine"):
            next(found)

    def test_refuse_a_ratio_that_only_nesting_reaches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("_RATIO_FREE", "_IN_MEMORY"):
            monkeypatch.setattr(archive, name, 1000)
        monkeypatch.setattr(archive, "MAX_RATIO", 50)
        inner = zipped({f"{n}": b"0123456789" * 100 for n in range(200)})

        with pytest.raises(UnreadableFile, match="as a bomb would"):
            list(members(Content("a.zip", zipped({f"{n}.zip": inner for n in range(9)}))))

    def test_count_members_at_any_depth(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archive, "MAX_MEMBERS", 6)
        inner = zipped({"a": b"1", "b": b"2"})

        with pytest.raises(UnreadableFile, match=r"more than 6 members.*Split it"):
            list(members(Content("a.zip", zipped({f"{n}.zip": inner for n in range(3)}))))

    def test_count_what_bombs_cost_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(archive, "_RATIO_FREE", 20_000)
        monkeypatch.setattr(archive, "MAX_BYTES", 70_000)
        monkeypatch.setattr(archive, "MAX_RATIO", 2)
        monkeypatch.setattr(archive, "_CHUNK", 10_000)
        bombs = zipped({str(n): bytes(1_000_000) for n in range(50)})
        found = members(Content("a.zip", bombs))

        assert isinstance(next(found), UnreadableFile)
        with pytest.raises(UnreadableFile, match="archives in it included"):
            list(found)

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_unpack_a_bomb_of_any_compression_by_small_pieces(
        self, tmp_path: Path, method: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "a.zip"
        with zipfile.ZipFile(path, "w", method) as packed:
            for name in "ab":
                packed.writestr(name, bytes(2_000_000))
        monkeypatch.setattr(archive, "_RATIO_FREE", 100_000)
        read: list[int] = []
        real = zipfile.ZipExtFile.read

        def counted(self: zipfile.ZipExtFile, n: int | None = -1) -> bytes:
            read.append(n or -1)
            return real(self, n)

        monkeypatch.setattr(zipfile.ZipExtFile, "read", counted)
        for bomb in members(Content("a.zip", path)):
            assert isinstance(bomb, UnreadableFile)
            assert "as a bomb would" in bomb.message
        assert set(read) == {4096}, "of these zipfile unpacks all that it reads"

    def test_take_a_size_that_is_not_so_for_damage(self) -> None:
        data = bytearray(zipped({"x": b"0123456789" * 10, "good": b"1"}))
        entry = data.index(b"PK\x01\x02")
        data[entry + 24 : entry + 28] = (3).to_bytes(4, "little")

        short, good = members(Content("a.zip", bytes(data)))

        assert isinstance(short, UnreadableFile)
        assert isinstance(good, Content)

    def test_read_zip64(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
        monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
        data = zipped({"x": b"0123456789" * 10, "y": b"2"})
        assert b"PK\x06\x06" in data

        assert len(unpacked(data)) == 2
        monkeypatch.setattr(archive, "MAX_CONTENTS", 50)
        with pytest.raises(UnreadableFile, match="list of contents alone"):
            unpacked(data)

    def test_refuse_a_list_of_contents_that_would_fill_the_memory(self) -> None:
        data = bytearray(zipped({"x": b"1"}))
        end = data.index(b"PK\x05\x06")
        data[end + 12 : end + 16] = (2**30).to_bytes(4, "little")

        with pytest.raises(UnreadableFile, match=r"list of contents alone.*Split"):
            unpacked(bytes(data))

    def test_refuse_to_nest_without_end(self) -> None:
        data = zipped({"x.csv": b"1"})
        for _ in range(archive.MAX_DEPTH):
            data = zipped({"in.zip": data})

        (deepest,) = members(Content("a.zip", data))

        assert isinstance(deepest, UnreadableFile)
        assert "nest more than 3 deep" in deepest.message

    def test_refuse_an_empty_archive(self) -> None:
        with pytest.raises(UnreadableFile, match="empty"):
            unpacked(zipped({}))

    def test_say_that_a_password_is_needed(self, tmp_path: Path) -> None:
        path = tmp_path / "a.zip"
        path.write_bytes(zipped({"x": b"1"}))
        data = bytearray(path.read_bytes())
        data[6] |= 1  # local header
        data[data.index(b"PK\x01\x02") + 8] |= 1  # central directory
        assert zipfile.is_zipfile(path)

        (locked,) = members(Content("a.zip", bytes(data)))

        assert isinstance(locked, UnreadableFile)
        assert "password" in locked.message
