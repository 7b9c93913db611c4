"""What the logs are not told: addresses that open something."""

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
