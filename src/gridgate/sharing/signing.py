"""Signing and verifying receipts: compact JWS (RFC 7515) with Ed25519 (RFC 8037). Knows no database.

The header names the key by its RFC 7638 thumbprint. A folder `former/` beside the key holds the public keys
of earlier ones, `*.pem`: what they signed still verifies.
"""

import base64
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from joserfc import jws
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwk import OKPKey

from gridgate.core.errors import ErrorKind, GridgateError

if TYPE_CHECKING:
    from joserfc._rfc7515.model import JWSAlgModel

ALGORITHM = "EdDSA"
"""The name that every JOSE library knows; RFC 9864's `Ed25519` means the same and is read too."""
TYPE = "gridgate-receipt+json"
FORMER = "former"


class KeyUnusable(GridgateError):
    """The key is missing, cannot be read, or is not Ed25519."""

    def __init__(self, where: str, what: str, *, remedy: str) -> None:
        super().__init__(ErrorKind.UNAVAILABLE, what, remedy=remedy, where=where)


@dataclass(frozen=True, slots=True)
class Valid:
    """The signature is by one of the keys given: this is what was signed."""

    payload: dict[str, Any]
    kid: str


@dataclass(frozen=True, slots=True)
class Invalid:
    """Why the file proves nothing."""

    reason: str


class _EdDSA(jws.JWSRegistry):
    """Ed25519 and nothing else: no other algorithm that a header names is ever tried."""

    max_payload_length = 64 * 2**20  # a receipt may name tens of thousands of points

    def get_alg(self, name: str) -> "JWSAlgModel":
        if name not in (ALGORITHM, "Ed25519"):
            raise UnsupportedAlgorithmError(f"its algorithm is {name}, not {ALGORITHM}")
        return self.algorithms[name]


_REGISTRY = _EdDSA()


def sign(payload: Mapping[str, Any], key: Ed25519PrivateKey, *, kind: str = TYPE) -> str:
    """The payload as a compact JWS of that kind."""
    header = {"alg": ALGORITHM, "kid": thumbprint(key.public_key()), "typ": kind}
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return jws.serialize_compact(header, body, OKPKey.import_key(pem), registry=_REGISTRY)


def verify(token: str, keys: Iterable[Ed25519PublicKey], *, kind: str = TYPE) -> Valid | Invalid:
    """Check a compact JWS of that kind with the one of the keys that its header names."""
    known = {thumbprint(key): key for key in keys}
    try:
        signed = jws.extract_compact(token.strip().encode(), registry=_REGISTRY)
        kid = signed.headers().get("kid")
        if not isinstance(kid, str) or kid not in known:
            return Invalid(f"it is signed with another key, {kid}" if kid else "it names no key")
        if not jws.validate_compact(signed, OKPKey.import_key(_members(known[kid])), registry=_REGISTRY):
            return Invalid("it was changed after it was signed, or is signed by someone else")
        payload = json.loads(signed.payload)
    except (JoseError, ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        # Whatever JSON a stranger puts in its header: the library expects texts there.
        return Invalid(f"it is not a signed receipt ({error})")
    if signed.headers().get("typ") != kind or not isinstance(payload, dict):
        what = (
            "it is signed, but it is not a receipt" if kind == TYPE else f"it is signed, but it is no {kind}"
        )
        return Invalid(what)
    return Valid(payload, kid)


def unverified(token: str) -> dict[str, Any]:
    """What a compact JWS says, whoever made it; empty when it says nothing that can be read."""
    try:
        payload = json.loads(jws.extract_compact(token.strip().encode(), registry=_REGISTRY).payload)
    except (JoseError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def thumbprint(key: Ed25519PublicKey) -> str:
    """The key's name: RFC 7638, SHA-256, base64url."""
    return OKPKey.import_key(_members(key)).thumbprint()


def jwks(keys: Iterable[Ed25519PublicKey]) -> dict[str, Any]:
    """A JWK set (RFC 7517) of public keys, for signatures only."""
    return {
        "keys": [{**_members(key), "kid": thumbprint(key), "alg": ALGORITHM, "use": "sig"} for key in keys]
    }


def keys_of_jwks(text: str, *, where: str) -> list[Ed25519PublicKey]:
    """The Ed25519 keys of a JWK set, or of a single JWK. Raises `KeyUnusable`."""
    keys: list[Ed25519PublicKey] = []
    try:
        document = json.loads(text)
        for members in document.get("keys", [document]):
            if members.get("crv") == "Ed25519":
                key = OKPKey.import_key(members).public_key
                assert isinstance(key, Ed25519PublicKey)
                keys.append(key)
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        remedy = "Give the file that the portal publishes."
        raise KeyUnusable(where, f"not a JWK set: {error}", remedy=remedy) from None
    return keys or _refuse(where)


def key_of_pem(data: bytes, *, where: str) -> Ed25519PublicKey:
    """The public key of a PEM file that holds it, or that holds the private one. Raises `KeyUnusable`."""
    try:
        key = (
            load_pem_private_key(data, None).public_key()
            if b"PRIVATE KEY" in data
            else load_pem_public_key(data)
        )
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(where, f"not a key in PEM: {error}", remedy="Give an Ed25519 key.") from None
    return key if isinstance(key, Ed25519PublicKey) else _refuse(where)


def load_private_key(path: Path) -> Ed25519PrivateKey:
    """The key that signs. Raises `KeyUnusable`."""
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise KeyUnusable(
            str(path),
            f"the receipt key cannot be read: {error.strerror}",
            remedy="Put it back from the backup; a new key would leave the old receipts without proof.",
        ) from None
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnusable(
            str(path), f"not a key in PEM: {error}", remedy="Put it back from the backup."
        ) from None
    return key if isinstance(key, Ed25519PrivateKey) else _refuse(str(path))


def load_public_keys(path: Path) -> list[Ed25519PublicKey]:
    """The public half of the key at `path`, and the former ones. Raises `KeyUnusable`."""
    former = sorted((path.parent / FORMER).glob("*.pem"))
    return [load_private_key(path).public_key(), *map(_former_key, former)]


def _former_key(path: Path) -> Ed25519PublicKey:
    remedy = "Put it back from the backup; without it, what it signed cannot be verified here."
    try:
        return key_of_pem(path.read_bytes(), where=str(path))
    except OSError as error:
        raise KeyUnusable(
            str(path), f"a former key cannot be read: {error.strerror}", remedy=remedy
        ) from None
    except KeyUnusable as error:
        raise KeyUnusable(str(path), f"a former key is damaged: {error.message}", remedy=remedy) from None


def make_key(path: Path) -> None:
    """Write a new key that only its owner can read; one that is there already stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(draft)  # whole or not at all, and never over another one
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _members(key: Ed25519PublicKey) -> dict[str, Any]:
    x = base64.urlsafe_b64encode(key.public_bytes_raw()).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "Ed25519", "x": x}


def _refuse(where: str) -> NoReturn:
    raise KeyUnusable(
        where, "holds no Ed25519 key", remedy="Receipts are signed with Ed25519; give that key."
    )
