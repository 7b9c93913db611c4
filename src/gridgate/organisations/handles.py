"""How a row is named outside: not by its number, which would tell how many groups, people or invitations others have.

A handle is one enciphered block of what the row is and its number, written as a UUID: always the same for one row,
meaningless without the instance's secret key, and of no other kind's. It is a name and no proof: whoever looks a row
up by it asks the query whether the reader may see it, as ever.
"""

import re
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.conf import settings
from django.utils.crypto import salted_hmac

PATTERN = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_SHAPE = re.compile(PATTERN, re.ASCII)
_HALF = 8


def handle_of(kind: str, number: int) -> str:
    """What to call the row `number` of this kind in addresses, forms, letters and files."""
    block = _mark(kind) + number.to_bytes(_HALF, "big")
    encryptor = _cipher(settings.SECRET_KEY).encryptor()
    return str(UUID(bytes=encryptor.update(block) + encryptor.finalize()))


def number_of(kind: str, text: str) -> int | None:
    """The number of the row that a text names; None for any text that names none of this kind."""
    if not _SHAPE.fullmatch(text):
        return None
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        decryptor = _cipher(secret).decryptor()
        block = decryptor.update(UUID(text).bytes) + decryptor.finalize()
        if block[:_HALF] == _mark(kind):
            return int.from_bytes(block[_HALF:], "big")
    return None


def _mark(kind: str) -> bytes:
    return sha256(kind.encode()).digest()[:_HALF]


def _cipher(secret: str | bytes) -> Cipher[modes.ECB]:
    key = salted_hmac("gridgate.organisations.handles", b"", secret=secret, algorithm="sha256").digest()
    # One block and no more: nothing repeats in it that the mode would show.
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305
