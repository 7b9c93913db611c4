"""A token's name."""

from django import forms
from django.utils.translation import gettext_lazy as _

from gridgate.directory.operations.tokens import LONGEST_NAME
from gridgate.portal.kit.forms import LineField


class TokenForm(forms.Form):
    name = LineField(
        label=_("Nom du jeton"),
        help_text=_(
            "Celui de l’annuaire qui l’emploie, par exemple « Entra ID » : l’historique le nomme ainsi."
        ),
        max_length=LONGEST_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
