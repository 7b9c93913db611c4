"""What the command line says when a command cannot go on: one message with where and a remedy, never a traceback.

Exit codes: 2 for what is refused and for what failed here; `docs/1-running/operate.md` has the table.
"""

import os
import sqlite3
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from gridgate.core.errors import GridgateError
from gridgate.core.text import shown

REFUSED = 2


@contextmanager
def told_in_one_message() -> Iterator[None]:
    """End the process with the message and the exit code of what the command raises."""
    try:
        yield
    except GridgateError as error:
        _say(str(error))
        sys.exit(REFUSED)
    except OSError as error:
        if error.filename is None:
            _say_defect(error)
        else:
            _say(f"{error.filename}: {error.strerror or error}. {_remedy_of(error)}")
        sys.exit(REFUSED)
    except Exception as error:  # noqa: BLE001 -- the last door
        if _is_of_database(error):
            _say(
                f"{_data() / 'registry.sqlite3'}: the registry does not answer: {_first_line(error)}. "
                "Run gridgate check, which says what is wrong with the instance's files and what to do."
            )
        else:
            _say_defect(error)
        sys.exit(REFUSED)


def _say_defect(error: BaseException) -> None:
    if os.environ.get("GRIDGATE_DEBUG", "").lower() in ("1", "true", "yes", "on"):
        traceback.print_exception(error)
    place = traceback.extract_tb(error.__traceback__)[-1] if error.__traceback__ else None
    where = f" at {Path(place.filename).name}:{place.lineno}" if place else ""
    _say(
        f"Something went wrong here: {type(error).__name__}{where}: {_first_line(error)}. This is a defect, not what you "
        "asked. Run it again with GRIDGATE_DEBUG=true and send what it prints with your report."
    )


def _is_of_database(error: BaseException) -> bool:
    django = sys.modules.get("django.db.utils")
    return isinstance(error, sqlite3.Error) or (
        django is not None and isinstance(error, django.DatabaseError)
    )


def _remedy_of(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "Run the command as the user that owns it, or mend its owner or mode."
    if isinstance(error, FileNotFoundError):
        return "Check the path; of an instance's own file, gridgate check says what to do."
    return "Mend the path or the disk; gridgate check looks at all files of the instance."


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _data() -> Path:
    return Path(os.environ.get("GRIDGATE_DATA", "var"))


def _say(message: str) -> None:
    # What it names may look like markup, or be a terminal's command.
    Console(stderr=True, highlight=False).print(shown(message), style="red", markup=False, soft_wrap=True)
