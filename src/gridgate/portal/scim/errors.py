"""What goes wrong, in SCIM's words: a status and, where the standard has one, a `scimType` (RFC 7644 §3.12)."""

from typing import NamedTuple

from django.core.exceptions import RequestDataTooBig
from pydantic import ValidationError
from scim2_models import Error, SCIMException

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.directory.operations.groups import GroupNameTaken
from gridgate.directory.operations.people import AddressNotYours, PersonKnown
from gridgate.organisations.operations.members import MembershipExists


class Fault(NamedTuple):
    status: int
    detail: str
    scim_type: str = ""


class MethodNotAllowed(SCIMException):
    status = 405
    _default_detail = "This address does not take that method"

    def __init__(self, allowed: str) -> None:
        self.allowed = allowed
        super().__init__()


class UnsupportedMediaType(SCIMException):
    status = 415
    _default_detail = "The body is to be application/scim+json or application/json"


class TooManyRequests(SCIMException):
    status = 429
    _default_detail = "Too many requests: wait a minute"


class RestRefused(Exception):
    """Something was taken away, and stays so; what else the request asked is refused."""

    def __init__(self, error: Exception, done: str) -> None:
        self.error, self.done = error, done
        super().__init__(done)


EXPECTED: tuple[type[Exception], ...] = (
    SCIMException,
    ValidationError,
    GridgateError,
    RequestDataTooBig,
    RestRefused,
)
"""What a request may bring about; anything else is a defect."""

_STATUS = {
    ErrorKind.MALFORMED: (400, "invalidSyntax"),
    ErrorKind.INVALID: (400, "invalidValue"),
    ErrorKind.UNAUTHENTICATED: (401, ""),
    ErrorKind.FORBIDDEN: (403, ""),
    ErrorKind.NOT_FOUND: (404, ""),
    ErrorKind.CONFLICT: (409, ""),
    ErrorKind.TOO_MANY: (429, ""),
    ErrorKind.UNAVAILABLE: (503, ""),
    ErrorKind.INTERNAL: (500, ""),
}


def fault_of(error: Exception) -> Fault:
    """How an expected error is said."""
    match error:
        case RestRefused():
            fault = fault_of(error.error)
            return fault._replace(detail=f"{fault.detail}. All the same, {error.done}")
        case SCIMException():
            return Fault(error.status, str(error), error.scim_type)
        case ValidationError():
            first = Error.from_validation_errors(error)[0]
            return Fault(first.status or 400, first.detail or "", first.scim_type or "")
        case PersonKnown() | MembershipExists() | GroupNameTaken():
            return Fault(409, str(error), "uniqueness")
        case AddressNotYours():
            return Fault(400, str(error), "mutability")
        case GridgateError():
            status, scim_type = _STATUS[error.kind]
            return Fault(status, str(error), scim_type)
        case RequestDataTooBig():
            return Fault(413, "The body is too large")
    raise error
