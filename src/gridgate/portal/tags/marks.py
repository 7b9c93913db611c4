"""Icons, tags, notices and small charts."""

from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from gridgate.portal.kit import icons
from gridgate.portal.kit.charts.spark import Spark

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "") -> str:
    """`{% icon "check" %}` beside a word; alone it needs a name: `{% icon "check" label=_("Actif") %}`."""
    if name not in icons.names():
        raise template.TemplateSyntaxError(
            f"no icon {name!r} in static/icons.svg; there are: {', '.join(sorted(icons.names()))}"
        )
    target = f"{static('icons.svg')}#i-{name}"
    if label:
        return format_html('<svg class="i" role="img" aria-label="{}"><use href="{}"/></svg>', label, target)
    return format_html('<svg class="i" aria-hidden="true"><use href="{}"/></svg>', target)


_TAG_ICONS = {"good": "check", "warn": "alert", "bad": "x", "info": "info"}


@register.simple_tag
def tag(tone: str, text: str, icon: str | None = None) -> str:
    """A state in two or three words: `{% tag "good" _("Actif") %}`. Tones: good warn bad info "" (each with
    its icon, or `icon="lock"`).
    """
    drawn = drawn_icon(_TAG_ICONS.get(tone, "") if icon is None else icon)
    return format_html('<span class="{}">{}{}</span>', f"tag {tone}".strip(), drawn, text)


def drawn_icon(name: str) -> str:
    return icon(name) if name else ""


def rendered(content: str) -> SafeString:
    """What the template put between a tag and its end: already escaped by the template itself."""
    return mark_safe(content.strip())  # noqa: S308


@register.simple_block_tag
def notice(content: str, tone: str = "", title: str = "", icon: str | None = None, role: str = "") -> str:
    """`{% notice "warn" title=_("7 compteurs sans données") %}what to do, with the link{% endnotice %}`;
    tones as for `tag`.
    """
    drawn = drawn_icon(_TAG_ICONS.get(tone, "info") if icon is None else icon)
    head = format_html("<p><b>{}</b></p>", title) if title else ""
    body = content.strip()
    if body and not body.startswith("<"):
        body = format_html("<p>{}</p>", rendered(body))
    attribute = format_html(' role="{}"', role) if role else ""
    return format_html(
        '<div class="{}"{}>{}<div>{}{}</div></div>',
        f"notice {tone}".strip(),
        attribute,
        drawn,
        head,
        rendered(body),
    )


@register.simple_block_tag
def empty(content: str, icon: str, title: str, level: int = 3) -> str:
    """What will be here and the one thing to do: `{% empty "share" title=_("Personne ne lit vos données")
    %}<p>…</p><a class="btn">…</a>{% endempty %}`.
    """
    return format_html(
        '<div class="empty">{}<h{}>{}</h{}>{}</div>',
        drawn_icon(icon),
        level,
        title,
        level,
        rendered(content),
    )


@register.simple_tag
def spark(chart: Spark) -> SafeString:
    """The sparkline of 30 days: `{% spark reads_per_day %}` with a `charts.sparkline(...)`."""
    return render_to_string("components/spark.html", {"chart": chart})
