"""Pages compared: what tells two of them apart once everything that differs anyway is gone."""

import re


def without_what_differs(page: str, *asked: str) -> str:
    """The page without its form's token, without the reference of a refusal and its time, and without what was asked."""
    for word in asked:
        page = page.replace(word, "…")
    page = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)
    return re.sub(r'<p class="soft xs">.*?</p>', "", page, flags=re.DOTALL)
