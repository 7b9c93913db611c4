"""`docs/1-running/settings.md` lists exactly the settings that exist, with their defaults and what they do."""

import re
from pathlib import Path

from gridgate.config.environment import PREFIX, Environment

DOCUMENT = Path(__file__).parents[2] / "docs" / "1-running" / "settings.md"


def test_every_setting_is_documented_with_its_default() -> None:
    documented = dict(
        re.findall(r"^\| `(GRIDGATE_\w+)` \| (.*) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    )
    expected = {
        f"{PREFIX}{name.upper()}": f"{_written(field.default)} | {field.description}"
        for name, field in Environment.model_fields.items()
    }
    assert documented == expected


def _written(default: object) -> str:
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{default}`" if default not in ("", None) else "–"
