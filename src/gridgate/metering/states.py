"""The life of a load-curve collection: which state follows which, and what an ask becomes.

Enedis SGE v26.2, C5: demandé, actif, terminé; an opposition can come at any time, and be withdrawn by asking.
"""

from gridgate.metering.models import LoadCurveCollection, MeteringPoint

State = LoadCurveCollection.State

COMMUNICATING = (MeteringPoint.MeterType.AMM, MeteringPoint.MeterType.PMEI)
"""Meters whose curve is collected the moment it is asked; the others wait for someone to visit."""

_FOLLOWS: dict[State, tuple[State | None, ...]] = {
    State.REQUESTED: (None, State.ENDED, State.OPPOSED),
    State.ACTIVE: (None, State.REQUESTED, State.ENDED, State.OPPOSED),
    State.ENDED: (State.REQUESTED, State.ACTIVE),
    State.OPPOSED: (None, State.REQUESTED, State.ACTIVE, State.ENDED),
}


def can_follow(present: str | None, new: State) -> bool:
    """Whether `new` can come after the present state; None is a point that never had a collection."""
    return present in _FOLLOWS[new]


def becomes(wanted: State, meter_type: str, *, by_holder: bool) -> State:
    """The state that an ask gives on a meter.

    A holder cannot say that a meter nobody reaches from afar is ready: asking for `active` is then a request.
    """
    if wanted is State.REQUESTED or (wanted is State.ACTIVE and by_holder):
        return State.ACTIVE if meter_type in COMMUNICATING else State.REQUESTED
    return wanted
