"""What a façade can answer is written down for those who integrate with it."""

import inspect
import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

from gridgate.facades.enedis import catalogue
from gridgate.facades.enedis.catalogue import EnedisError
from gridgate.facades.native import errors, problems

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs" / "2-integrating"

ENEDIS_ERRORS = [
    factory()
    for _, factory in inspect.getmembers(catalogue, inspect.isfunction)
    if inspect.signature(factory).return_annotation is EnedisError
]
OPENAPI = json.loads(files("gridgate.facades.native").joinpath("openapi.json").read_text("utf-8"))


@pytest.mark.parametrize("error", ENEDIS_ERRORS, ids=lambda error: error.code)
def test_every_enedis_error_is_documented(error: EnedisError) -> None:
    row = re.search(
        rf"^\| {error.status} \|.*`{error.code}`.*$", (DOCS / "enedis.md").read_text("utf-8"), re.M
    )
    assert row


def problem_names() -> list[str]:
    sources = "".join(inspect.getsource(module) for module in (problems, errors))
    return sorted(set(re.findall(r'(?:Problem|_problem)\(\s*"([a-z-]+)"', sources)) - {"invalid-request"})


@pytest.mark.parametrize("name", problem_names())
def test_every_problem_is_documented(name: str) -> None:
    assert f"`{name}`" in (DOCS / "native.md").read_text("utf-8")


@pytest.mark.parametrize(
    "reason",
    OPENAPI["components"]["schemas"]["Measurements"]["properties"]["coverage"]["properties"]["missing"][
        "items"
    ]["properties"]["reason"]["enum"],
)
def test_every_reason_is_documented(reason: str) -> None:
    assert f"`{reason}`" in (DOCS / "native.md").read_text("utf-8")


def test_there_are_errors_to_document() -> None:
    assert len(ENEDIS_ERRORS) > 15
    assert len(problem_names()) > 8
