"""The decision on a read, in the words of the native API."""

from collections.abc import Sequence

from gridgate.core.sharing import AccessLine, Granted, RefusalReason, Refused, Wanted
from gridgate.core.time import Resolution
from gridgate.dataplane.query.answer import Answer
from gridgate.dataplane.reading.answering import nothing_readable
from gridgate.dataplane.reading.sealed import Denied
from gridgate.dataplane.registry.port import Access
from gridgate.facades.native import problems
from gridgate.facades.native.reasons import is_about_the_period, why_nothing
from gridgate.facades.native.wire import answers


def judged(access: Access, wanted: Wanted, verdict: Granted | Refused) -> Granted | Denied[Answer]:
    """A caller without a valid line learns nothing of the point. Of one who has it, a period that no line reaches is
    answered without values.
    """
    lines = access.valid(wanted.at)
    if access.point is None or not lines:
        refused = verdict if isinstance(verdict, Refused) else Refused(RefusalReason.NO_PERMISSION)
        return Denied(refused, unreadable(access))
    if isinstance(verdict, Granted):
        return verdict
    if is_about_the_period(verdict.reason):
        return Denied(verdict, nothing_readable(wanted, why_nothing(verdict.reason, lines)))
    return Denied(verdict, _problem_of(verdict.reason, wanted, lines))


def unreadable(access: Access) -> problems.Problem:
    """No line is valid. Whoever had one until its holder left the point is told so; to others nothing is there."""
    left = any(line.ended_by_move_out for line in access.lines)
    return problems.holder_left() if left else problems.point_not_found()


def _problem_of(reason: RefusalReason, wanted: Wanted, lines: Sequence[AccessLine]) -> problems.Problem:
    """The caller has a valid line on the point, so it may know what that line covers."""
    if reason is RefusalReason.KIND_NOT_COVERED:
        return problems.kind_not_covered(wanted.kind.value, answers.covered_kinds(lines))
    of_kind = [line for line in lines if line.kinds & wanted.kind.bit]
    if reason is RefusalReason.DIRECTION_NOT_COVERED:
        return problems.direction_not_covered(wanted.direction.value, answers.covered_directions(of_kind))
    assert wanted.resolution is not None
    finest = min(line.finest_resolution for line in of_kind if line.directions & wanted.direction.bit)
    return problems.resolution_too_fine(wanted.resolution.iso, Resolution.of_seconds(finest).iso)
