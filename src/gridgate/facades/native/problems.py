"""What can go wrong on the native API, each with a name that does not change and a sentence that says what to
do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gridgate.core.errors import ErrorKind, GridgateError

TYPE_PREFIX = "urn:gridgate:problem:"


class Problem(GridgateError):
    """A problem of RFC 9457: `name` ends its `type`, `extra` holds further members."""

    def __init__(
        self,
        name: str,
        status: int,
        title: str,
        detail: str,
        *,
        extra: Mapping[str, object] | None = None,
    ) -> None:
        self.name = name
        self.status = status
        self.title = title
        self.extra = extra or {}
        super().__init__(_KINDS[status], detail)


_KINDS = {
    400: ErrorKind.INVALID,
    403: ErrorKind.FORBIDDEN,
    404: ErrorKind.NOT_FOUND,
    406: ErrorKind.INVALID,
}


@dataclass(frozen=True, slots=True)
class InvalidParameter:
    """One parameter that breaks a rule, and how to mend it."""

    parameter: str
    detail: str


def invalid_parameters(faults: Sequence[InvalidParameter]) -> Problem:
    return Problem(
        "invalid-parameters",
        400,
        "Invalid parameters",
        " ".join(f"{fault.parameter}: {fault.detail}" for fault in faults),
        extra={"errors": [{"parameter": f.parameter, "detail": f.detail} for f in faults]},
    )


def point_not_found() -> Problem:
    return Problem(
        "metering-point-not-found",
        404,
        "No such metering point",
        "There is no metering point of that id that this application may read. If it should be able to, check"
        " the id, then ask the point's holder for a permission: an ended or missing one looks the same from"
        " here.",
    )


def site_not_found() -> Problem:
    return Problem(
        "site-not-found",
        404,
        "No such site",
        "At that address there is no metering point that the organisation of this application holds or held and that"
        " the application may read. Write it as the portal does where it shows measurements by site:"
        " street, a comma, postcode and city. Points read by permission are named one by one.",
    )


def perimeter_not_found() -> Problem:
    return Problem(
        "perimeter-not-found",
        404,
        "No such perimeter",
        "There is no perimeter of that id that this application may ask for, or no metering point in it that it may read."
        " Those it may ask for are listed at /api/v1/perimeters.",
    )


def holder_left() -> Problem:
    return Problem(
        "holder-left-metering-point",
        403,
        "The holder has left the metering point",
        "The company that gave the permission no longer holds this metering point, so that the permission has ended for"
        " this point, for the days of its title too. What it covers on other points goes on. Stop asking for this one;"
        " the present holder may give a new permission.",
    )


def kind_not_covered(asked: str, covered: Sequence[str]) -> Problem:
    return Problem(
        "kind-not-covered",
        403,
        "Kind of data not covered",
        f"The permission on this point does not cover {asked}. It covers: {', '.join(covered)}. Ask the"
        " holder for a permission that covers it.",
        extra={"covered": list(covered)},
    )


def direction_not_covered(asked: str, covered: Sequence[str]) -> Problem:
    return Problem(
        "direction-not-covered",
        403,
        "Direction not covered",
        f"The permission on this point does not cover {asked}. It covers: {', '.join(covered)}. A direction"
        " that was added to the point later is not in an older permission: ask the holder for a new one.",
        extra={"covered": list(covered)},
    )


def resolution_too_fine(asked: str, finest: str) -> Problem:
    return Problem(
        "resolution-too-fine",
        403,
        "Resolution too fine",
        f"The permission on this point allows steps of {finest} and coarser, not {asked}. Ask without"
        " resolution to get the finest that is allowed.",
        extra={"finest_resolution": finest},
    )


def too_much_at_once(what: str, most: int) -> Problem:
    return Problem(
        "too-much-at-once",
        400,
        "Too much at once",
        f"{what}; one request may ask for {most:,} at most. Ask for a shorter period or fewer points, in several"
        " requests.",
        extra={"most": most},
    )


def not_acceptable() -> Problem:
    return Problem(
        "not-acceptable",
        406,
        "Not acceptable",
        "Measurements exist as application/json and text/csv. Ask for one of them in Accept.",
    )
