"""What a member may decide: asked by every operation of the actor itself, whatever the screen has checked."""

from collections.abc import Collection, Iterable

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.organisations import rights
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership


class NotEntitled(GridgateError):
    """The member may not manage the data services."""

    def __init__(self) -> None:
        super().__init__(
            ErrorKind.FORBIDDEN,
            "this needs the entitlement “Gestion des services de données”",
            remedy="Ask an administrator of your company.",
        )


class OutsidePerimeter(GridgateError):
    """The decision concerns points that the member does not see."""

    def __init__(self, *, all_points: bool) -> None:
        self.all_points = all_points
        what = (
            "every metering point of the company, now and later"
            if all_points
            else "metering points outside yours"
        )
        super().__init__(
            ErrorKind.FORBIDDEN,
            f"this concerns {what}, and your rights are restricted to a perimeter",
            remedy="Ask an administrator of your company.",
        )


def require_data_services(actor: Membership) -> None:
    """Raises `NotEntitled`."""
    if not actor.has(EntitlementCode.DATA_SERVICES):
        raise NotEntitled


def require_covering(actor: Membership, points: Iterable[str] | None) -> None:
    """A member decides on points of their perimeter only; None is all points. Raises `OutsidePerimeter`."""
    perimeter = perimeter_of(actor)
    if perimeter is None:
        return
    if points is None:
        raise OutsidePerimeter(all_points=True)
    if not set(points) <= set(perimeter):
        raise OutsidePerimeter(all_points=False)


def perimeter_of(actor: Membership) -> Collection[str] | None:
    """The points whose data services the member manages; None when nothing restricts them."""
    if actor.reach(EntitlementCode.DATA_SERVICES).everything:
        return None
    return set(rights.perimeter_of(actor, EntitlementCode.DATA_SERVICES))
