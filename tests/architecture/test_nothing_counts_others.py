"""No number of the registry's own reaches a person: it would tell how many groups, people, requests others have."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import IntConverter

PORTAL = Path(__file__).resolve().parents[2] / "src" / "gridgate" / "portal"
OPERATORS = {
    "operator_import_report",
    "operator_import_export",
    "operator_contract",
    "operator_declaration",
    "operator_holding_end",
}
"""The operator's own registry, on its own desk."""
PLACES = {"kyc_section"}
"""The place of a section in its form."""
POINTS = {"point.pk", "other.pk"}
"""A metering point is called by its published identifier."""
_SHOWN = re.compile(r"""(?:value|id|name|href)="[^"]*\{\{ ?([\w.]+\.(?:pk|id)) ?\}\}""")
_FORM_ROWS = ("row.id", "point.id", "line.id", "chart.id", "asked.id", "lines.0.id")
"""Identifiers of points and random ones of permissions and requests."""


def test_no_address_names_a_row_by_its_number() -> None:
    numbered = {
        str(one.name)
        for one in _patterns(get_resolver())
        if any(isinstance(each, IntConverter) for each in one.pattern.converters.values())
    }
    assert numbered == OPERATORS | PLACES


def test_no_form_names_a_row_by_its_number() -> None:
    found = {
        (template.name, name)
        for template in PORTAL.rglob("*.html")
        for name in _SHOWN.findall(template.read_text(encoding="utf-8"))
        if name not in POINTS and name not in _FORM_ROWS
    }
    assert found == set()


def _patterns(resolver: URLResolver | Any) -> Iterator[URLPattern]:
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from _patterns(one)
        else:
            yield one
