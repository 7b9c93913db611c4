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
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, Final, cast

import polars as pl

from gridgate.dataplane.ingest.content import Content

_MEMORY: Final = 4 * 2**30
_MEMORY_A_BYTE: Final = 200
"""What decoding may take: so much, and so much more for each byte of the file."""
_THREADS: Final = "2"
"""Each reserves memory, on a machine of many cores more than the bound."""
PIECE: Final = 150_000
"""Rows that are decoded at a time."""
_MOST_ROWS: Final = 200_000_000
_LONGEST: Final = 500
"""Bytes of a text. A file names one once for all the rows that have it, and whoever reads them writes it out for each."""
_DIED: Final = "what it says of itself cannot be"


class Undecodable(Exception):
    """The file is no Parquet that can be read. Its text is what the decoder said."""


class Decoding:
    """A file as it is decoded, piece by piece."""

    def __init__(self, file: Path) -> None:
        self._answered = file.with_name("out.arrow")
        self._answers = _decoder.ask(file, self._answered)
        self.about: dict[str, str] = {}
        """What the file says beside its table; known with the first piece."""
        self.rows = 0

    def tables(self) -> Iterator[pl.DataFrame]:
        """The pieces of the table, one at least. Raises `Undecodable`."""
        for answer in self._answers:
            self.about, self.rows = answer["about"], answer["rows"]
            yield pl.read_ipc(self._answered.read_bytes())

    def close(self) -> None:
        """Let the process go, wherever it is."""
        self._answers.close()


@contextmanager
def decoding(content: Content) -> Iterator[Decoding]:
    with TemporaryDirectory(prefix="gridgate-") as folder:
        file = Path(folder) / "in.parquet"
        with content.stream() as source, file.open("wb") as target:
            shutil.copyfileobj(source, target)
        with closing(Decoding(file)) as decoding:
            yield decoding


class _Decoder:
    """The process, started with the first file and again after one that ended it; it ends with its standard input."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = Lock()

    def ask(self, file: Path, answered: Path) -> Generator[dict[str, Any], None, None]:
        """What the process says of each piece, which lies in `answered` until the next is asked for."""
        with self._lock:
            process = self._running()
            done = False
            try:
                self._tell(process, json.dumps([str(file), str(answered)]))
                while (answer := self._hear(process)) is not None:
                    if "fault" in answer:
                        done = True
                        raise Undecodable(answer["fault"])
                    if answer.get("end"):
                        done = True
                        return
                    yield answer
                    self._tell(process, "next")
                raise Undecodable(_DIED)
            finally:
                if not done:  # its answer would be taken for that of the next file
                    self._end(process)

    def _tell(self, process: "subprocess.Popen[str]", line: str) -> None:
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.write(line + "\n")
            process.stdin.flush()

    def _hear(self, process: "subprocess.Popen[str]") -> dict[str, Any] | None:
        assert process.stdout is not None
        said = process.stdout.readline()
        answer: dict[str, Any] | None = json.loads(said) if said else None
        return answer

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603  # ourselves
                # nothing of the folder where somebody happens to be
                [sys.executable, "-P", "-m", __name__, str(PIECE)],
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


def _serve(piece: int) -> None:
    """Decode each file that a line of standard input names, and say on a line what came of each piece of it; another line
    asks for the next."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        file, answered = map(Path, json.loads(line))
        try:
            for answer in _decode(file, answered, piece):
                _say(answer)
                sys.stdin.readline()
            _say({"end": True})
        except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001  # the file's, whatever it is
            _say({"fault": (str(error).splitlines() or [type(error).__name__])[0][:200]})


def _say(answer: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _decode(file: Path, answered: Path, piece: int) -> Iterator[dict[str, object]]:
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    bound = _MEMORY + _MEMORY_A_BYTE * file.stat().st_size
    resource.setrlimit(resource.RLIMIT_AS, (bound if most < 0 else min(bound, most), most))
    about = pl.read_parquet_metadata(file)
    rows = pl.scan_parquet(file).select(pl.len()).collect().item()
    if rows > _MOST_ROWS:
        raise ValueError(f"it says that it has {rows} rows, {_MOST_ROWS} at most")
    for table in _pieces(file, rows, piece):
        _require_short_texts(table)
        table.write_ipc(answered)
        yield {"about": about, "rows": rows}


def _pieces(file: Path, rows: int, most: int) -> Iterator[pl.DataFrame]:
    if rows <= most:
        yield pl.read_parquet(file)
        return
    batches = pl.scan_parquet(file).collect_batches(chunk_size=most, maintain_order=True, engine="streaming")
    for batch in batches:
        yield from batch.iter_slices(most)


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
    _serve(int(sys.argv[1]))
