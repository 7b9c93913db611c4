"""`gridgate user …` and `gridgate application …`: what the operator needs before anyone can sign in or call."""

import warnings
from datetime import UTC, date, datetime
from getpass import GetPassWarning
from typing import Annotated

import typer

from gridgate.config.commands.data_option import DataOption
from gridgate.config.loading import load_django
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import shown
from gridgate.core.time import parse_day

user = typer.Typer(help="People who sign in.", no_args_is_help=True)
application = typer.Typer(help="Programs that call the APIs.", no_args_is_help=True)


@user.callback()
def _users() -> None:
    """Keeps `add` a sub-command, whatever its siblings."""


@user.command("add")
def add_user(
    email: Annotated[str, typer.Argument(help="E-mail address, which is also the sign-in name.")],
    siren: Annotated[
        str | None, typer.Option(help="The company's SIREN; the operator's staff when left out.")
    ] = None,
    name: Annotated[str, typer.Option(help="Full name.")] = "",
    role: Annotated[str, typer.Option(help="administrator or user.")] = "administrator",
    until: Annotated[
        str | None,
        typer.Option(
            help="Last day, as in 2027-03-31, on which a user acts for the company; open when left out."
        ),
    ] = None,
    password: Annotated[
        str | None,
        typer.Option(
            envvar="GRIDGATE_NEW_PASSWORD",
            help="Asked for, twice, when left out. Whoever has an account keeps theirs.",
        ),
    ] = None,
    data: DataOption = None,
) -> None:
    """Add a person to a company."""
    load_django()
    from gridgate.organisations.last_days import end_of
    from gridgate.organisations.operations.members import (
        MembershipExists,
        add_member,
        require_last_day,
        require_no_member,
    )
    from gridgate.organisations.queries import organisation_by_siren, user_by_email

    now = datetime.now(UTC)
    organisation = organisation_by_siren(siren)
    try:
        require_no_member(organisation=organisation, email=email, now=now)
    except MembershipExists as error:
        raise GridgateError(
            ErrorKind.CONFLICT,
            str(error),
            remedy="Role and last day are changed by an administrator of the company, on the person's page.",
        ) from None
    day = _day(until)
    ends = end_of(day) if day is not None else None
    require_last_day(ends, role=role, now=now)
    has_account = user_by_email(email=email) is not None
    if password is None and not has_account:
        password = _password()
    member = add_member(
        organisation=organisation,
        email=email,
        full_name=name or email.partition("@")[0],
        role=role,
        until=ends,
        password=password,
        now=now,
    )
    last = f" Last day: {day}." if day is not None else ""
    kept = " They had an account: its name, password and language stay." if has_account else ""
    typer.echo(
        shown(f"{member.user.email}: {member.role} of {member.organisation.legal_name}.{last}{kept}"),
        err=True,
    )


def _password() -> str:
    """Asked for at a terminal, twice; nowhere else, where it would be shown as it is typed."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", GetPassWarning)
        try:
            typed: str = typer.prompt(
                "Password", hide_input=True, confirmation_prompt="The same again", err=True
            )
        except GetPassWarning:
            raise GridgateError(
                ErrorKind.INVALID,
                "there is no terminal to ask for a password",
                remedy="Give it with --password, or in GRIDGATE_NEW_PASSWORD.",
            ) from None
    return typed


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    day = parse_day(text)
    if day is None:
        raise GridgateError(
            ErrorKind.INVALID, f"{text!r} is not a day", remedy="Write it as in --until 2027-03-31."
        )
    return day


@user.command("forget-factors")
def forget_factors(
    email: Annotated[str, typer.Argument(help="Their e-mail address.")],
    data: DataOption = None,
) -> None:
    """Give access back to somebody who lost application, keys and recovery codes: remove all of them.

    Check who asks first. The password then opens the account alone; where the policy asks a second factor, a new
    one is set up at the next sign-in. The person is told by e-mail, their sessions end, and it stands in the history
    of each company that they act for.
    """
    load_django()
    from gridgate.accounts.security import factors
    from gridgate.organisations.queries import user_by_email

    person = user_by_email(email=email)
    if person is None:
        raise GridgateError(ErrorKind.NOT_FOUND, f"nobody signs in with {email}")
    removed = factors.forget_factors(user=person, now=datetime.now(UTC))
    typer.echo(f"{shown(person.email)}: {removed} removed, sessions ended, told by e-mail.", err=True)


@application.callback()
def _applications() -> None:
    """Keeps `add` a sub-command, whatever its siblings."""


@application.command("add")
def add_application(
    name: Annotated[str, typer.Argument(help="What the program is called.")],
    siren: Annotated[str, typer.Option(help="SIREN of the company that runs it.")],
    legal_name: Annotated[str, typer.Option(help="Its legal name, when it is new here.")] = "",
    data: DataOption = None,
) -> None:
    """Add a program with access to every API, and print its client_id and client_secret once, as JSON."""
    load_django()
    import json

    from gridgate.applications.operations import create_application
    from gridgate.organisations.operations.companies import ensure_organisation

    now = datetime.now(UTC)
    organisation = ensure_organisation(siren=siren, legal_name=legal_name, now=now)
    created = create_application(organisation=organisation, name=name, now=now)
    typer.echo(json.dumps({"client_id": created.application.client_id, "client_secret": created.secret}))
