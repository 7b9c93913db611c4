"""Where a page stands: breadcrumbs, addresses, the star, its title in several places."""

from html import unescape

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString

from gridgate.portal.shell.favourites import star_of
from gridgate.portal.tags.marks import rendered
from gridgate.portal.tags.names import unbroken

register = template.Library()


@register.simple_tag
def crumb(text: str, url_name: str = "", *arguments: object) -> str:
    """One step of the breadcrumbs, in `{% block crumbs %}`: `{% crumb company.legal_name "sharing_company"
    company.siren %}`.
    """
    if not url_name:
        return format_html("<li>{}</li>", unbroken(text))
    return format_html('<li><a href="{}">{}</a></li>', reverse(url_name, args=arguments), unbroken(text))


@register.simple_tag
def url_or_nothing(url_name: str) -> str:
    """The address of a page that may not be installed; empty when it is not."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return ""


@register.simple_tag(takes_context=True)
def star(context: Context, title: str) -> SafeString:
    """The star by which a person keeps the page at hand; nothing on a page that is not one to keep."""
    plain = unescape(strip_tags(title)).strip()
    shown = star_of(context["request"], plain)
    if shown is None:
        return SafeString()
    return render_to_string("components/star.html", {"star": shown, "title": plain}, context["request"])


@register.simple_block_tag
def captured(content: str) -> str:
    """`{% captured as title %}{% block title %}{% endblock %}{% endcaptured %}`: a block whose text is used
    in several places.
    """
    return rendered(content)
