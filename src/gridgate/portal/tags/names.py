"""Identifiers and names: in groups, unbroken, elided, as a square of initials, as a handle."""

import re

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import mark_safe

from gridgate.organisations.handles import handle_of
from gridgate.portal.kit import formats

register = template.Library()

_REFERENCE = re.compile(r"\b[A-Z]{2,4}-[0-9]{4,8}-[0-9A-Z]{4,8}\b")
"""What `core.references` draws, behind its prefix and its year or day."""


@register.filter
def handle(number: int, kind: str) -> str:
    """What a row is called outside: `{{ group.pk|handle:"group" }}`."""
    return handle_of(kind, number)


@register.filter
def id_groups(identifier: str | None) -> str:
    """PRM, SIREN, GSRN grouped for the eye, bare digits in the clipboard: `{{ point.id|id_groups }}`."""
    if not identifier:
        return formats.NONE
    parts = format_html_join("", "<i>{}</i>", ((part,) for part in formats.groups(str(identifier))))
    return format_html('<span class="id">{}</span>', parts)


@register.filter
def whole(code: object) -> str:
    """An EIC code, a number of a request, an address: no line breaks at their hyphens; a long address breaks between its
    parts alone. `{{ code|whole }}`.
    """
    parts = re.split(r"(?<=[/?&])(?=.)", str(code or formats.NONE))
    return format_html_join(mark_safe("<wbr>"), '<span class="id">{}</span>', ((part,) for part in parts))


@register.filter
def unbroken(text: object) -> str:
    """A sentence whose numbers of requests and of receipts no line breaks: `{{ message|unbroken }}`."""
    return mark_safe(_REFERENCE.sub(r'<span class="id">\g<0></span>', conditional_escape(str(text))))  # noqa: S308 -- escaped


@register.filter(is_safe=True)
def elided(text: str) -> str:
    """`{% filter elided %}` around a sentence with a name after « de » or « que »: `d’ACME`, `qu’ACME`."""
    return formats.elided(text)


@register.simple_tag
def mono(name: str, own: bool = False, size: str = "") -> str:
    """The square with a company's initials, beside its name: `{% mono company.legal_name own=True size="s"
    %}`.
    """
    classes = " ".join(filter(None, ["mono", size, "own" if own else ""]))
    return format_html('<span class="{}" aria-hidden="true">{}</span>', classes, formats.initials(name))
