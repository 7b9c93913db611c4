"""The open sessions of a person: seeing them, and ending them from afar, at their very next request."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, update_session_auth_hash, user_logged_in
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from gridgate.accounts.security.session_store import data_of, kept_as
from gridgate.accounts.security.sign_ins import device_name
from gridgate.organisations.models import User

SIGNED_IN_AT = "signed_in_at"
"""Session key: seconds since 1970 UTC."""

SEEN = "seen"
"""Session key: under which key the session was last seen, by its hash, and when."""
SEEN_SECONDS = 300
"""How exact "last seen" is: a write for every page would cost more than it tells."""


@receiver(user_logged_in)
def _stamp(request: HttpRequest, **_: Any) -> None:
    if request is not None:
        request.session[SIGNED_IN_AT] = int(timezone.now().timestamp())


@dataclass(frozen=True, slots=True)
class OpenSession:
    pk: int
    device: str
    address: str
    since: datetime
    last_seen: datetime
    current: bool


class SessionListMiddleware:
    """Keeps the list: every session of somebody signed in is on it, from its first request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            see(request)
        return self.get_response(request)


def see(request: HttpRequest) -> None:
    """Write that the session was seen; at most every few minutes, and when its key has changed."""
    if request.session.session_key is None:
        request.session.save()
    key, now = _kept_key(request), timezone.now()
    before, at = request.session.get(SEEN, ("", 0))
    if before == key and now.timestamp() - at < SEEN_SECONDS:
        return
    if before and before != key:  # a new key, since the password changed: the same session goes on
        UserSession.objects.filter(session_key=before).update(session_key=key)
    seen = {
        "user": request.user,
        "ip": get_adapter().get_client_ip(request),
        "user_agent": request.headers.get("User-Agent", "")[
            : UserSession._meta.get_field("user_agent").max_length
        ],
        "last_seen_at": now,
    }
    _row, new = UserSession.objects.get_or_create(session_key=key, defaults=seen)
    if not new:
        UserSession.objects.filter(session_key=key).update(**seen)
    request.session[SEEN] = [key, int(now.timestamp())]


def sessions_of(*, user: User, current: str | None, now: datetime) -> Sequence[OpenSession]:
    """The sessions that still open something, the present one first, then the last seen. `current` is its key."""
    here = kept_as(current) if current else None
    listed = {row.session_key: row for row in UserSession.objects.filter(user=user)}
    alive = Session.objects.filter(session_key__in=list(listed), expire_date__gt=now)
    found = [
        _open(listed[session.session_key], here)
        for session in alive
        if _still_opens(data_of(session), user, now)
    ]
    return sorted(found, key=lambda one: (not one.current, -one.last_seen.timestamp()))


def end_session(*, user: User, pk: int) -> bool:
    """End one session; returns whether the person had it."""
    return _end(UserSession.objects.filter(user=user, pk=pk).values_list("session_key", flat=True)) > 0


def end_sessions(*, user: User, but: str | None = None) -> int:
    """End all sessions of a person, those that are being opened at this moment among them; returns how many were open.

    The one of the key `but` goes on, once its own request calls `go_on`.
    """
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(session_round=F("session_round") + 1)
        user.refresh_from_db(fields=["session_round"])
        keys = UserSession.objects.filter(user=user).values_list("session_key", flat=True)
        return _end(keys.exclude(session_key=kept_as(but)) if but else keys)


def go_on(request: HttpRequest, user: User) -> None:
    """Keep the session of this request, under another key, after `end_sessions` has ended the others."""
    former = request.session.session_key
    request.user = user
    update_session_auth_hash(request, user)
    _rename(former, request)


def renew_key(request: HttpRequest) -> None:
    """Let the session go on under another key, in the list of sessions too."""
    former = request.session.session_key
    request.session.cycle_key()
    _rename(former, request)


def _rename(former: str | None, request: HttpRequest) -> None:
    # At once, or whoever closes the session from the list before its next request would close one that is not there.
    if former is not None:
        UserSession.objects.filter(session_key=kept_as(former)).update(session_key=_kept_key(request))


def _kept_key(request: HttpRequest) -> str:
    key = request.session.session_key
    assert key is not None
    return kept_as(key)


def end_sessions_by_provider(*, user: User, issuer: str, subject: str, but: str | None) -> int:
    """End those that an account at a provider has opened, but the one of this key; returns how many."""
    keys = UserSession.objects.filter(user=user).exclude(session_key=kept_as(but or ""))
    found = Session.objects.filter(session_key__in=list(keys.values_list("session_key", flat=True)))
    opened = [one.session_key for one in found if _opened_by(data_of(one), issuer, subject)]
    return _end(opened)


def forget_ended_sessions(*, now: datetime) -> int:
    """Delete sessions that are out of date, and the lines of the list that stand for none; returns how many."""
    expired, _ = Session.objects.filter(expire_date__lt=now).delete()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    return expired


def _end(keys: Iterable[str]) -> int:
    ended = list(keys)
    with transaction.atomic():
        Session.objects.filter(session_key__in=ended).delete()
        UserSession.objects.filter(session_key__in=ended).delete()
    return len(ended)


def _opened_by(data: dict[str, Any], issuer: str, subject: str) -> bool:
    return any(
        (one.get("method"), one.get("provider"), one.get("uid")) == ("socialaccount", issuer, subject)
        for one in data.get(AUTHENTICATION_METHODS_SESSION_KEY, [])
    )


def _still_opens(data: dict[str, object], user: User, now: datetime) -> bool:
    """Not after 12 hours, nor with a password that has changed since."""
    proof, signed_in = str(data.get(HASH_SESSION_KEY, "")), data.get(SIGNED_IN_AT, 0)
    assert isinstance(signed_in, int)
    fresh = now.timestamp() - signed_in <= settings.SESSION_COOKIE_AGE
    return fresh and constant_time_compare(proof, user.get_session_auth_hash())


def _open(row: UserSession, current: str | None) -> OpenSession:
    return OpenSession(
        row.pk,
        device_name(row.user_agent),
        row.ip,
        row.created_at.astimezone(UTC),
        row.last_seen_at.astimezone(UTC),
        row.session_key == current,
    )
