"""`gridgate kyc …`: versions of the customer questionnaire."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gridgate.config.commands.data_option import DataOption
from gridgate.config.failing import REFUSED
from gridgate.config.loading import load_django
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.text import counted, shown, shown_lines
from gridgate.kyc.form import BUILT_IN
from gridgate.kyc.form_file import InvalidForm, read_form

app = typer.Typer(help="The customer questionnaire (KYC): what companies fill in.", no_args_is_help=True)

FileArgument = Annotated[Path, typer.Argument(help="The version: a JSON file, see docs/1-running/kyc.md.")]


@app.command("check")
def check(file: FileArgument) -> None:
    """Say what is wrong with a file, without publishing it; exit 1 when something is."""
    try:
        form, _ = read_form(_read(file))
    except InvalidForm as error:
        _tell(file, error)
        raise typer.Exit(1) from None
    fields = sum(len(section.fields) for section in form.sections)
    typer.echo(
        f"{shown(str(file))}: {counted(len(form.sections), 'section')}, {counted(fields, 'field')}, nothing to mend.",
        err=True,
    )


@app.command("publish")
def publish(
    file: FileArgument,
    version: Annotated[str, typer.Option(help="Its name, such as 2 or 2027-01; no version has it yet.")],
    data: DataOption = None,
) -> None:
    """Publish a version: new questionnaires are of this one, those begun stay on theirs. It never changes."""
    document = _read(file)
    load_django()
    from gridgate.kyc.operations.forms import publish_form

    try:
        made = publish_form(document=document, version=version, now=datetime.now(UTC))
    except InvalidForm as error:
        _tell(file, error)
        raise typer.Exit(REFUSED) from None
    typer.echo(
        f"Version {shown(made.version)} is published: {counted(len(made.sections), 'section')}, "
        f"valid {counted(made.months_valid, 'month')}.",
        err=True,
    )


@app.command("show")
def show(
    version: Annotated[
        str, typer.Option(help="Its name; the built-in one, as it comes with the product, without.")
    ] = "",
    data: DataOption = None,
) -> None:
    """Print a version as JSON, to begin another with."""
    if not version:
        sys.stdout.write(BUILT_IN.read_text(encoding="utf-8"))
        return
    load_django()
    from gridgate.kyc.queries import form_version

    found = form_version(version=version)
    document = {"months_valid": found.months_valid, "sections": found.sections}
    typer.echo(shown_lines(json.dumps(document, ensure_ascii=False, indent=2)))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise GridgateError(
            ErrorKind.NOT_FOUND, f"{file} cannot be read: {error.strerror}", remedy="Check the path."
        ) from None


def _tell(file: Path, error: InvalidForm) -> None:
    console = Console(stderr=True, highlight=False)
    for fault in error.faults:
        console.print(shown(f"{file}: {fault}"), soft_wrap=True, markup=False)
    console.print(error.remedy, markup=False)
