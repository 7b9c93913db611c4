"""A security key in software: answers what `navigator.credentials` would, as the standard has it."""

import hashlib
import json
import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class SecurityKey:
    """One discoverable credential. `verifies=False` is a key that asks its owner neither finger nor code."""

    def __init__(self, *, origin: str = "https://portail.example", verifies: bool = True) -> None:
        self.origin, self.verifies = origin, verifies
        self.id = os.urandom(32)
        self.owner = b""
        self._private = ec.generate_private_key(ec.SECP256R1())

    def make(self, options: dict[str, Any]) -> str:
        """What a browser sends after `navigator.credentials.create`."""
        asked = options["publicKey"]
        self.owner = _bytes(asked["user"]["id"])
        public = cbor.encode(dict(ES256.from_cryptography_key(self._private.public_key())))
        credential = bytes(16) + struct.pack(">H", len(self.id)) + self.id + public
        data = self._data(asked["rp"]["id"], ATTESTED) + credential
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(
            clientDataJSON=_text(self._client_data("webauthn.create", asked)),
            attestationObject=_text(attestation),
        )

    def answer(self, options: dict[str, Any]) -> str:
        """What a browser sends after `navigator.credentials.get`."""
        asked = options["publicKey"]
        client, data = self._client_data("webauthn.get", asked), self._data(asked["rpId"])
        signature = self._private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer(
            clientDataJSON=_text(client),
            authenticatorData=_text(data),
            signature=_text(signature),
            userHandle=_text(self.owner),
        )

    def _data(self, host: str, more: int = 0) -> bytes:
        flags = PRESENT | more | (VERIFIED if self.verifies else 0)
        return hashlib.sha256(host.encode()).digest() + bytes([flags]) + struct.pack(">I", 0)

    def _client_data(self, what: str, asked: dict[str, Any]) -> bytes:
        return json.dumps({"type": what, "challenge": asked["challenge"], "origin": self.origin}).encode()

    def _answer(self, **response: str) -> str:
        name = _text(self.id)
        extensions = {"credProps": {"rk": True}} if "attestationObject" in response else {}
        return json.dumps(
            {
                "id": name,
                "rawId": name,
                "type": "public-key",
                "response": response,
                "clientExtensionResults": extensions,
            }
        )


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
