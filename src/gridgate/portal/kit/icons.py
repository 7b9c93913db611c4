"""The icons: one sprite, `static/icons.svg`, one `<symbol>` each. A name that is not in it fails when the
page is rendered.
"""

import re
from functools import cache

from gridgate.portal.paths import PORTAL


@cache
def names() -> frozenset[str]:
    """The icons that exist, without their `i-`."""
    sprite = (PORTAL / "static" / "icons.svg").read_text(encoding="utf-8")
    return frozenset(re.findall(r'<symbol id="i-([a-z]+)"', sprite))
