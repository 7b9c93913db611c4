"""A page as its reader sees it."""

import re
from typing import Any


def text_of(response: Any, status: int = 200) -> str:
    assert response.status_code == status, response.status_code
    page = re.sub(r"<(svg|style)\b.*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("&#x27;", "'").replace("&quot;", '"')
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def error_beside(response: Any, field: str) -> str:
    """What stands under a field, and is tied to it."""
    page = response.content.decode()
    control = re.search(rf'<(?:input|textarea|select)[^>]*\bname="{re.escape(field)}"[^>]*>', page)
    assert control, f"no field {field}"
    assert 'aria-invalid="true"' in control.group(0), control.group(0)
    described = re.search(r'aria-describedby="([^"]+)"', control.group(0))
    assert described, control.group(0)
    error_id = next(name for name in described.group(1).split() if name.endswith("_error"))
    found = re.search(rf'id="{error_id}"[^>]*>(.*?)</(?:ul|div)>', page, flags=re.DOTALL)
    assert found, error_id
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found.group(1))).replace("\u00a0", " ").strip()


def send_as_read(client: Any, page: str, *, follow: bool = False, **typed: str) -> Any:
    """Send a request to the operator from its own page, as it says it."""
    seen = re.search(r'name="seen" value="(\w+)"', client.get(page).content.decode())
    assert seen, "the page offers nothing to send"
    return client.post(f"{page}envoyer/", {"seen": seen[1], **typed}, follow=follow)
