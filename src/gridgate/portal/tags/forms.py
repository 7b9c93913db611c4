"""Fields, and the token of every form that is posted."""

from django import template
from django.forms import BoundField
from django.template.context import Context
from django.template.defaulttags import CsrfTokenNode
from django.utils.html import format_html
from django.utils.safestring import SafeString

from gridgate.portal.guards import acting

register = template.Library()


@register.simple_tag
def field(bound: BoundField) -> SafeString:
    """A label, its hint, the control and its error, tied together: `{% field form.prm %}`."""
    return SafeString(bound.as_field_group())


@register.simple_tag(takes_context=True)
def csrf_token(context: Context, siren: str | None = None) -> str:
    """Django's, of every form that is posted, and with it the company that the form is for: the one open now, or the
    one of this SIREN.
    """
    request = getattr(context, "request", None) or context.get("request")
    opened_for = acting.siren_of(request) if siren is None and request is not None else siren
    token = CsrfTokenNode().render(context)
    if opened_for is None:
        return token
    return token + format_html('<input type="hidden" name="{}" value="{}">', acting.FIELD, opened_for)
