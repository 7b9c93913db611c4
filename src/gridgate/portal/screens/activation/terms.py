"""`/conditions/`: the general terms of use in force, since when, and the versions before."""

from dataclasses import dataclass

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from gridgate.onboarding.models import GeneralTerms
from gridgate.onboarding.terms import terms_published


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, a paragraph, or the points of a list."""

    kind: str
    lines: tuple[str, ...]


@login_not_required
@require_safe
def in_force(request: HttpRequest) -> HttpResponse:
    """The version in force; a page that says so when there is none."""
    versions = list(terms_published(now=timezone.now()))
    return _page(request, versions[0] if versions else None, versions)


@login_not_required
@require_safe
def published(request: HttpRequest, version: str) -> HttpResponse:
    """One version, in force or replaced."""
    versions = list(terms_published(now=timezone.now()))
    shown = next((terms for terms in versions if terms.version == version), None)
    if shown is None:
        raise Http404(version)
    return _page(request, shown, versions)


def text_of(terms: GeneralTerms) -> tuple[list[Block], str]:
    """What the terms say in the language of the page, and that language: French when there is no other."""
    english = (get_language() or "fr").startswith("en") and bool(terms.text_en)
    return blocks(terms.text_en if english else terms.text_fr), "en" if english else "fr"


def blocks(text: str) -> list[Block]:
    """The text cut into what a page shows: `## ` begins a heading, `- ` a point, an empty line ends a paragraph.

    >>> [block.kind for block in blocks("## Objet\\n\\nUne phrase\\nsur deux lignes.\\n- un\\n- deux")]
    ['heading', 'paragraph', 'list']
    """
    cut: list[Block] = []
    for part in text.replace("\r\n", "\n").split("\n\n"):
        paragraph: list[str] = []
        points: list[str] = []
        for line in filter(None, map(str.strip, part.split("\n"))):
            if line.startswith("## "):
                cut.append(Block("heading", (line.removeprefix("## "),)))
            elif line.startswith("- "):
                points.append(line.removeprefix("- "))
            elif points:
                points[-1] += f" {line}"
            else:
                paragraph.append(line)
        if paragraph:
            cut.append(Block("paragraph", (" ".join(paragraph),)))
        if points:
            cut.append(Block("list", tuple(points)))
    return cut


def _page(request: HttpRequest, terms: GeneralTerms | None, versions: list[GeneralTerms]) -> HttpResponse:
    text, language = text_of(terms) if terms is not None else ([], "")
    context = {
        "layout": "base.html" if request.user.is_authenticated else "solo.html",
        "terms": terms,
        "text": text,
        "text_language": language,
        "current": bool(versions) and terms == versions[0],
        "others": [other for other in versions if other != terms],
        "in_force": versions[0] if versions else None,
    }
    return render(request, "activation/terms.html", context)
