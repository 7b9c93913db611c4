"""What was saved while a form was open is told as the form says it."""

from django import forms

from gridgate.portal.kit import formats
from gridgate.portal.kit.meanwhile import differing

CHOICES = [("", "Choisissez"), ("hv", "Haute tension"), ("lv", "Basse tension")]


class AForm(forms.Form):
    name = forms.CharField(label="Nom")
    level = forms.ChoiceField(label="Niveau", choices=CHOICES)
    uses = forms.MultipleChoiceField(label="Usages", choices=CHOICES[1:])


def test_what_differs_is_told_in_the_words_of_the_form() -> None:
    typed = AForm({"name": " ACME ", "level": "", "uses": ["lv", "hv"]})
    saved = AForm(initial={"name": "ACME", "level": "hv", "uses": ["hv"]})
    assert differing(typed, saved) == [("Niveau", "Haute tension"), ("Usages", "Haute tension")]


def test_what_is_saved_empty_is_told_too_and_an_order_is_no_difference() -> None:
    typed = AForm({"name": "ACME", "level": "lv", "uses": ["lv", "hv"]})
    saved = AForm(initial={"name": "", "level": "", "uses": ["hv", "lv"]})
    assert differing(typed, saved) == [("Nom", formats.NONE), ("Niveau", formats.NONE)]
