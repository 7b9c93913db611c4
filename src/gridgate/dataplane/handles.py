"""How a row is named outside: not by its number, which would tell how many groups, people or invitations others have.

A handle is one enciphered block of what the row is and its number, written as a UUID: always the same for one row,
meaningless without the instance's secret key, and of no other kind's. It is a name and no proof: whoever looks a row
up by it asks the query whether the reader may see it, as ever. Both planes call a row the same.
"""

import hmac
import re
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_SHAPE = re.compile(PATTERN, re.ASCII)
_HALF = 8
_PURPOSE = b"gridgate.organisations.handles"
"""Of the key: stays as it is, or every handle would become another."""


def handle_of(kind: str, number: int, *, secret: str | bytes) -> str:
    """What to call the row `number` of this kind in addresses, forms, letters and files."""
    block = _mark(kind) + number.to_bytes(_HALF, "big")
    encryptor = _cipher(secret).encryptor()
    return str(UUID(bytes=encryptor.update(block) + encryptor.finalize()))


def number_of(kind: str, text: str, *, secret: str | bytes) -> int | None:
    """The number of the row that a text names; None for any text that names none of this kind."""
    if not _SHAPE.fullmatch(text):
        return None
    decryptor = _cipher(secret).decryptor()
    block = decryptor.update(UUID(text).bytes) + decryptor.finalize()
    return int.from_bytes(block[_HALF:], "big") if block[:_HALF] == _mark(kind) else None


def _mark(kind: str) -> bytes:
    return sha256(kind.encode()).digest()[:_HALF]


def _cipher(secret: str | bytes) -> Cipher[modes.ECB]:
    key = sha256(_PURPOSE + (secret.encode() if isinstance(secret, str) else secret)).digest()
    # One block and no more: nothing repeats in it that the mode would show.
    return Cipher(algorithms.AES(hmac.digest(key, b"", "sha256")), modes.ECB())  # noqa: S305
