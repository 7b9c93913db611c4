"""A folder that files are dropped into: which of them are whole, who takes them, and where they go afterwards.

    FOLDER/NAME                  dropped, or still being written
    FOLDER/.taking/WATCHER/N/    in the hands of a watcher, whose lock shows that it lives
    FOLDER/done/NAME             taken in, with NAME.report.json and NAME.report.txt beside
    FOLDER/quarantine/NAME       refused whole, with the same

A watcher takes a file by moving it, which one alone can do; nobody knows it by its name from then on. What a watcher that
died had in hand goes to one that lives: it takes it in again, which changes nothing that is stored, or, when it was
moved and its reports were not, moves these. How often a file was begun is kept beside it, so that one whose taking
kills the watcher is not begun for ever. Names in `done` and `quarantine` are found under one lock, so that nothing
is written over: what is called as another before it becomes NAME.2, NAME.3.

Whoever drops files may rename what lies in FOLDER, and is trusted with no more than that: the folders here are those
that were opened at the start, wherever their names lead later; and what watchers have in hand lies where nobody else
can write, under names that nobody else knows.
"""

import errno
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gridgate.config.ingesting.names import free_name, is_in_writing, shortened
from gridgate.core.errors import ErrorKind, GridgateError

DONE: Final = "done"
QUARANTINE: Final = "quarantine"
_TAKING: Final = ".taking"
_LOCK: Final = "lock"
_BEGUN: Final = ".begun"
"""Beside a file in hand: a byte for each time that taking it in was begun and did not end here."""
_DRAFT: Final = {f".{where}": where for where in (DONE, QUARANTINE)}
"""Where reports wait until the file is moved, and where they go then."""
_AT_ONCE: Final = 64
"""Files that one watcher takes into its hands before it looks again: others find theirs, reports come soon."""
_EMPTY_WAITS: Final = 60.0
"""Seconds that an empty file is waited for: some make the file first and write it afterwards."""
_State = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Claim:
    """A file in hand, `place`/`name`."""

    place: Path
    name: str
    fault: str = ""
    """Why it is not to be read."""

    @property
    def path(self) -> Path:
        return self.place / self.name


@dataclass(slots=True)
class DropFolder:
    """One watcher's view of the folder. `settle`: for how many seconds a file must not have changed to be whole."""

    folder: Path
    settle: float
    tell: Callable[[str], None] = print
    clock: Callable[[], float] = time.monotonic
    _opened: dict[str, int] = field(init=False)
    """The folders in it, by their name."""
    _mine: Path = field(init=False)
    _lock: int = field(init=False)
    _claims: list[Claim] = field(default_factory=list)
    _sights: dict[tuple[int, int], tuple[_State, float]] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)
    _number: int = 0

    def __post_init__(self) -> None:
        """Raises `GridgateError` when the folder is none that files can be moved in."""
        if not self.folder.is_dir():
            raise GridgateError(ErrorKind.NOT_FOUND, f"{self.folder} is no folder", remedy="Make it first.")
        if not os.access(self.folder, os.R_OK | os.W_OK | os.X_OK):
            raise GridgateError(
                ErrorKind.FORBIDDEN,
                f"{self.folder} cannot be read and written to",
                remedy="Give it to the user that this runs as, or to its group: files are moved out of it.",
            )
        self._opened = {name: self._open(name) for name in (DONE, QUARANTINE, _TAKING)}
        self._mine = self.folder / _TAKING / secrets.token_hex(8)
        with self._alone():
            self._mine.mkdir()
            self._lock = os.open(self._mine / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def _open(self, name: str) -> int:
        """A folder of ours in it, made if there is none; never what a link leads to. Raises `GridgateError`."""
        path = self.folder / name
        with suppress(FileExistsError):
            path.mkdir(mode=0o700 if name == _TAKING else 0o777)
        try:
            opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR):
                raise
            remedy = "Somebody else made it: look at what is there, and move it away."
            raise GridgateError(
                ErrorKind.FORBIDDEN, f"{path} is no folder, or a link to one", remedy=remedy
            ) from None
        status = os.fstat(opened)
        if name == _TAKING and (status.st_uid != os.geteuid() or status.st_mode & 0o022):
            os.close(opened)
            raise GridgateError(
                ErrorKind.FORBIDDEN,
                f"others than the user that this runs as may write to {path}",
                remedy="Look at what is there, and move it away: files in hand lie there, and it is made anew.",
            )
        return opened

    def close(self) -> None:
        """Let go of what is in hand: another watcher, or the next one, has it then."""
        with self._alone():
            os.close(self._lock)
            if not self._claims:
                with suppress(OSError):
                    (self._mine / _LOCK).unlink()
                    self._mine.rmdir()
        for opened in self._opened.values():
            os.close(opened)

    @property
    def in_hand(self) -> bool:
        """Whether files were taken that have not all gone where they go. Looked up where they lie: whoever stops it may
        do so between a move and what is known of it.
        """
        return any(
            path.is_symlink() or not path.is_dir() for path in self._mine.glob("*/*") if path.name != _BEGUN
        )

    # What is there

    def whole(self) -> list[Claim]:
        """The files in hand that are whole, after taking what was dropped and what watchers that died left."""
        self._adopt()
        self._take()
        self._claims = [claim for claim in self._claims if os.path.lexists(claim.path)]
        return [claim for claim in self._claims if self._is_steady(claim.path)]

    def _take(self) -> None:
        seen = set()
        with os.scandir(self.folder) as entries:
            names = sorted(entry.name for entry in entries)
        for name in names:
            path = self.folder / name
            if name in (DONE, QUARANTINE) or is_in_writing(name) or not self._is_candidate(path):
                continue
            seen.add(_file_of(path))
            if self._is_steady(path) and len(self._claims) < _AT_ONCE:
                self._claim(path)
        seen |= {_file_of(claim.path) for claim in self._claims}
        self._sights = {file: sight for file, sight in self._sights.items() if file in seen}

    def _is_candidate(self, path: Path) -> bool:
        if path.is_dir() and not path.is_symlink():
            self._tell_once(f"{path} is a folder: what is in it is not taken")
            return False
        return True

    def _claim(self, path: Path) -> None:
        place = self._new_place()
        try:
            path.rename(place / path.name)
        except FileNotFoundError:  # another watcher was faster, or its sender
            place.rmdir()
        except OSError as error:
            place.rmdir()
            self._tell_once(f"{path} is not taken: it cannot be moved ({error.strerror})")
        else:
            self._claims.append(_claimed(place, path.name))

    def _new_place(self) -> Path:
        self._number += 1
        place = self._mine / str(self._number)
        place.mkdir()
        return place

    def _is_steady(self, path: Path) -> bool:
        """Whether the file has been as it is for long enough."""
        try:
            status = path.lstat()
        except OSError:
            return False
        now, state = self.clock(), (status.st_size, status.st_mtime_ns, status.st_mode, status.st_uid)
        file = (status.st_dev, status.st_ino)
        before = self._sights.get(file)
        if before is None or before[0] != state:
            before = self._sights[file] = state, now
        empty = stat.S_ISREG(status.st_mode) and not status.st_size
        return now - before[1] >= (max(self.settle, _EMPTY_WAITS) if empty and self.settle else self.settle)

    # What others left

    def _adopt(self) -> None:
        with self._alone():
            with os.scandir(self._opened[_TAKING]) as entries:
                others = sorted(entry.name for entry in entries)
            for name in others:
                other = self.folder / _TAKING / name
                if other == self._mine or not other.is_dir():
                    continue
                with _its_lock(other) as free:
                    if free:
                        self._take_over(other)

    def _take_over(self, other: Path) -> None:
        for left in sorted(path for path in other.iterdir() if path.is_dir()):
            names = [path.name for path in left.iterdir() if not path.name.startswith(".")]
            if names:
                for told in _told_in(left):
                    told.unlink()
                place = self._new_place()
                left.rename(place)
                self._claims.append(_claimed(place, names[0]))
            else:
                self._move_reports(left)
        (other / _LOCK).unlink(missing_ok=True)
        other.rmdir()

    # How often it was begun

    def begun(self, claim: Claim) -> int:
        """How often taking it in was begun without an outcome."""
        try:
            return (claim.place / _BEGUN).stat().st_size
        except FileNotFoundError:
            return 0

    def begin(self, claim: Claim) -> None:
        """Count that it is begun; the count outlives whatever happens next."""
        counted = os.open(claim.place / _BEGUN, os.O_CREAT | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(counted, b".")
            os.fsync(counted)
        finally:
            os.close(counted)
        place = os.open(claim.place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(place)
        finally:
            os.close(place)

    def uncount(self, claim: Claim, before: int) -> None:
        """Take back that it was begun, which it was `before` times: this process lives on, or ends as it was told to.
        Counting it may have been broken off.
        """
        with suppress(FileNotFoundError):  # it is where it goes
            os.truncate(claim.place / _BEGUN, min(before, self.begun(claim)))

    # Where it goes

    def state(self, claim: Claim) -> object:
        """What changes when somebody writes to the file."""
        found = claim.path.lstat()
        return found.st_size, found.st_mtime_ns

    def put_away(self, claim: Claim, where: str, reports: Mapping[str, Iterable[str]]) -> Path:
        """Move the file to `where`, and beside it its reports (ending to the pieces of its text). Where it is then."""
        with self._alone():
            name = free_name(self._opened[where], shortened(claim.name), reports)
            for told in _told_in(claim.place):  # of an attempt that failed
                told.unlink()
            draft = claim.place / f".{where}"
            draft.mkdir(exist_ok=True)
            for ending, text in reports.items():
                _write(draft / f"{name}{ending}", text)
            os.rename(claim.path, name, dst_dir_fd=self._opened[where])
            self._move_reports(claim.place)
        self._claims.remove(claim)
        return self.folder / where / name

    def _move_reports(self, place: Path) -> None:
        for told in _told_in(place):
            os.rename(told, told.name, dst_dir_fd=self._opened[_DRAFT[told.parent.name]])
        (place / _BEGUN).unlink(missing_ok=True)
        for draft in place.iterdir():
            draft.rmdir()
        place.rmdir()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While no other watcher of the folder does the same."""
        flags = os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC
        lock = os.open(_LOCK, flags, 0o600, dir_fd=self._opened[_TAKING])
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self.tell(text)


def _claimed(place: Path, name: str) -> Claim:
    return Claim(place, name, _fault_of(place / name))


def _fault_of(path: Path) -> str:
    status = path.lstat()
    mode = status.st_mode
    if stat.S_ISLNK(mode):
        return f"it is a link, to {path.readlink()}, which is not followed; drop the file itself"
    if not stat.S_ISREG(mode):
        return "it is no file of data; drop files only"
    if status.st_nlink > 1 and status.st_uid == os.geteuid():
        # Some systems let anybody give a second name to a file that they may not read: a key, say.
        return "it has another name elsewhere, and belongs to the user that this runs as; drop a copy"
    if not os.access(path, os.R_OK):
        return (
            f"it cannot be read: its owner is user {status.st_uid}, its mode {stat.S_IMODE(mode):o}; have it"
            " written so that the user that this runs as may read it, and drop it again"
        )
    return ""


def _file_of(path: Path) -> tuple[int, int]:
    try:
        status = path.lstat()
    except OSError:
        return 0, 0
    return status.st_dev, status.st_ino


def _told_in(place: Path) -> list[Path]:
    drafts = [place / name for name in _DRAFT]
    return [told for draft in drafts if draft.is_dir() and not draft.is_symlink() for told in draft.iterdir()]


def _write(path: Path, text: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.writelines(text)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _its_lock(other: Path) -> Iterator[bool]:
    """Whether the watcher whose place this is lives no more; nobody else takes it over meanwhile."""
    lock = os.open(other / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(lock)
