"""Sealing what must be read again, so that a copy of the registry gives nothing away.

The keys come from the instance's secret key (HKDF, RFC 5869), one for each purpose; a former secret key in
`SECRET_KEY_FALLBACKS` still opens what it sealed.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(Exception):
    """Sealed with another key, or tampered with."""


def seal(text: str, *, purpose: str) -> str:
    """Encrypt and authenticate."""
    return _box(purpose).encrypt(text.encode()).decode("ascii")


def unseal(sealed: str, *, purpose: str) -> str:
    """The text again. Raises `Unreadable`."""
    try:
        return _box(purpose).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unreadable(purpose) from None


def derived_key(purpose: str, secret: str | None = None) -> bytes:
    """256 bits that tell nothing of the secret key, nor of another purpose's."""
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"gridgate {purpose}".encode())
    return hkdf.derive((settings.SECRET_KEY if secret is None else secret).encode())


def _box(purpose: str) -> MultiFernet:
    secrets = [settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(derived_key(purpose, secret))) for secret in secrets])
