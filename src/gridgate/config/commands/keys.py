"""`--key` and `--jwks`: the public keys with which a proof is checked, by default the instance's own."""

from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gridgate.config.environment import Environment
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.sharing import signing

KeyOption = Annotated[Path | None, typer.Option("--key", help="The operator's public key, in PEM.")]
JwksOption = Annotated[
    Path | None, typer.Option("--jwks", help="The operator's JWK set, as its portal publishes it.")
]


def given_keys(key: Path | None, jwks: Path | None, environment: Environment) -> list[Ed25519PublicKey]:
    """The keys of the files given, else the instance's. Raises `GridgateError` when there are none."""
    keys: list[Ed25519PublicKey] = []
    if key is not None:
        keys.append(signing.key_of_pem(_read(key), where=str(key)))
    if jwks is not None:
        keys += signing.keys_of_jwks(_read(jwks).decode("utf-8", "replace"), where=str(jwks))
    return keys or signing.load_public_keys(environment.receipt_key)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise GridgateError(
            ErrorKind.NOT_FOUND,
            f"{path} cannot be read: {error.strerror}",
            remedy="Check its name and rights.",
        ) from None
