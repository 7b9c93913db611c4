"""What is nobody's mistake and passes: no room on a disk, a database that another holds or that cannot be written."""

import errno
import sqlite3
from typing import Final

from gridgate.core.errors import ErrorKind, GridgateError

_DATABASE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
_SYSTEM: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE}
)


def is_unavailable(error: BaseException | None) -> bool:
    """Whether an error, or what it came from, says that a part of the system cannot do its work for now.

    >>> is_unavailable(OSError(errno.ENOSPC, "No space left on device"))
    True
    >>> is_unavailable(ValueError("a mistake"))
    False
    """
    while error is not None:
        if isinstance(error, GridgateError):
            return error.kind is ErrorKind.UNAVAILABLE
        if isinstance(error, sqlite3.Error) and (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DATABASE:
            return True
        if isinstance(error, OSError) and error.errno in _SYSTEM:
            return True
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return False
