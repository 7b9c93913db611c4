"""How passwords are kept."""

import unicodedata
from typing import Any

from django.contrib.auth import password_validation
from django.contrib.auth.hashers import Argon2PasswordHasher


def normalised(password: str) -> str:
    """One form of what keyboards and systems write in several, such as é (NIST SP 800-63B, 3.1.1.2: NFKC).

    >>> normalised("e\\u0301le\\u0301phant") == normalised("éléphant")
    True
    """
    return unicodedata.normalize("NFKC", password)


class Argon2idHasher(Argon2PasswordHasher):
    """Argon2id at OWASP's minimum: 19 MiB, two passes, one lane.

    Django's own parameters take 100 MiB a sign-in, so that eight people at once would ask for 800 MiB. A hash
    made with other parameters is made anew at the next sign-in.
    """

    algorithm = "argon2_nfkc"
    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return super().encode(normalised(password), salt)

    def verify(self, password: str, encoded: str) -> bool:
        return super().verify(normalised(password), encoded)


class AsTypedHasher(Argon2idHasher):
    """Opens hashes of passwords as they were typed; the next sign-in makes them anew, of the one form."""

    algorithm = "argon2"

    def encode(self, password: str, salt: str) -> str:
        return Argon2PasswordHasher.encode(self, password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        forms = dict.fromkeys([password, normalised(password), unicodedata.normalize("NFD", password)])
        return any(Argon2PasswordHasher.verify(self, form, encoded) for form in forms)


class _OfTheKeptForm:
    """Judges the form that is kept: what looks long or rare as it is typed may be neither."""

    def validate(self, password: str, user: Any = None) -> None:
        super().validate(normalised(password), user)  # type: ignore[misc]


class MinimumLengthValidator(_OfTheKeptForm, password_validation.MinimumLengthValidator):
    pass


class CommonPasswordValidator(_OfTheKeptForm, password_validation.CommonPasswordValidator):
    pass


class UserAttributeSimilarityValidator(_OfTheKeptForm, password_validation.UserAttributeSimilarityValidator):
    pass
