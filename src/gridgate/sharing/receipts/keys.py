"""The keys that sign receipts.

The key is made with the instance (`keys/receipts.pem`); `public_jwks()` is what the portal publishes at
`/.well-known/gridgate-receipts.json`. `docs/2-integrating/permissions.md` says how to verify one with other
tools.
"""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

from gridgate.sharing import signing
from gridgate.sharing.receipts.asking import signed


def public_jwks() -> dict[str, Any]:
    """The JWK set with which receipts verify: the present key and the former ones."""
    return signing.jwks(public_keys())


def public_keys() -> list[Ed25519PublicKey]:
    """The keys that receipts may be signed with. Raises `KeyUnusable`."""
    signing_key()
    return signing.load_public_keys(settings.ENVIRONMENT.receipt_key)


def verify(token: str) -> signing.Valid | signing.Invalid:
    """Check a receipt with the instance's own keys."""
    return signing.verify(token, public_keys())


def signing_key() -> Ed25519PrivateKey:
    path = settings.ENVIRONMENT.receipt_key
    # An instance has its key from `init`: one that is gone is put back, not made anew.
    if not path.exists() and not settings.ENVIRONMENT.registry.exists() and not signed().exists():
        signing.make_key(path)
    return signing.load_private_key(path)
