"""One JSON line for each event of signing in, on standard error; with no secret, and no address that was mistyped."""

import json
import logging
from typing import Any

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone

_log = logging.getLogger("gridgate.security")


def log_event(event: str, *, request: HttpRequest | None = None, user: Any = None, **facts: object) -> None:
    """Write `event` with the person's number, where they come from, and facts that are no secret."""
    said = {
        "at": timezone.now().isoformat(timespec="milliseconds"),
        "event": event,
        "user": getattr(user, "pk", None),
        "address": address_of(request),
        **facts,
    }
    _log.info("%s", json.dumps(said, ensure_ascii=False, default=str))


def address_of(request: HttpRequest | None) -> str | None:
    """The address that the request came from; None when it is not known."""
    if request is None:
        return None
    try:
        return str(get_adapter(request).get_client_ip(request))
    except PermissionDenied:
        return None
