"""Parquet decoded by a process of its own: a damaged file may end it, and ingest goes on.

The decoder trusts what a file says of itself: of some thousands of damaged files a few make it abort, or allocate without
bound, wherever the damage is, in the footer or in a page. No look at the file beforehand finds them all short of
decoding it; a process that lives as long as files come costs its start once (`python -m` this module).
"""

import atexit
import json
import os
import resource
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Final, cast

import polars as pl

from gridgate.dataplane.ingest.content import Content

_MEMORY: Final = 4 * 2**30
_MEMORY_A_BYTE: Final = 200
"""What decoding may take: so much, and so much more for each byte of the file."""
_THREADS: Final = "2"
"""Each reserves memory, on a machine of many cores more than the bound."""
_LONGEST: Final = 500
"""Bytes of a text. A file names one once for all the rows that have it, and whoever reads them writes it out for each."""
_DIED: Final = "what it says of itself cannot be"


class Undecodable(Exception):
    """The file is no Parquet that can be read. Its text is what the decoder said."""


def decoded(content: Content) -> tuple[pl.DataFrame, dict[str, str]]:
    """The table, and what the file says beside it. Raises `Undecodable`."""
    with TemporaryDirectory(prefix="gridgate-") as folder:
        asked, answered = Path(folder) / "in.parquet", Path(folder) / "out.arrow"
        with content.stream() as source, asked.open("wb") as target:
            shutil.copyfileobj(source, target)
        about = _decoder.ask(asked, answered)
        return pl.read_ipc(answered.read_bytes()), about


class _Decoder:
    """The process, started with the first file and again after one that ended it; it ends with its standard input."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = Lock()

    def ask(self, asked: Path, answered: Path) -> dict[str, str]:
        with self._lock:
            process = self._running()
            assert process.stdin is not None
            assert process.stdout is not None
            said = ""
            try:
                process.stdin.write(json.dumps([str(asked), str(answered)]) + "\n")
                process.stdin.flush()
                said = process.stdout.readline()
            except BrokenPipeError:
                pass
            except BaseException:  # interrupted: its answer would be taken for that of the next file
                self._end(process)
                raise
            if not said:
                self._end(process)
                raise Undecodable(_DIED)
        answer = json.loads(said)
        if "fault" in answer:
            raise Undecodable(answer["fault"])
        about: dict[str, str] = answer["about"]
        return about

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603  # ourselves
                [sys.executable, "-P", "-m", __name__],  # nothing of the folder where somebody happens to be
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # where it writes how it died
                text=True,
                encoding="utf-8",
                env={**without_secrets(), "POLARS_MAX_THREADS": _THREADS},
            )
        return self._process

    def close(self) -> None:
        if self._process is not None:
            self._end(self._process)

    def _end(self, process: "subprocess.Popen[str]") -> None:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._process = None


def without_secrets() -> dict[str, str]:
    """The environment for a process that reads files of strangers."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GRIDGATE_")}


_decoder: Final = _Decoder()
atexit.register(_decoder.close)


def _serve() -> None:
    """Decode each file that a line of standard input names, and say on a line what came of it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        asked, answered = map(Path, json.loads(line))
        sys.stdout.write(json.dumps(_decode(asked, answered)) + "\n")
        sys.stdout.flush()


def _decode(asked: Path, answered: Path) -> dict[str, object]:
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    bound = _MEMORY + _MEMORY_A_BYTE * asked.stat().st_size
    resource.setrlimit(resource.RLIMIT_AS, (bound if most < 0 else min(bound, most), most))
    try:
        about = pl.read_parquet_metadata(asked)
        table = pl.read_parquet(asked)
        _require_short_texts(table)
        table.write_ipc(answered)
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001  # the file's, whatever it is
        return {"fault": (str(error).splitlines() or [type(error).__name__])[0][:200]}
    return {"about": about}


def _require_short_texts(table: pl.DataFrame) -> None:
    for column in table.iter_columns():
        named = isinstance(column.dtype, pl.Categorical | pl.Enum)
        texts = column.unique().cast(pl.String) if named else column
        if texts.dtype == pl.String:
            sizes = texts.str.len_bytes()
        elif texts.dtype == pl.Binary:
            sizes = texts.bin.size()
        else:
            continue
        longest = cast("int", sizes.max() or 0)
        if longest > _LONGEST:
            raise ValueError(f"column {column.name} has a text of {longest} bytes, {_LONGEST} at most")


if __name__ == "__main__":
    _serve()
