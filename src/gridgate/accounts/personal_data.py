"""All that the portal holds about one person, for that person (GDPR articles 15 and 20).

The shape is described in docs/1-running/personal-data.md and is added to, never changed. Instants are ISO 8601 in UTC.
What is not there: secrets (password hash, keys of second factors), and what is other people's or a company's (article
15(4)): an event that the person made about something else is told without what it changed, a request made for a
company without its content. The company's own screens show both.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db.models import Q

from gridgate.accounts.models import Favourite
from gridgate.audit.models import AuditEvent
from gridgate.audit.queries.entries import entries_by
from gridgate.delivery.models import PreparedFile
from gridgate.eic.models import EicRequest
from gridgate.kyc.models import KycQuestionnaire
from gridgate.onboarding.models import Invitation
from gridgate.organisations.models import Membership, User
from gridgate.requests.models import OperatorRequest

Rows = list[dict[str, Any]]

FORMAT = "gridgate-personal-data/1"

_ONLY_HERE = ("member.asked_in", "member.asked_in_withdrawn")
"""Recorded only when the company asked is here, which whoever asks does not learn; `join_requests` tells of all."""


def export_of(*, user: User, now: datetime) -> dict[str, Any]:
    """Everything but `reads`, which may be long: see `reads_of`."""
    memberships = list(user.memberships.select_related("organisation").order_by("created_at", "pk"))
    return {
        "format": FORMAT,
        "exported_at": _at(now),
        "profile": _profile(user),
        "memberships": [_membership(one) for one in memberships],
        "invitations": [_invitation(one) for one in _invitations(user)],
        "accepted_terms": _accepted_terms(user),
        "favourites": [_favourite(one) for one in user.favourites.order_by("created_at", "pk")],
        "sign_ins": [
            {"at": _at(one.at), "address": one.address, "device": one.device, "method": one.method}
            for one in user.sign_ins.order_by("at", "pk")
        ],
        "sessions": [
            {
                "opened_at": _at(one.created_at),
                "last_seen_at": _at(one.last_seen_at),
                "address": one.ip,
                "device": one.user_agent,
            }
            for one in UserSession.objects.filter(user=user).order_by("created_at", "pk")
        ],
        "second_factors": [
            {"type": one.type, "added_at": _at(one.created_at), "last_used_at": _at(one.last_used_at)}
            for one in Authenticator.objects.filter(user=user).order_by("created_at", "pk")
        ],
        "join_requests": [
            {
                "siren": one.siren,
                "company_name": one.name,
                "message": one.message,
                "asked_at": _at(one.created_at),
                "withdrawn_at": _at(one.withdrawn_at),
                "accepted_at": _at(one.accepted_at),
                "refused_at": _at(one.refused_at),
                "reason": one.reason,
            }
            for one in user.join_requests.order_by("created_at", "pk")
        ],
        "identity_checks": [
            {
                "at": _at(one.created_at),
                "how": one.how,
                "note": one.note,
                "objected_at": _at(one.objected_at),
                "cancelled_at": _at(one.cancelled_at),
                "second_factors_removed_at": _at(one.done_at),
            }
            for one in user.lost_factors.order_by("created_at", "pk")
        ],
        "external_identities": [
            {"provider": one.provider, "identifier": one.uid, "said": one.extra_data}
            for one in SocialAccount.objects.filter(user=user).order_by("pk")
        ],
        "directories": [
            {
                "company": _company(one),
                "display_name": one.display_name,
                "formatted_name": one.formatted_name,
                "given_name": one.given_name,
                "family_name": one.family_name,
                "preferred_language": one.preferred_language,
                "since": _at(one.created_at),
            }
            for one in user.directory_people.select_related("organisation").order_by("created_at", "pk")
        ],
        "prepared_files": _prepared_files(user),
        "requests": _requests(user),
        "events": _events(user, memberships),
    }


def reads_of(*, user: User) -> Iterator[dict[str, Any] | None]:
    """The measurements that the person read, or asked for in vain, on screens: one row of the access log each, None for
    one that is counted and cannot be read.
    """
    for entry in entries_by(user=user.pk):
        yield (
            None
            if entry is None
            else {
                "at": _at(entry.at),
                "for_company": entry.reader_name,
                "outcome": entry.outcome,
                "channel": entry.channel,
                "metering_point": entry.metering_point_id,
                "kind": entry.kind,
                "direction": entry.direction,
                "start": _at(entry.start),
                "end": _at(entry.end),
            }
        )


def _profile(user: User) -> dict[str, Any]:
    return {
        "email": user.email,
        "name": user.full_name,
        "language": user.language,
        "time_zone": user.time_zone,
        "told_of_sign_ins": user.tell_of_sign_ins,
        "account_opened_at": _at(user.created_at),
        "last_sign_in_at": _at(user.last_login),
    }


def _membership(membership: Membership) -> dict[str, Any]:
    places = list(membership.groups.select_related("group").order_by("group__name"))
    dated = [place for place in places if place.valid_from or place.valid_until]
    return {
        "company": _company(membership),
        "role": str(membership.role),
        "external": membership.external,
        "directory_identifier": membership.external_id,
        "groups": [place.group.name for place in places],
        "group_dates": {
            place.group.name: {"from": _at(place.valid_from), "until": _at(place.valid_until)}
            for place in dated
        },
        "from": _at(membership.created_at),
        "until": _at(membership.until),
        "to": _at(membership.ended_at or (None if membership.is_present() else membership.until)),
    }


def _invitations(user: User) -> Iterable[Invitation]:
    found = Invitation.objects.filter(email__iexact=user.email)
    return found.select_related("organisation").order_by("created_at", "pk")


def _invitation(invitation: Invitation) -> dict[str, Any]:
    return {
        "kind": str(invitation.kind),
        "company": _company(invitation),
        "name": invitation.full_name,
        "role": str(invitation.role),
        "external": invitation.external,
        "until": _at(invitation.until),
        "invited_at": _at(invitation.created_at),
        "last_sent_at": _at(invitation.sent_at),
        "expires_at": _at(invitation.expires_at),
        "accepted_at": _at(invitation.accepted_at),
        "cancelled_at": _at(invitation.cancelled_at),
    }


def _accepted_terms(user: User) -> Rows:
    accepted = user.accepted_terms.select_related("terms", "organisation").order_by("accepted_at", "pk")
    return [
        {"version": one.terms.version, "company": _company(one), "at": _at(one.accepted_at)}
        for one in accepted
    ]


def _favourite(favourite: Favourite) -> dict[str, Any]:
    membership = favourite.membership
    return {
        "company": None if membership is None else _company(membership),
        "path": favourite.path,
        "label": favourite.label,
        "kept_at": _at(favourite.created_at),
    }


def _prepared_files(user: User) -> Rows:
    files = PreparedFile.objects.filter(membership__user=user).select_related("membership__organisation")
    return [
        {
            "company": _company(one.membership),
            "quantity": one.quantity,
            "direction": one.direction,
            "first": one.first.isoformat(),
            "after": one.after.isoformat(),
            "metering_points": one.points,
            "file_format": one.format,
            "state": str(one.state),
            "bytes": one.size,
            "asked_at": _at(one.created_at),
            "ready_at": _at(one.ready_at),
            "expires_at": _at(one.expires_at),
        }
        for one in files.order_by("created_at", "pk")
    ]


def _requests(user: User) -> Rows:
    eic = EicRequest.objects.filter(requester=user).select_related("organisation")
    kyc = KycQuestionnaire.objects.filter(requester=user).select_related("organisation")
    found = [
        *(_request("eic_code", one, _eic_content(one)) for one in eic),
        *(_request("questionnaire", one, one.answers) for one in kyc),
    ]
    return sorted(found, key=lambda row: (row["created_at"], row["number"]))


def _request(kind: str, request: OperatorRequest, content: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": kind,
        "number": request.number,
        "company": _company(request),
        "state": str(request.state),
        "created_at": _at(request.created_at),
        "submitted_at": _at(request.submitted_at),
        "decided_at": _at(request.decided_at),
        "content": content if request.organisation_id is None else None,
    }


def _eic_content(request: EicRequest) -> dict[str, Any]:
    return {
        "type": str(request.type),
        "display_name": request.display_name,
        "long_name": request.long_name,
        "parent": request.parent,
        "responsible_party": request.responsible_party,
        "details": request.details,
        "justification": request.justification,
    }


def _events(user: User, memberships: Iterable[Membership]) -> Rows:
    """Those that the person made, and those about them: their account, their memberships, their invitations."""
    about = {
        "user": {str(user.pk)},
        "member": {str(membership.pk) for membership in memberships},
        "invitation": {str(invitation.pk) for invitation in _invitations(user)},
    }
    wanted = Q(user=user.pk)
    for kind, subjects in about.items():
        wanted |= Q(subject_kind=kind, subject__in=subjects)
    events = AuditEvent.objects.filter(wanted).exclude(action__in=_ONLY_HERE).order_by("at", "pk")
    return [_event(event, user, event.subject in about.get(event.subject_kind, ())) for event in events]


def _event(event: AuditEvent, user: User, about_them: bool) -> dict[str, Any]:
    told = {
        "at": _at(event.at),
        "action": event.action,
        "by_you": event.user == user.pk,
        "acting_for": event.acting_for_name if event.user == user.pk else "",
        "about_you": about_them,
        "subject_kind": event.subject_kind,
        "subject": event.subject_label,
    }
    return told | ({"before": event.before, "after": event.after} if about_them else {})


def _company(row: Any) -> dict[str, str] | None:
    company = row.organisation
    return None if company is None else {"name": company.legal_name, "siren": company.siren}


def _at(instant: datetime | None) -> str | None:
    return None if instant is None else instant.isoformat()
