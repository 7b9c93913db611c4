"""Tokens with which a company's own directory manages its people here: making one, revoking it, knowing it again.

The token itself is shown once, to whoever makes it; the registry keeps its SHA-256. What a directory does is the
token's doing: in the company's history it bears the token's name, not that of the person who made it and may be
gone.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import line
from gridgate.directory.models import DirectoryToken
from gridgate.organisations.authority import require_administrator
from gridgate.organisations.models import Membership, Organisation, User

PREFIX = "ggd_"
"""Every token begins so: programs that look for leaked secrets find it."""
LONGEST_NAME = 80
_USE_NOTED_EVERY = timedelta(minutes=1)


class InvalidToken(GridgateError):
    """The name given for a token will not do."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(ErrorKind.INVALID, message, remedy=remedy, where="name")


class TokenNameTaken(InvalidToken):
    """Two tokens in use would bear one name, and the history could not tell them apart."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"another token in use is called {name}", remedy="Choose another name, or revoke that one."
        )


def create_token(
    *, organisation: Organisation, name: str, actor: Membership | None = None, now: datetime
) -> tuple[DirectoryToken, str]:
    """A token for a directory of the company, and the secret to give it, which nobody can be told again.

    Raises `NotAllowed` and `InvalidToken`.
    """
    require_administrator(actor, organisation)
    name = line(name)
    if not name:
        raise InvalidToken("a token has a name")
    if len(name) > LONGEST_NAME:
        raise InvalidToken(f"the name has {len(name)} characters, {LONGEST_NAME} at most")
    secret = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        # The company's row is the queue in which two administrators who choose one name wait.
        Organisation.objects.select_for_update().get(pk=organisation.pk)
        if organisation.directory_tokens.filter(name__iexact=name, revoked_at=None).exists():
            raise TokenNameTaken(name)
        token = DirectoryToken.objects.create(
            organisation=organisation,
            name=name,
            token_sha256=_hash(secret),
            created_by=actor,
            created_at=now,
        )
        _record("directory.token_created", token, actor=actor, now=now)
    return token, secret


def revoke_token(*, token: DirectoryToken, actor: Membership | None = None, now: datetime) -> None:
    """Refuse the token from its very next request on. Twice is once. Raises `NotAllowed`."""
    require_administrator(actor, token.organisation)
    with transaction.atomic():
        if DirectoryToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
            token.revoked_at = now
            _record("directory.token_revoked", token, actor=actor, now=now)


def token_with_secret(secret: str, *, now: datetime) -> DirectoryToken | None:
    """The token in use with this secret, whose use is noted once a minute at most; None for any other text.

    Found by its hash: how long that takes says nothing of how near a guess is.
    """
    token = (
        DirectoryToken.objects.select_related("organisation")
        .filter(token_sha256=_hash(secret), revoked_at=None)
        .first()
    )
    if token is None:
        return None
    stale = now - _USE_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at <= stale:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lte=stale)
        DirectoryToken.objects.filter(unnoted, pk=token.pk).update(last_used_at=now)
    return token


def acting_as(token: DirectoryToken) -> Membership:
    """The actor of what the directory does: nobody's membership, it is in no registry and bears the token's name.

    It may do for the company what its administrators may; what a directory may not, `provisioning` refuses.
    """
    nobody = User(full_name=f"annuaire «\u00a0{token.name}\u00a0»")
    return Membership(user=nobody, organisation=token.organisation, role=Membership.Role.ADMINISTRATOR)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _record(action: str, token: DirectoryToken, *, actor: Membership | None, now: datetime) -> None:
    subject = Subject("directory_token", str(token.pk), token.name)
    record(action, subject=subject, organisation=token.organisation_id, actor=actor, now=now)
