"""How templates are laid out, and what that never changes."""

import pytest

from tools.templates.__main__ import faults_of, main
from tools.templates.laying_out import LIMIT, WIDTH, letter, meaning, page, signs

LONG = "Un mot après l’autre, et encore un autre, jusqu’à ce que la ligne n’ait plus de place pour eux tous ensemble"


def test_one_thing_a_line() -> None:
    source = (
        '<ul class="todo">{% for one in all %}<li>{% icon "right" %}{{ one }}</li>'
        "{% empty %}<li>–</li>{% endfor %}</ul>"
    )
    assert page(source).splitlines() == [
        '<ul class="todo">',
        "  {% for one in all %}",
        '    <li>{% icon "right" %}{{ one }}</li>',
        "  {% empty %}",
        "    <li>–</li>",
        "  {% endfor %}",
        "</ul>",
    ]


def test_a_tag_with_an_end_is_one_that_has_it_in_the_template() -> None:
    source = '{% td "" %}<form method="post">{% csrf_token %}<button>{% translate "Finir" %}</button></form>{% endtd %}'
    assert page(source).splitlines() == [
        '{% td "" %}',
        '  <form method="post">',
        "    {% csrf_token %}",
        '    <button>{% translate "Finir" %}</button>',
        "  </form>",
        "{% endtd %}",
    ]


def test_a_space_within_a_line_stays_in_one() -> None:
    one, another = (f'href="/{sign * 60}"' for sign in "ab")
    source = f'<p><a {one}>{{% translate "Un" %}}</a> <a {another}>{{% translate "Deux" %}}</a></p>'
    assert page(source).splitlines() == [
        "<p>",
        f'  <a {one}>{{% translate "Un" %}}</a> <a',
        f"    {another}",
        "  >",
        '    {% translate "Deux" %}',
        "  </a>",
        "</p>",
    ]


def test_what_begins_with_a_space_begins_on_the_line_before() -> None:
    source = f'<span class="vh"> {{% filter elided %}}{{% translate "{LONG}" %}}{{% endfilter %}}</span>'
    assert page(source).splitlines() == [
        '<span class="vh"> {% filter elided %}',
        "  {% blocktranslate trimmed %}",
        "    Un mot après l’autre, et encore un autre, jusqu’à ce que la ligne n’ait plus de place pour eux tous",
        "    ensemble",
        "  {% endblocktranslate %}",
        "{% endfilter %}</span>",
    ]


def test_a_sentence_that_is_too_long_is_broken_at_its_spaces_with_the_same_message() -> None:
    laid = page(f'<p>{{% translate "{LONG}\u202f; {LONG}" %}}</p>')
    assert "{% blocktranslate trimmed %}" in laid
    assert "ensemble\u202f;" in laid
    assert all(len(line) <= WIDTH for line in laid.splitlines())


def test_attributes_stand_one_a_line_where_they_are_many() -> None:
    source = (
        '<input type="checkbox" name="point" value="{{ row.id }}" aria-label="{% blocktranslate trimmed with x=y %}'
        'Choisir {{ x }}{% endblocktranslate %}"{% if ticked %} checked disabled{% endif %} '
        'data-a="{% if a %}b{% endif %}">'
    )
    assert page(source).splitlines() == [
        "<input",
        '  type="checkbox"',
        '  name="point"',
        '  value="{{ row.id }}"',
        '  aria-label="{% blocktranslate trimmed with x=y %}Choisir {{ x }}{% endblocktranslate %}"',
        "  {% if ticked %}checked disabled{% endif %}",
        '  data-a="{% if a %}b{% endif %}"',
        ">",
    ]


def test_a_condition_within_a_value_gets_no_space() -> None:
    current = 'aria-current="{% if a %}page{% else %}true{% endif %}"'
    source = f'<a href="{"x" * 90}"{{% if here %}} {current}{{% endif %}}>'
    assert f"  {{% if here %}}{current}{{% endif %}}\n" in page(source)


def test_what_is_within_pre_and_textarea_stays() -> None:
    source = f'<textarea name="{"x" * 99}" rows="4">{{{{ a }}}} {{{{ b }}}}</textarea>'
    assert page(source).splitlines()[-1] == ">{{ a }} {{ b }}</textarea>"


def test_an_element_may_end_in_another_branch_than_it_begins_in() -> None:
    source = (
        '{% if url %}<a href="{{ url }}">{% else %}<b>{% endif %}x{% if url %}</a>{% else %}</b>{% endif %}\n'
    )
    assert page(source) == source


def test_sentences_with_a_plural_keep_both_forms() -> None:
    source = (
        "{% blocktranslate count n=n with count=n|num %}{{ count }} compteur que personne ne lit{% plural %}"
        "{{ count }} compteurs que personne ne lit{% endblocktranslate %}"
    )
    assert page(source).splitlines() == [
        "{% blocktranslate trimmed count n=n with count=n|num %}",
        "  {{ count }} compteur que personne ne lit",
        "  {% plural %}",
        "  {{ count }} compteurs que personne ne lit",
        "{% endblocktranslate %}",
    ]


def test_a_long_comment_becomes_several() -> None:
    lines = page(f"{{# {LONG} {LONG} #}}<p>x</p>").splitlines()
    assert [line[:2] + line[-2:] for line in lines[:-1]] == ["{##}"] * (len(lines) - 1)
    assert page("\n".join(lines)).splitlines() == lines


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("<b>a</b> <i>b</i>", "<b>a</b>\n<i>b</i>"),
        ('<p title="a b">', '<p title="ab">'),
        ('{% translate "a" %}', '{% translate "b" %}'),
        ("<clipPath></clipPath>", "<clippath></clippath>"),
    ],
)
def test_what_says_something_else_is_seen(one: str, another: str) -> None:
    assert (meaning(one), signs(one)) != (meaning(another), signs(another))


def test_what_is_laid_out_stays_as_it_is() -> None:
    sources = [
        f'<div class="a"><p>{{% translate "{LONG}" %}} <a href="/">x</a>.</p>{{{{ a }}}}, {{{{ b }}}}</div>'
    ]
    laid = [page(source) for source in sources]
    assert [page(source) for source in laid] == laid
    assert [meaning(source) for source in laid] == [meaning(source) for source in sources]


def test_a_letter_is_broken_within_its_sentences_alone() -> None:
    source = f'{{% if a %}}{{% translate "{LONG}" %}}{{% else %}}{{{{ b }}}}{{% endif %}}\n\n  {{{{ c }}}}\n'
    assert letter(source) == (
        "{% if a %}{% blocktranslate trimmed %}\n"
        "  Un mot après l’autre, et encore un autre, jusqu’à ce que la ligne n’ait plus de place pour eux tous ensemble\n"
        "{% endblocktranslate %}{% else %}{{ b }}{% endif %}\n\n  {{ c }}\n"
    )
    assert letter(letter(source)) == letter(source)


def test_a_tag_without_its_end_is_refused() -> None:
    with pytest.raises(ValueError, match="has no end"):
        page("{% if a %}<p>{% if b %}{% endif %}</p>")


def test_a_line_without_a_place_to_break_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("tools.templates.__main__.PACKAGE", tmp_path)
    path = tmp_path / "page.html"
    path.write_text(f'<p class="{"x" * LIMIT}">a</p>\n', encoding="utf-8")
    assert [fault.partition(" signs")[0] for fault in faults_of(path, write=True)] == [
        f"page.html:2: {LIMIT + 10}"
    ]
    assert main(["--check"]) == 1
