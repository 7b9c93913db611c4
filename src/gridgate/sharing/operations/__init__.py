"""What people and time do to permissions. Each operation is one transaction, and checks its actor itself.

`granting` (subscribe, grant by law) · `extending` (to a later end) · `requesting` (ask, accept, refuse) · `ending`
(revoke, terminate, expire, move-out, opposition) · `pausing` (suspend, resume) · `offering` (to companies with which
roles).
"""

from gridgate.sharing.operations.ending import (
    NothingToEnd,
    NotTerminable,
    UnknownPermission,
    expire_due,
    invalidate_for_moved_out,
    invalidate_opposed,
    revoke_company,
    revoke_permission,
    terminate,
)
from gridgate.sharing.operations.extending import (
    NotExtendable,
    Obstacle,
    extend,
    obstacle_to_extending,
)
from gridgate.sharing.operations.granting import (
    AlreadyShared,
    InvalidEnd,
    LoadCurveOpposed,
    NoPoints,
    NotOffered,
    PointNotHeld,
    grant,
    subscribe,
)
from gridgate.sharing.operations.offering import offer_to
from gridgate.sharing.operations.pausing import resume, suspend
from gridgate.sharing.operations.requesting import (
    DAYS_TO_ANSWER,
    NotThirdParty,
    RequestClosed,
    UnknownRequest,
    accept_request,
    refuse_request,
    request_permission,
    time_out_requests,
)

__all__ = [
    "DAYS_TO_ANSWER",
    "AlreadyShared",
    "InvalidEnd",
    "LoadCurveOpposed",
    "NoPoints",
    "NotExtendable",
    "NotOffered",
    "NotTerminable",
    "NotThirdParty",
    "NothingToEnd",
    "Obstacle",
    "PointNotHeld",
    "RequestClosed",
    "UnknownPermission",
    "UnknownRequest",
    "accept_request",
    "expire_due",
    "extend",
    "grant",
    "invalidate_for_moved_out",
    "invalidate_opposed",
    "obstacle_to_extending",
    "offer_to",
    "refuse_request",
    "request_permission",
    "resume",
    "revoke_company",
    "revoke_permission",
    "subscribe",
    "suspend",
    "terminate",
    "time_out_requests",
]
