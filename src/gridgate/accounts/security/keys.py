"""Security keys and passkeys (W3C Web Authentication): the challenges, and what browsers answer to them.

A challenge lies in the session and serves for one answer, right or wrong. Every key verifies its user (fingerprint,
face or code of the device) and names its owner by itself, so that it is a whole sign-in.
"""

import ipaddress
import json
import struct
from typing import Any, TypeGuard

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from cryptography.exceptions import InvalidSignature
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils import timezone
from fido2.utils import websafe_decode

from gridgate.organisations.models import User

_MALFORMED = (
    ValidationError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    InvalidSignature,
    struct.error,
)
"""What the libraries stumble over in bytes that anybody may send."""


def are_possible(request: HttpRequest) -> bool:
    """Browsers know keys by the host's name, over TLS or on the machine itself: never by a bare address."""
    host = request.get_host().rpartition(":")[0] or request.get_host()
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return request.is_secure() or host == "localhost" or host.endswith(".localhost")
    return False


def parse(text: str) -> object:
    """What a browser sent, as JSON; None for anything else."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def registration_options(user: User) -> dict[str, Any]:
    """What a browser needs to make a key; keys that the person has already are left out."""
    options: dict[str, Any] = auth.begin_registration(user, passwordless=True)
    return options


def register(credential: object) -> dict[str, Any] | None:
    """The credential when it answers the challenge of this session, to be kept; None otherwise."""
    try:
        if not _is_credential(credential):
            return None
        auth.parse_registration_response(credential)
        made = auth.complete_registration(credential)
    except _MALFORMED:
        return None
    finally:
        auth.clear_state()
    return credential if made.is_user_verified() else None


def _owner_of(credential: dict[str, Any]) -> User:
    """Whom the key says that it is of: by the handle it was made with, which of a former one is their number."""
    handle = websafe_decode(credential["response"].get("userHandle")).decode("ascii")
    found = User.objects.filter(key_handle=handle).first()
    return found or auth.extract_user_from_response(credential)


def _is_credential(answer: object) -> TypeGuard[dict[str, Any]]:
    """Texts where a browser writes bytes as text: of a number, the library would make as many bytes."""
    response = answer.get("response") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(response, dict):
        return False
    named = [answer.get("id"), answer.get("rawId"), *(response.get(name) for name in _BYTES)]
    return all(value is None or isinstance(value, str) for value in named)


_BYTES = ("clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle")


def sign_in_options(user: User | None = None) -> dict[str, Any]:
    """What a browser needs to ask for a key: one of the person's, or any that names its owner."""
    options: dict[str, Any] = auth.begin_authentication(user)
    return options


def recognise(credential: object, *, user: User | None = None) -> Authenticator | None:
    """Whose key answered the challenge of this session; None when it is nobody's, or not this person's."""
    try:
        if not _is_credential(credential):
            return None
        auth.parse_authentication_response(credential)
        owner = _owner_of(credential) if user is None else user
        if not owner.is_active:
            return None
        key: Authenticator = auth.complete_authentication(owner, credential)
    except _MALFORMED:
        return None
    finally:
        auth.clear_state()
    key.user = owner
    Authenticator.objects.filter(pk=key.pk).update(last_used_at=timezone.now())
    return key
