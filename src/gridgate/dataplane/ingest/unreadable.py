"""What a file is told that cannot be taken as a whole."""

from gridgate.core.errors import ErrorKind, GridgateError


class UnreadableFile(GridgateError):
    """The file as a whole cannot be taken: nothing of it is stored. Says where, why, and how to mend it."""

    def __init__(self, message: str, *, remedy: str, where: str = "") -> None:
        super().__init__(ErrorKind.MALFORMED, message, remedy=remedy, where=where)
