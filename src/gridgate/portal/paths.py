"""Where the portal keeps what Django looks up: templates, their tags and translations. Read by the settings, so nothing
of Django here.

A new screen needs no registration: its `templates` and `locale` folders are found because they are there.
"""

from pathlib import Path

PORTAL = Path(__file__).resolve().parent
PACKAGE = PORTAL.parent


def template_dirs() -> list[Path]:
    """`templates/` (skeletons, errors), the portal itself (for `components/…`), and each screen's own
    `templates/`.
    """
    return [PORTAL / "templates", PORTAL, *sorted(PORTAL.glob("screens/*/templates"))]


def tag_libraries() -> list[str]:
    """The modules of `tags/`, built into every template."""
    modules = (path.stem for path in sorted(PORTAL.glob("tags/*.py")))
    return [f"gridgate.portal.tags.{name}" for name in modules if name != "__init__"]


def locale_paths() -> list[Path]:
    """Every `locale` folder of the portal, its screens and the apps, the portal's first."""
    portal = sorted(path for path in PORTAL.rglob("locale") if path.is_dir())
    apps = sorted(path for path in PACKAGE.glob("*/locale") if path.is_dir() and path.parent != PORTAL)
    return portal + apps
