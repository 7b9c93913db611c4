"""Every sign-in is written down; the person is told of one from a device that they never used before."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from gridgate.accounts.events import new_device_signed_in
from gridgate.organisations.models import SignIn, User

DEVICE_DAYS = 400
"""How long a browser keeps the cookie that names it (no browser keeps one longer), and we its sign-ins."""
SHOWN = 10

_COOKIE = re.compile(r"[\w-]{22,64}", re.ASCII)


def record_sign_in(
    *, user: User, method: str, address: str | None, user_agent: str, device: str, now: datetime
) -> SignIn:
    """Write a sign-in; `device` is what its cookie says. A new device is told of, but for the very first sign-in."""
    digest = hashlib.sha256(device.encode()).hexdigest()
    with transaction.atomic():
        before = SignIn.objects.filter(user=user)
        is_new = before.exists() and not before.filter(device_sha256=digest).exists()
        made = SignIn.objects.create(
            user=user,
            at=now,
            address=address,
            device=device_name(user_agent),
            device_sha256=digest,
            method=method,
        )
        if is_new and user.tell_of_sign_ins:
            new_device_signed_in.send(SignIn, user=user, sign_in=made, now=now)
    return made


def last_sign_ins(*, user: User) -> Sequence[SignIn]:
    return list(SignIn.objects.filter(user=user).order_by("-at", "-pk")[:SHOWN])


def set_notices(*, user: User, wanted: bool) -> None:
    """Whether the person is told of sign-ins from new devices."""
    user.tell_of_sign_ins = wanted
    user.save(update_fields=["tell_of_sign_ins"])


def forget_old_sign_ins(*, now: datetime) -> int:
    """Delete the sign-ins of devices that have forgotten us; returns how many."""
    return SignIn.objects.filter(at__lt=now - timedelta(days=DEVICE_DAYS)).delete()[0]


def device_of(request: HttpRequest) -> str:
    """What the device's cookie says; for a device without one, what it will say."""
    sent = request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")
    return sent if _COOKIE.fullmatch(sent) else secrets.token_urlsafe(24)


def known_device(request: HttpRequest, *, email: str) -> str:
    """The hash of the device's name when it has signed in to the account of this address before; empty otherwise."""
    sent = request.COOKIES.get(settings.DEVICE_COOKIE_NAME, "")
    if not _COOKIE.fullmatch(sent):
        return ""
    digest = hashlib.sha256(sent.encode()).hexdigest()
    return digest if SignIn.objects.filter(user__email=email, device_sha256=digest).exists() else ""


def name_device(response: HttpResponse, device: str) -> None:
    """Let the browser keep its name: random, told to nobody else, and read at sign-in only."""
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME,
        device,
        max_age=DEVICE_DAYS * 24 * 3600,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def device_name(user_agent: str) -> str:
    """Browser and system, for their owner to recognise: `Firefox, Windows`. Empty when neither is known.

    >>> device_name("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")
    'Firefox, Linux'
    """
    known = (
        next((name for mark, name in marks if mark in user_agent), "") for marks in (_BROWSERS, _SYSTEMS)
    )
    return ", ".join(filter(None, known))


# In this order: most browsers also claim to be those further down.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
