"""`gridgate receipt verify`: the proof that a receipt is genuine. Needs nothing but the file and a public
key.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from gridgate.config.commands.data_option import DataOption
from gridgate.config.commands.keys import JwksOption, KeyOption, given_keys
from gridgate.config.environment import read_environment
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import shown
from gridgate.sharing import signing

app = typer.Typer(help="Receipts of what ended.", no_args_is_help=True)

_DONE = {
    "revoke": "ended what it shared with",
    "terminate": "no longer shares (given up by the other side) with",
    "expire": "no longer shares (the time is over) with",
    "invalidate": "no longer shares (by an event) with",
}


@app.callback()
def _receipt() -> None:
    """Keeps `verify` a sub-command, whatever its siblings."""


@app.command("verify")
def verify_receipt(
    file: Annotated[Path, typer.Argument(help="The receipt: a JWS, or JSON that holds it as “jws”.")],
    key: KeyOption = None,
    jwks: JwksOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the verdict, and what was signed, as JSON.")
    ] = False,
    data: DataOption = None,
) -> None:
    """Check that a receipt was signed by the operator and has not been changed since.

    Exits with 0 when it is genuine, 1 when it is not, 2 when that cannot be checked.
    """
    checked = signing.verify(_token(file), given_keys(key, jwks, read_environment()))
    if isinstance(checked, signing.Valid):
        verdict: dict[str, Any] = {"valid": True, "kid": checked.kid, "receipt": checked.payload}
        text = f"valid: {_say(checked.payload)}, signed with key {checked.kid}"
    else:
        verdict = {"valid": False, "reason": checked.reason}
        text = f"NOT VALID: {checked.reason}"
    typer.echo(shown(json.dumps(verdict, ensure_ascii=False) if as_json else text))
    raise typer.Exit(0 if verdict["valid"] else 1)


def _token(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        raise GridgateError(
            ErrorKind.NOT_FOUND,
            f"{file} cannot be read: {error.strerror}",
            remedy="Check its name and rights.",
        ) from None
    if not text.startswith("{"):
        return text
    try:
        return str(json.loads(text)["jws"])
    except (ValueError, KeyError, RecursionError):
        return text


def _say(receipt: dict[str, Any]) -> str:
    """One line of what a receipt says; a field that it lacks shows as “?”."""
    holder, party = (receipt.get(side) for side in ("holder", "eligible_party"))
    permissions = receipt.get("permissions")
    count = len(permissions) if isinstance(permissions, list) else 0
    done = _DONE.get(str(receipt.get("act")), "has changed what it shares with")
    return (
        f"receipt {receipt.get('number', '?')}: {_company(holder)} {done} {_company(party)}, "
        f"{count} permission{'s' * (count != 1)}, effective {receipt.get('effective_at', '?')}"
    )


def _company(company: object) -> str:
    if not isinstance(company, dict):
        company = {}
    return f"{company.get('name', '?')} (SIREN {company.get('siren', '?')})"
