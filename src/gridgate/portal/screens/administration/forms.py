"""The file that the operator sends."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gridgate.metering.models import RegisterImport
from gridgate.portal.kit import formats

LARGEST = 20 * 1024 * 1024
"""Bytes; some 200,000 lines."""


class UploadForm(forms.Form):
    kind = forms.ChoiceField(
        label=gettext_lazy("Ce que le fichier décrit"),
        choices=[
            (RegisterImport.Kind.POINTS.value, gettext_lazy("Des points de comptage")),
            (RegisterImport.Kind.HOLDERS.value, gettext_lazy("Leurs titulaires")),
        ],
        widget=forms.RadioSelect,
    )
    file = forms.FileField(
        label=gettext_lazy("Fichier CSV ou XLSX"),
        help_text=gettext_lazy(
            "Classeur, ou texte séparé par « ; » ou « , ». Rien n’est importé avant votre accord."
        ),
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx,text/csv"}),
    )

    def clean_file(self) -> Any:
        sent = self.cleaned_data["file"]
        if sent.size > LARGEST:
            size = formats.number(sent.size / 1024**2, 1)
            raise forms.ValidationError(
                _("Le fichier pèse %(size)s Mio, 20 au plus. Coupez-le en plusieurs."), params={"size": size}
            )
        return sent
