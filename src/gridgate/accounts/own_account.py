"""Reads of one's own account: the companies one acts for, the pages one keeps at hand, what closing it would leave."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import connection
from django.db.models import BooleanField, Count, Prefetch, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone

from gridgate.accounts.models import Favourite
from gridgate.eic.models import EicRequest
from gridgate.kyc.models import KycQuestionnaire
from gridgate.organisations.folding import Folded
from gridgate.organisations.models import (
    GroupMember,
    Membership,
    Organisation,
    User,
    present,
)
from gridgate.organisations.queries import memberships_of
from gridgate.organisations.rights import not_over
from gridgate.requests.models import OperatorRequest, RequestState


def acting_memberships(*, user: User, path: str) -> QuerySet[Membership]:
    """`memberships_of`, each with what the header of every page tells, in the statement that is asked anyway:
    `has_others`, whether the person acts for other companies too; `keeps_page`, whether the page at `path` is among
    the favourites for this one.
    """
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    return memberships_of(user=user).annotate(
        has_others=RawSQL(_HAS_OTHERS, (now,), output_field=BooleanField()),  # noqa: S611 — a constant
        # No database stores a NUL, and PostgreSQL refuses to be asked about one.
        keeps_page=RawSQL(_KEEPS_PAGE, (path.replace("\0", ""),), output_field=BooleanField()),  # noqa: S611 — a constant
    )


_HAS_OTHERS = """EXISTS (
    SELECT 1 FROM organisations_membership AS other
    WHERE other.user_id = organisations_membership.user_id AND other.ended_at IS NULL
      AND (other.until IS NULL OR other.until > %s) AND other.id <> organisations_membership.id)"""

_KEEPS_PAGE = """EXISTS (
    SELECT 1 FROM accounts_favourite AS kept
    WHERE kept.user_id = organisations_membership.user_id AND kept.membership_id = organisations_membership.id
      AND kept.path = %s)"""
"""As SQL for the reason that the policy's is (`security/policy.py`): every request asks."""


def companies_of(*, user: User) -> QuerySet[Membership]:
    """`memberships_of`, each with `group_count`, in how many of the company's groups the person has a place that is not
    over, and `dated_places`, those places that have dates.
    """
    dated = GroupMember.objects.exclude(valid_from=None, valid_until=None).select_related("group")
    return (
        memberships_of(user=user)
        .annotate(group_count=Count("groups", filter=not_over(timezone.now(), "groups__")))
        .prefetch_related(Prefetch("groups", dated.order_by(Folded("group__name")), to_attr="dated_places"))
    )


def ended_membership(*, user: User, pk: int) -> Membership | None:
    """What the person acted under, once it is in force no more."""
    found = user.memberships.select_related("organisation").filter(pk=pk).first()
    return None if found is None or found.is_present() else found


def latest_ended(*, user: User, since: datetime) -> Membership | None:
    """The company the person acted for last, if that ended after an instant."""
    lasted = Coalesce("ended_at", "until")
    rows = user.memberships.exclude(present()).annotate(lasted=lasted).filter(lasted__gt=since)
    return rows.select_related("organisation").order_by("-lasted", "-pk").first()


def favourites_of(*, user: User, membership: Membership | None) -> QuerySet[Favourite]:
    """What the person keeps at hand for this company, or for none, in alphabetical order."""
    return Favourite.objects.filter(user=user, membership=membership).order_by(Lower("label"), "pk")


def keeps(*, user: User, path: str) -> bool:
    """Whether somebody who acts for no company keeps this page at hand."""
    return favourites_of(user=user, membership=None).filter(path=path).exists()


@dataclass(frozen=True, slots=True)
class ExternalLink:
    """An account at an OpenID Connect provider that signs in to this one."""

    pk: int
    name: str
    """What the operator calls the provider; the host of one that is no longer theirs."""
    offered: bool
    """Whether it still is the operator's: nobody signs in with another."""
    since: datetime
    last_used: datetime


def external_links_of(*, user: User) -> list[ExternalLink]:
    """Those of the person, the oldest first."""
    environment = settings.ENVIRONMENT
    return [
        ExternalLink(
            one.pk,
            environment.oidc_name if offered else urlsplit(one.provider).hostname or one.provider,
            offered,
            one.date_joined,
            one.last_login,
        )
        for one in SocialAccount.objects.filter(user=user).order_by("date_joined", "pk")
        for offered in [one.provider == environment.oidc_issuer]
    ]


def opens_without(*, user: User, link_pk: int) -> bool:
    """Whether the person can sign in without this link: by a password, a passkey, or a link that still serves."""
    if user.has_usable_password():
        return True
    if Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists():
        return True
    issuer = settings.ENVIRONMENT.oidc_issuer
    others = SocialAccount.objects.filter(user=user, provider=issuer).exclude(pk=link_pk)
    return bool(issuer) and others.exists()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that the person made for themselves. `kind`: `eic_code` or `questionnaire`."""

    kind: str
    number: str
    title: str
    state: str
    open: bool
    """Not decided yet, drafts included."""
    sent: bool
    to_complete: bool
    created_at: datetime


def requests_of(*, user: User) -> list[Asked]:
    """What the person asked of the operator for no company, the latest first; drafts are theirs to complete."""
    eic = EicRequest.objects.filter(requester=user, organisation=None)
    kyc = KycQuestionnaire.objects.filter(requester=user, organisation=None)
    asked = [
        *(_asked("eic_code", one, one.display_name) for one in eic),
        *(_asked("questionnaire", one, "") for one in kyc),
    ]
    return sorted(asked, key=lambda one: one.created_at, reverse=True)


def _asked(kind: str, request: OperatorRequest, title: str) -> Asked:
    to_complete = request.state in (RequestState.DRAFT, RequestState.RETURNED)
    state = str(RequestState(request.state).label)
    return Asked(
        kind,
        request.number,
        title,
        state,
        open=request.is_open or to_complete,
        sent=request.submitted_at is not None,
        to_complete=to_complete,
        created_at=request.created_at,
    )


def companies_left_without_administrator(*, user: User) -> list[Organisation]:
    """The companies that the person is the last administrator of, in alphabetical order."""
    administrators = present(of="memberships__") & Q(
        memberships__role=Membership.Role.ADMINISTRATOR, memberships__user__is_active=True
    )
    mine = memberships_of(user=user).filter(role=Membership.Role.ADMINISTRATOR)
    return list(
        Organisation.objects.filter(pk__in=mine.order_by().values("organisation"))
        .annotate(administrators=Count("memberships", filter=administrators))
        .filter(administrators__lte=1)
        .order_by("legal_name")
    )
