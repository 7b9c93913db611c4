"""The components that take arguments, as templates write them."""

from datetime import UTC, datetime

import pytest
from django.core.paginator import Paginator
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils import translation

from gridgate.portal.kit.formats import NARROW


def rendered(source: str, address: str = "/", **values: object) -> str:
    request = RequestFactory().get(address)
    return Template(source).render(Context({"request": request, **values}))


def test_identifiers_are_grouped_without_spaces_so_that_a_copy_gives_bare_digits() -> None:
    html = rendered("{{ prm|id_groups }}", prm="30001480112233")
    assert html == '<span class="id"><i>30</i><i>001</i><i>480</i><i>112</i><i>233</i></span>'
    assert rendered("{{ nothing|id_groups }}", nothing=None) == "–"


def test_a_code_is_whole_and_an_address_breaks_between_its_parts() -> None:
    assert rendered("{{ code|whole }}", code="11XACME------1") == '<span class="id">11XACME------1</span>'
    assert rendered("{{ code|whole }}", code="/a-b?c=<&d") == "<wbr>".join(
        f'<span class="id">{part}</span>' for part in ("/", "a-b?", "c=&lt;&amp;", "d")
    )
    assert rendered("{{ code|whole }}", code=None) == '<span class="id">–</span>'


def test_filters_write_in_the_language_of_the_request() -> None:
    source = "{{ wh|kwh:1 }} {{ w|kw }} {{ at|moment }}"
    values = {"wh": 16683400, "w": None, "at": datetime(2026, 11, 17, 13, 32, tzinfo=UTC)}
    with translation.override("fr"):
        assert (
            rendered(source, **values).replace("\u00a0", " ") == f"16{NARROW}683,4 – 17 novembre 2026 à 14:32"
        )
    with translation.override("en"):
        assert (
            rendered(source, **values).replace("\u00a0", " ")
            == f"16{NARROW}683.4 – 17 November 2026 at 14:32"
        )


def test_relative_counts_from_the_instant_of_the_page() -> None:
    values = {
        "at": datetime(2026, 11, 17, 4, 2, tzinfo=UTC),
        "now": datetime(2026, 11, 17, 12, 0, tzinfo=UTC),
    }
    assert "05:02" in rendered("{% relative at %}", **values)
    assert rendered("{% relative at %}", **values).startswith("aujourd’hui")


def test_an_icon_that_does_not_exist_is_an_error() -> None:
    assert 'icons.svg#i-check"' in rendered('{% icon "check" %}')
    assert 'aria-label="Actif"' in rendered('{% icon "check" label="Actif" %}')
    with pytest.raises(TemplateSyntaxError, match="no icon 'chek'"):
        rendered('{% icon "chek" %}')


def test_what_people_wrote_is_escaped_in_every_component() -> None:
    evil = "<script>alert(1)</script>"
    for source in (
        "{{ evil|id_groups }}",
        '{% tag "good" evil %}',
        '{% notice "warn" title=evil %}{{ evil }}{% endnotice %}',
        '{% empty "search" title=evil %}{{ evil }}{% endempty %}',
        "{% mono evil %}",
        "{% th evil %}",
        "{% th evil sort=evil %}",
        "{% td evil %}{{ evil }}{% endtd %}",
        "{% crumb evil %}",
        '{% icon "check" label=evil %}',
        "{% captured as text %}{{ evil }}{% endcaptured %}{{ text }}",
        "{{ evil|dash }}",
    ):
        assert "<script" not in rendered(source, evil=evil), source


def test_a_notice_has_its_icon_its_title_and_its_role() -> None:
    html = rendered(
        '{% notice "bad" title="Refusé" role="status" %}Voir <a href="/">pourquoi</a>{% endnotice %}'
    )
    assert html.startswith('<div class="notice bad" role="status">')
    assert "#i-x" in html
    assert '<p><b>Refusé</b></p><p>Voir <a href="/">pourquoi</a></p>' in html


@pytest.mark.parametrize(
    ("address", "link", "direction"),
    [
        ("/compteurs/?q=Lyon&page=3", "?q=Lyon&amp;tri=nom", ""),
        ("/compteurs/?q=Lyon&tri=nom", "?q=Lyon&amp;tri=-nom", "ascending"),
        ("/compteurs/?q=Lyon&tri=-nom", "?q=Lyon&amp;tri=nom", "descending"),
    ],
)
def test_a_sorted_column_keeps_the_address_and_turns_round(address, link, direction) -> None:
    html = rendered('{% th "Compteur" sort="nom" %}', address)
    assert f'href="{link}"' in html
    assert ("aria-sort" in html) == bool(direction)
    assert direction in html


def test_the_pager_keeps_filters_and_begins_again_when_the_length_changes() -> None:
    page = Paginator(range(412), 12).get_page(2)
    html = rendered("{% pager page %}", "/compteurs/?q=Lyon&page=2", page=page)
    assert "13–24 sur 412" in html
    assert 'href="?q=Lyon&amp;page=1"' in html
    assert 'href="?q=Lyon&amp;page=3"' in html
    assert 'href="?q=Lyon&amp;par_page=50"' in html
    assert "Suivant" not in rendered("{% pager page %}", page=Paginator(range(5), 12).get_page(1))
    assert "Aucune ligne" in rendered("{% pager page %}", page=Paginator([], 12).get_page(1))


def test_a_number_in_a_sentence_is_not_broken_and_nothing_else_is_let_through() -> None:
    said = "Demande EIC-2027-K7Q4M et <b>GG-20270119-K7Q4M2</b>, sous-sol 12-34."
    assert rendered("{{ said|unbroken }}", said=said) == (
        'Demande <span class="id">EIC-2027-K7Q4M</span> et &lt;b&gt;<span class="id">GG-20270119-K7Q4M2</span>'
        "&lt;/b&gt;, sous-sol 12-34."
    )
