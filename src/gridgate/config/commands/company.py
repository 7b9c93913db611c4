"""`gridgate first-administrator …` and `gridgate terms …`: how a company comes aboard, and on which terms."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gridgate.config.commands.data_option import DataOption
from gridgate.config.loading import load_django
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import shown

first_administrator = typer.Typer(help="The person who founds a company's access.", no_args_is_help=True)
terms = typer.Typer(help="The general terms of use.", no_args_is_help=True)


@first_administrator.callback()
def _first_administrators() -> None:
    """Keeps `declare` a sub-command, whatever its siblings."""


@first_administrator.command("declare")
def declare(
    email: Annotated[
        str, typer.Argument(help="Where the activation link goes; it is also the sign-in name.")
    ],
    siren: Annotated[str, typer.Option(help="The company's SIREN.")],
    name: Annotated[str, typer.Option(help="The person's full name.")],
    language: Annotated[str, typer.Option(help="fr or en: of the e-mail and of the pages.")] = "fr",
    data: DataOption = None,
) -> None:
    """Declare a company's first administrator: the worker sends them an activation link.

    The company needs a contract in force and an EIC code of type X. An expired declaration is replaced.
    """
    environment = load_django()
    from gridgate.onboarding.operations.invitations import declare_first_administrator
    from gridgate.organisations.queries import organisation_by_siren

    company = organisation_by_siren(siren)
    invitation = declare_first_administrator(
        organisation=company, email=email, full_name=name, language=language, now=datetime.now(UTC)
    )
    until = invitation.expires_at.astimezone(environment.zone)
    typer.echo(
        f"{shown(invitation.email)}: first administrator of {shown(company.legal_name)}. "
        f"The link that the worker sends is good until {until:%Y-%m-%d %H:%M} ({environment.time_zone}).",
        err=True,
    )


@terms.callback()
def _terms() -> None:
    """Keeps `publish` a sub-command, whatever its siblings."""


@terms.command("publish")
def publish(
    file: Annotated[
        Path, typer.Argument(help="The French text: paragraphs, “## ” before a heading, “- ” before a point.")
    ],
    version: Annotated[str, typer.Option(help="How it is called, such as 2 or 2027-01.")],
    english: Annotated[Path | None, typer.Option(help="The same in English.")] = None,
    data: DataOption = None,
) -> None:
    """Put a version of the general terms in force: people are asked to accept it at their next sign-in."""
    texts = [_read(path) if path is not None else "" for path in (file, english)]
    load_django()
    from gridgate.onboarding.operations.terms import publish_terms

    publish_terms(version=version, text_fr=texts[0], text_en=texts[1], now=datetime.now(UTC))
    typer.echo(f"version {shown(version)} of the general terms is in force.", err=True)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GridgateError(
            ErrorKind.INVALID, f"{path} cannot be read: {error}", remedy="Give a text file in UTF-8."
        ) from None
