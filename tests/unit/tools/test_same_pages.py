"""What counts as the same page."""

import pytest

from tools.same_pages import differences


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<p>Un <b>deux</b></p>\n<p>trois</p>", "<p>\n  Un <b>deux</b>\n</p><p>trois</p>"),
        ('<a class="x" href="/">y</a>', '<a\n href="/"\n class="x" >y</a>'),
        ('<input name="csrfmiddlewaretoken" value="a">', '<input name="csrfmiddlewaretoken" value="b">'),
    ],
)
def test_layout_is_no_difference(before: str, after: str) -> None:
    assert list(differences("page.html", before, after)) == []


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("page.html", "<p><b>Un</b> <i>deux</i></p>", "<p><b>Un</b><i>deux</i></p>"),
        ("page.html", "<p>Un\u00a0deux</p>", "<p>Un deux</p>"),
        ("page.html", '<p class="a">x</p>', '<p class="b">x</p>'),
        ("page.html", "<pre>a b</pre>", "<pre>a  b</pre>"),
        ("page.html", "<p>x</p>", "<p>x</p><p></p>"),
        ("letter.txt", "a\n\nb", "a\nb"),
    ],
)
def test_what_a_reader_meets_is_one(name: str, before: str, after: str) -> None:
    assert len(list(differences(name, before, after))) == 1
