"""Where a template's line breaks are text, and where not."""

from pathlib import Path

import pytest
from django.template import engines

from gridgate.portal.template_lines import joined


@pytest.mark.parametrize(
    ("laid_out", "read"),
    [
        ("<p>\n  <b>Un</b>\n  <i>Deux</i>\n</p>\n", "<p><b>Un</b><i>Deux</i></p>"),
        (
            "{% if x %}\n  {{ x }}\n\n  {% icon 'x' %}\n{% endif %}",
            "{% if x %}{{ x }}{% icon 'x' %}{% endif %}",
        ),
        ("<b>Un</b> <i>Deux</i>", "<b>Un</b> <i>Deux</i>"),
        ("<p>\n  deux\n  mots\n</p>", "<p>deux mots</p>"),
        ("<p>\n  PRM {{ prm }}\n</p>", "<p>PRM {{ prm }}</p>"),
        ("<p>un\u00a0\n</p>", "<p>un\u00a0</p>"),
        ("un\r\n\t deux", "un deux"),
    ],
)
def test_a_line_break_is_a_space_between_words_alone(laid_out: str, read: str) -> None:
    assert joined(laid_out) == read


@pytest.mark.parametrize(
    ("laid_out", "read"),
    [
        ('<a\n  class="go"\n  href="/"\n>', '<a class="go" href="/">'),
        ('<input\n  name="x"\n/>', '<input name="x"/>'),
        ("<p\n  {% if x %}hidden{% endif %}\n>", "<p {% if x %}hidden{% endif %}>"),
        (
            '<p title="{% if a > b %}x{% endif %}"\n  id="y">\n  z',
            '<p title="{% if a > b %}x{% endif %}" id="y">z',
        ),
        ("<p title='a > b\n  c'\n>", "<p title='a > b\n  c'>"),
        ("1 < 2\net 3", "1 < 2 et 3"),
    ],
)
def test_a_line_break_between_attributes_is_a_space_and_one_in_a_value_stays(
    laid_out: str, read: str
) -> None:
    assert joined(laid_out) == read


def test_sentences_are_left_to_django() -> None:
    forms = "\n  {{ n }}\n  jour\n  {% plural %}\n  jours\n"
    said = f"{{% blocktranslate trimmed count n=n %}}{forms}{{% endblocktranslate %}}"
    assert joined(f'<p\n  title="{said}"\n>\n  {said}\n</p>') == f'<p title="{said}">{said}</p>'


def test_pages_are_read_so_and_letters_as_they_are(tmp_path: Path, settings) -> None:
    for name in ("page.html", "letter.txt"):
        (tmp_path / name).write_text("{{ x }}\n{{ x }}\n", encoding="utf-8")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    said = {
        name: engines["django"].get_template(name).render({"x": "1"}) for name in ("page.html", "letter.txt")
    }
    assert said == {"page.html": "11", "letter.txt": "1\n1\n"}
