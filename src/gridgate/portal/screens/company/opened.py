"""What a form was opened with: whoever saves it has not undone, unread, what a colleague saved meanwhile."""

from django.db.models import QuerySet
from django.http import HttpRequest

from gridgate.audit.history import events_of
from gridgate.audit.models import AuditEvent
from gridgate.organisations.as_read import fingerprint
from gridgate.organisations.models import Membership, UserGroup


def is_stale(request: HttpRequest, saved: object) -> bool:
    """Whether something else is saved now than what the form was opened with; one that does not say asks nothing."""
    return request.POST.get("read") not in (None, fingerprint(saved))


def who_changed(group: UserGroup, *, actor: Membership) -> str:
    """Who changed something of the group last; empty for whoever may not know."""
    return who_last(events_of(actor=actor).filter(subject_kind="group", subject=str(group.pk)))


def who_last(events: QuerySet[AuditEvent]) -> str:
    last = events.first()
    return "" if last is None else last.user_name
