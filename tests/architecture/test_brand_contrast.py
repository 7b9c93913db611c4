"""The 20 properties of a brand, held to the contrasts that WCAG 2.2 asks, in the light and in the dark.

The default brand is read from `static/css/tokens.css`; an operator's file is read the same way, laid over it.
To check one: `GRIDGATE_BRAND_CSS=brand.css pytest tests/architecture/test_brand_contrast.py`.
"""

import os
import re
from pathlib import Path

import pytest

from gridgate.portal.paths import PORTAL

TOKENS = PORTAL / "static" / "css" / "tokens.css"
COLOURS = (
    "accent",
    "accent-deep",
    "on-accent",
    "paper",
    "surface",
    "sunken",
    "ink",
    "soft",
    "line",
    "edge",
    "good",
    "warn",
    "bad",
    "limit",
    "injection",
)
OTHERS = ("font-text", "font-code", "radius", "hair", "page")
TEXT, SHAPE = 4.5, 3.0
GROUNDS = ("surface", "paper", "sunken")
DEMANDS = (
    [(front, back, TEXT) for front in ("ink", "soft", "accent", "good", "warn", "bad") for back in GROUNDS]
    + [("on-accent", "accent", TEXT), ("on-accent", "accent-deep", TEXT), ("accent-deep", "surface", TEXT)]
    + [(front, "surface", SHAPE) for front in ("edge", "limit", "accent", "injection")]
)


def properties(css: str) -> dict[str, str]:
    """The custom properties of a style sheet, comments left out."""
    return dict(re.findall(r"--([\w-]+):\s*([^;{}]+);", re.sub(r"/\*.*?\*/", "", css, flags=re.S)))


def pair(value: str) -> tuple[str, str]:
    """The light and the dark colour of `light-dark(#…, #…)`; one colour is both."""
    found = re.fullmatch(r"light-dark\(\s*(#[0-9a-fA-F]{3,8})\s*,\s*(#[0-9a-fA-F]{3,8})\s*\)", value.strip())
    return (found[1], found[2]) if found else (value.strip(), value.strip())


def luminance(colour: str) -> float:
    """Relative luminance of `#rgb` or `#rrggbb`, as WCAG defines it."""
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def shortfalls(css: str) -> list[str]:
    """What a brand fails, in words: `--soft on --sunken, dark: 4.1:1, 4.5:1 needed`."""
    colours = {name: pair(properties(css)[name]) for name in COLOURS}
    return [
        f"--{front} on --{back}, {theme}: {ratio:.2f}:1, {least}:1 needed"
        for front, back, least in DEMANDS
        for index, theme in enumerate(("light", "dark"))
        if (ratio := contrast(colours[front][index], colours[back][index])) < least
    ]


def test_the_measure_is_that_of_wcag() -> None:
    assert contrast("#000", "#fff") == pytest.approx(21)
    assert contrast("#777", "#fff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#fff", "#ffffff") == 1


def test_the_default_brand_keeps_its_contrasts_in_the_light_and_in_the_dark() -> None:
    assert shortfalls(TOKENS.read_text(encoding="utf-8")) == []


def test_a_brand_that_falls_short_is_found() -> None:
    pale = TOKENS.read_text(encoding="utf-8") + ":root { --accent: light-dark(#9cc4d4, #86c6df); }"
    assert any(line.startswith("--accent on --paper, light: 1.") for line in shortfalls(pale))


def test_the_contract_is_these_twenty_properties_and_no_others() -> None:
    brand, derived = TOKENS.read_text(encoding="utf-8").split("Derived: never set by a brand", 1)
    assert set(properties(brand)) == {*COLOURS, *OTHERS}
    assert len(COLOURS) + len(OTHERS) == 20
    assert not set(properties(derived)) & {*COLOURS, *OTHERS}


def test_each_colour_has_its_dark_half() -> None:
    found = properties(TOKENS.read_text(encoding="utf-8"))
    assert [name for name in COLOURS if not found[name].startswith("light-dark(#")] == []


def test_style_sheets_take_their_colours_from_the_tokens() -> None:
    """A colour written elsewhere would not follow a brand; those of print and of the filled red are meant."""
    meant = {"#fff", "#2a0806", "#0008", "#ccc", "#f4f4f2"}
    strays = {}
    for sheet in (PORTAL / "static" / "css").glob("*.css"):
        if sheet != TOKENS:
            text = re.sub(r"url\([^)]*\)|/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.S)
            found = set(re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[\s,;)!}])", text)) - meant
            if found:
                strays[sheet.name] = found
    assert strays == {}


@pytest.mark.skipif(
    "GRIDGATE_BRAND_CSS" not in os.environ, reason="no brand file is named by GRIDGATE_BRAND_CSS"
)
def test_the_operators_brand_keeps_its_contrasts_and_its_contract() -> None:
    brand = Path(os.environ["GRIDGATE_BRAND_CSS"]).read_text(encoding="utf-8")
    assert set(properties(brand)) <= {*COLOURS, *OTHERS}
    assert shortfalls(TOKENS.read_text(encoding="utf-8") + brand) == []
