"""Finding, typesetting and compiling messages."""

import gettext
import os

import pytest

from tools import messages


@pytest.mark.parametrize(
    ("typed", "set_"),
    [
        ("Résilier tous les partages ?", "Résilier tous les partages\u202f?"),
        ("Rien n'est lu ; tout est gardé", "Rien n’est lu\u202f; tout est gardé"),
        ("Aucun compteur pour « Lile »", "Aucun compteur pour «\u00a0Lile\u00a0»"),
        ("Il manque un chiffre : 13 saisis", "Il manque un chiffre\u00a0: 13 saisis"),
        ("1 204 compteurs, 250 kW", "1\u202f204 compteurs, 250\u00a0kW"),
        ("Semaine du 9 au 15", "Semaine du 9 au 15"),
    ],
)
def test_typography(typed, set_) -> None:
    assert messages.typeset(typed) == set_
    assert messages.typeset(set_) == set_


def test_typography_reaches_the_source_also_after_a_value(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(messages, "PACKAGE", tmp_path)
    path = tmp_path / "page.html"
    path.write_text(
        "{% blocktranslate %}Résilier {{ name }} ? Oui : 200 %.{% endblocktranslate %}{{ x }} ?", "utf-8"
    )
    monkeypatch.setattr(messages, "sources", lambda: [path])
    messages.typeset_all()
    assert path.read_text("utf-8") == (
        "{% blocktranslate %}Résilier {{ name }}\u202f? Oui\u00a0: 200\u202f%.{% endblocktranslate %}{{ x }} ?"
    )


def test_typography_reaches_a_sentence_of_several_lines(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(messages, "PACKAGE", tmp_path)
    path = tmp_path / "page.html"
    path.write_text(
        "{% blocktranslate trimmed %}\n  Rien n'est\n  lu ; tout\n  : gardé\n{% endblocktranslate %}", "utf-8"
    )
    monkeypatch.setattr(messages, "sources", lambda: [path])
    messages.typeset_all()
    assert path.read_text("utf-8") == (
        "{% blocktranslate trimmed %}\n  Rien n’est lu\u202f; tout\u00a0: gardé\n{% endblocktranslate %}"
    )


def found(tmp_path, monkeypatch, name: str, text: str) -> list[object]:
    monkeypatch.setattr(messages, "PACKAGE", tmp_path)
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return [message.text for message in messages.messages_of(path)]


def test_messages_of_a_template(tmp_path, monkeypatch) -> None:
    source = """{% translate "L’année" %}<b title="{% translate 'Ouvrir' %}">{% tag "good" _("Actif") %}</b>
    {% blocktranslate trimmed with name=x|upper %}
      Bonjour {{ name }},
      merci.
    {% endblocktranslate %}
    {% blocktranslate count n=lines|length %}une ligne{% plural %}{{ n }} lignes{% endblocktranslate %}"""
    assert found(tmp_path, monkeypatch, "page.html", source) == [
        "L’année",
        "Ouvrir",
        "Actif",
        "Bonjour %(name)s, merci.",
        ("une ligne", "%(n)s lignes"),
    ]


def test_messages_of_python(tmp_path, monkeypatch) -> None:
    source = 'from x import gettext as _, ngettext\n_("Un")\nngettext("%(n)s mois", "%(n)s mois passés", 2)\n'
    assert found(tmp_path, monkeypatch, "views.py", source) == ["Un", ("%(n)s mois", "%(n)s mois passés")]


def test_french_counts_nothing_as_singular(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "locale" / "en" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        '"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
        'msgid "%(n)s compteur"\nmsgid_plural "%(n)s compteurs"\n'
        'msgstr[0] "%(n)s meter"\nmsgstr[1] "%(n)s meters"\n',
        encoding="utf-8",
    )
    monkeypatch.setattr(messages, "locale_paths", lambda: [tmp_path / "locale"])
    assert messages.compile_all() == 2
    assert messages.compile_all() == 0, "nothing changed"
    french, english = (
        gettext.translation("django", tmp_path / "locale", languages=[language]) for language in ("fr", "en")
    )

    def said(catalog, count: int) -> str:
        return catalog.ngettext("%(n)s compteur", "%(n)s compteurs", count) % {"n": count}

    assert [said(french, count) for count in (0, 1, 2)] == ["0 compteur", "1 compteur", "2 compteurs"]
    assert [said(english, count) for count in (0, 1)] == ["0 meters", "1 meter"]


def test_a_catalog_takes_its_place_whole(tmp_path, monkeypatch) -> None:
    """Whoever has the old one open reads it to its end: a new file takes its name."""
    folder = tmp_path / "locale" / "en" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    po, mo = folder / "django.po", folder / "django.mo"
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    po.write_text(header + 'msgid "un"\nmsgstr "one"\n', encoding="utf-8")
    monkeypatch.setattr(messages, "locale_paths", lambda: [tmp_path / "locale"])
    messages.compile_all()
    with mo.open("rb") as reader:
        po.write_text(header + 'msgid "un"\nmsgstr "another"\n', encoding="utf-8")
        os.utime(po, ns=(mo.stat().st_mtime_ns + 1,) * 2)
        messages.compile_all()
        assert b"one" in reader.read()
    assert b"another" in mo.read_bytes()
    assert sorted(path.name for path in folder.iterdir()) == ["django.mo", "django.po"]
