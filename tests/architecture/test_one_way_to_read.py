"""A façade gets values from `plane.read` and `plane.add_up`, which log them first, and from nowhere else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridgate import facades

FOLDER = Path(facades.__file__).parent
ALL = frozenset({"*"})

MAY_IMPORT = {
    "gridgate.core.errors": ALL,
    "gridgate.core.quantities": ALL,
    "gridgate.core.time": ALL,
    # Not `decide`: it is decided where it is logged.
    "gridgate.core.sharing": {
        *("AccessLine", "Basis", "Granted", "LegalBasis", "MissingReason"),
        *("RefusalReason", "Refused", "Wanted"),
    },
    "gridgate.dataplane.authz": {"Caller", "NotSubscribed", "TokenFault", "Unauthenticated"},
    "gridgate.dataplane.export": ALL,
    "gridgate.dataplane.handles": ALL,
    "gridgate.dataplane.http.facade": ALL,
    "gridgate.dataplane.http.guard": ALL,
    "gridgate.dataplane.http.metrics": ALL,
    "gridgate.dataplane.http.oauth": ALL,
    "gridgate.dataplane.http.plane": {"DataPlane", "is_long"},
    "gridgate.dataplane.http.sums": {"Among", "Summed"},
    "gridgate.dataplane.http.token_endpoint": ALL,
    # How values that were read are put: none of it opens anything.
    "gridgate.dataplane.query.aggregate": ALL,
    "gridgate.dataplane.query.answer": ALL,
    "gridgate.dataplane.query.columns": ALL,
    "gridgate.dataplane.query.days": ALL,
    "gridgate.dataplane.query.sums.tally": {"Gap", "Sums"},
    "gridgate.dataplane.reading.answering": {"nothing_readable"},
    "gridgate.dataplane.reading.sealed": {"Denied"},
    "gridgate.dataplane.reading.window": {"Part", "Window"},
    "gridgate.dataplane.registry.port": {"Access", "PointFacts"},
    "gridgate.dataplane.store.days": {"day_of_number"},
    "gridgate.dataplane.store.port": {"PackedDay", "SeriesInfo"},
    "gridgate.dataplane.summing": {"SumAsked"},
}
MAY_ASK = {
    *("add_up", "authenticate", "clock", "perimeters", "points", "read", "secret_key", "series", "zone"),
}
"""Of the plane."""
ELSEWHERE = {"sqlite3", "importlib", "polars"}


def breaches(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                roots = {name.name for name in names}
                yield from (name for name in roots if name.split(".")[0] in {"gridgate", *ELSEWHERE})
            case ast.ImportFrom(module=module, names=names, level=level):
                yield from _imported(module or "", {name.name for name in names}, level)
            case ast.Attribute(value=ast.Name(id="plane"), attr=attr) if attr not in MAY_ASK:
                yield f"plane.{attr}"
            case ast.Attribute(value=value, attr=attr) if attr.startswith("_") and not attr.startswith("__"):
                if not (isinstance(value, ast.Name) and value.id in ("self", "cls")):
                    yield f"….{attr}"
            case ast.Name(id="getattr" | "vars" | "__import__" as name):
                yield name


def _imported(module: str, names: set[str], level: int) -> Iterator[str]:
    if level:
        yield "." * level + module
    elif module.startswith("gridgate.facades"):
        return
    elif module.split(".")[0] == "gridgate":
        allowed = MAY_IMPORT.get(module, frozenset())
        yield from (f"{module}.{name}" for name in sorted(names) if not {name, "*"} & allowed)
    elif module.split(".")[0] in ELSEWHERE and module != "importlib.resources":
        yield module


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_facade_reaches_neither_the_store_nor_the_decision_but_through_the_plane(path: Path) -> None:
    assert list(breaches(path.read_text())) == []


@pytest.mark.parametrize(
    ("source", "breach"),
    [
        ("from gridgate.core.sharing import decide", "gridgate.core.sharing.decide"),
        ("from gridgate.dataplane.store import open_store", "gridgate.dataplane.store.open_store"),
        ("from gridgate.dataplane.reading.sealed import take", "gridgate.dataplane.reading.sealed.take"),
        ("from gridgate.dataplane import client", "gridgate.dataplane.client"),
        ("import gridgate.dataplane.client as c", "gridgate.dataplane.client"),
        ("import sqlite3", "sqlite3"),
        ("from importlib import import_module", "importlib"),
        ("from ...dataplane.store import open_store", "...dataplane.store"),
        ("def route(plane): return plane.registry", "plane.registry"),
        ("def route(plane): return plane._opened()", "plane._opened"),
        ("def write(window): return window._store", "…._store"),
        ("def write(window): return window.parts[0]._store", "…._store"),
        ("def write(window): return getattr(window, '_' + 'store')", "getattr"),
    ],
)
def test_one_that_does_is_found(source: str, breach: str) -> None:
    assert list(breaches(source)) == [breach]
