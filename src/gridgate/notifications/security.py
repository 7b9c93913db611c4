"""Letters about the security of an account: one-time codes, second factors, sign-ins from a new device."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import gettext

from gridgate.accounts import events
from gridgate.accounts.models import LostFactor, StepUpCode
from gridgate.accounts.operations.lost_factors import token_of
from gridgate.accounts.security.step_up import digits_of, live_code
from gridgate.core.clock import city_of, offset_of, zone_named
from gridgate.notifications import letters
from gridgate.notifications.links import link_to
from gridgate.organisations.models import Membership, SignIn, User


@letters.secret("step_up")
def one_time_code(name: str) -> str | None:
    """The digits; None once the code is used, replaced or out of date."""
    code = live_code(int(name), now=timezone.now())
    return None if code is None else digits_of(code)


def send_code(*, code: StepUpCode, act: object, now: datetime, **_: object) -> None:
    letters.write(
        "step_up",
        key=str(code.pk),
        email=code.user.email,
        language=code.user.language,
        facts={"act": act, "minutes": settings.ENVIRONMENT.step_up_minutes},
        secret=f"step_up:{code.pk}",
        now=now,
    )


def tell_of_change(*, user: User, change: str, now: datetime, **_: object) -> None:
    letters.write(
        "factors_changed",
        key=f"{user.pk}:{now.isoformat()}:{change}",
        email=user.email,
        language=user.language,
        facts={"user": user, "change": change, "at": now, "clock": _clock(user, now)},
        zone=zone_named(user.time_zone),
        now=now,
    )


def tell_of_new_device(*, user: User, sign_in: SignIn, now: datetime, **_: object) -> None:
    letters.write(
        "new_sign_in",
        key=str(sign_in.pk),
        email=user.email,
        language=user.language,
        facts={"user": user, "sign_in": sign_in, "clock": _clock(user, sign_in.at)},
        zone=zone_named(user.time_zone),
        now=now,
    )


def tell_of_lost_factor(
    *, lost: LostFactor, administrators: Iterable[Membership], now: datetime, **_: object
) -> None:
    """The person, who may object; and those of their companies' administrators who may confirm."""
    user = lost.user
    letters.write(
        "lost_factor",
        key=str(lost.pk),
        email=user.email,
        language=user.language,
        facts={"lost": lost, "clock": _clock(user, lost.confirmable_at)},
        secret=f"lost_factor:{lost.pk}",
        zone=zone_named(user.time_zone),
        now=now,
    )
    for administrator in administrators:
        reader = administrator.user
        letters.write(
            "lost_factor_confirm",
            key=f"{lost.pk}:{administrator.pk}",
            email=reader.email,
            language=reader.language,
            facts={
                "lost": lost,
                "company": administrator.organisation,
                "clock": _clock(reader, lost.confirmable_at),
                "page": link_to("lost_factors"),
            },
            zone=zone_named(reader.time_zone),
            now=now,
        )


@letters.secret("lost_factor")
def objection(name: str) -> str | None:
    """The address by which the person objects; None once it is deleted with its account."""
    lost = LostFactor.objects.filter(pk=int(name)).first()
    return None if lost is None else link_to("objection", token_of(lost))


def _said_clock(user: User, at: datetime) -> str:
    """The clock that the person is told an instant on, named as the pages name it."""
    network = timezone.get_default_timezone()
    zone = zone_named(user.time_zone) or network
    named = {
        "city": city_of(str(zone)),
        "offset": offset_of(at.astimezone(zone).utcoffset() or timedelta()),
    }
    if str(zone) == str(network):
        return gettext("heure du réseau : %(city)s, %(offset)s") % named
    return gettext("votre heure : %(city)s, %(offset)s") % named


_clock = lazy(_said_clock, str)
"""In the language of the letter that it stands in."""


def connect() -> None:
    """Listen to what happens to people's accounts."""
    events.step_up_code_made.connect(send_code)
    events.lost_factor_recorded.connect(tell_of_lost_factor)
    events.factors_changed.connect(tell_of_change)
    events.new_device_signed_in.connect(tell_of_new_device)
