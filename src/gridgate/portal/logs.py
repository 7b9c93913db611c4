"""What the logs are not told: addresses that open something, and where our own code stood when a request was refused."""

import logging
import re

_OPENING = re.compile(r"(/activation/|/mot-de-passe/nouveau/|/opposition/)[^\s?#\"']+")


class WithoutLinks(logging.Filter):
    """Takes the proof out of the links of letters, whoever logs the address of a request.

    >>> record = logging.LogRecord("", 0, "", 0, "Forbidden: %s", ("/activation/12-1.secret/",), None)
    >>> WithoutLinks().filter(record), record.getMessage()
    (True, 'Forbidden: /activation/…')
    """

    def filter(self, record: logging.LogRecord) -> bool:
        said = record.getMessage()
        kept = _OPENING.sub(r"\1…", said)
        if kept != said:
            record.msg, record.args = kept, ()
        return True


class RefusedInOneLine(logging.Filter):
    """Takes the traceback from what a request was refused for: the fault is the request's, and whoever sends such
    requests could fill the log with pages of our own code.

    >>> record = logging.LogRecord("", 0, "", 0, "Too many fields", (), (ValueError, ValueError(), None))
    >>> record.status_code = 400
    >>> RefusedInOneLine().filter(record), record.exc_info
    (True, None)
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if getattr(record, "status_code", 500) < 500:
            record.exc_info = record.exc_text = None
        return True
