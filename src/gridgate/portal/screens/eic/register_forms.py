"""The forms of the register of EIC codes: its filters, and what the staff record, change and link."""

from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gridgate.core.identifiers import InvalidIdentifier
from gridgate.eic.codes import examine
from gridgate.eic.form import ALL_TYPES
from gridgate.eic.models import EicCode
from gridgate.eic.operations.register import fault_of_reference
from gridgate.eic.queries import EicFilter
from gridgate.organisations.models import Organisation
from gridgate.organisations.queries import OrganisationNotFound, organisation_by_siren
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import LineField
from gridgate.portal.kit.shapes import Filter, filters_in_force
from gridgate.portal.screens.eic import code_faults
from gridgate.portal.screens.eic.forms import TypeLabel

_ALL, _ANY = ("", gettext_lazy("Tous")), ("", gettext_lazy("Toutes"))


class RegisterFilters(forms.Form):
    """Above the register. A value that makes no sense narrows nothing."""

    q = LineField(
        label=gettext_lazy("Rechercher"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": gettext_lazy("code ou nom")}),
    )
    type = forms.ChoiceField(
        label=gettext_lazy("Type"),
        required=False,
        choices=[_ALL, *((letter, TypeLabel(letter)) for letter in ALL_TYPES)],
    )
    etat = forms.ChoiceField(
        label=gettext_lazy("État"),
        required=False,
        choices=[_ALL, ("actif", gettext_lazy("Actifs")), ("desactive", gettext_lazy("Désactivés"))],
    )

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.is_valid()

    @property
    def wanted(self) -> EicFilter:
        cleaned = self.cleaned_data
        return EicFilter(
            text=cleaned.get("q", ""),
            type=cleaned.get("type", ""),
            active={"actif": True, "desactive": False}.get(cleaned.get("etat", "")),
            source=cleaned.get("origine", ""),
            company=cleaned.get("entreprise", ""),
        )

    @property
    def hint(self) -> str:
        """What is wrong with the code that is looked for, if it looks like one."""
        return code_faults.hint(self.cleaned_data.get("q", ""))

    def in_force(self, request: HttpRequest) -> list[Filter]:
        labels = {}
        for name, field in self.fields.items():
            value = self.cleaned_data.get(name, "")
            if value and isinstance(field, forms.ChoiceField):
                labels[name] = str(dict(field.choices)[value])  # type: ignore[arg-type]
            elif value:
                labels[name] = formats.quoted(value)
        return filters_in_force(request, labels)


class StaffFilters(RegisterFilters):
    """The operator's own, with where a code comes from and whose it is."""

    origine = forms.ChoiceField(
        label=gettext_lazy("Origine"), required=False, choices=[_ANY, *EicCode.Source.choices]
    )
    entreprise = LineField(
        label=gettext_lazy("Entreprise"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("nom ou SIREN")}),
    )


class CompanyField(LineField):
    """A SIREN; cleaned, the company that has it here, or None when it is left empty."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
        super().__init__(label=gettext_lazy("SIREN de l’entreprise"), widget=widget, **kwargs)

    def clean(self, value: Any) -> Organisation | None:
        text = str(super().clean(value))
        if not text:
            return None
        try:
            return organisation_by_siren(text)
        except OrganisationNotFound:
            raise forms.ValidationError(_("Aucune entreprise n’a ce SIREN ici.")) from None
        except InvalidIdentifier:
            raise forms.ValidationError(_("Ce n’est pas un SIREN : 9 chiffres, dont une clé.")) from None


class AddForm(forms.Form):
    """A code that another office issued."""

    code = LineField(
        label=gettext_lazy("Code EIC"),
        help_text=gettext_lazy("16 caractères, tel que publié."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    display_name = LineField(label=gettext_lazy("Nom d’affichage"), max_length=16)
    long_name = LineField(label=gettext_lazy("Nom complet"), max_length=70)
    responsible_party = LineField(label=gettext_lazy("Acteur responsable"), required=False)
    parent = LineField(label=gettext_lazy("Code parent"), required=False)
    company = CompanyField(
        required=False, help_text=gettext_lazy("Rattache le code à l’entreprise. Un code X devient le sien.")
    )

    def clean_code(self) -> str:
        examined = examine(self.cleaned_data["code"])
        if not examined.recordable_by(settings.ENVIRONMENT.eic_office):
            raise forms.ValidationError(code_faults.fault(examined))
        if EicCode.objects.filter(pk=examined.code).exists():
            raise forms.ValidationError(_("Le registre a déjà ce code."))
        return examined.code

    def clean_parent(self) -> str:
        return self._other("parent")

    def clean_responsible_party(self) -> str:
        return self._other("responsible_party")

    def _other(self, name: str) -> str:
        text = self.cleaned_data[name]
        if text and (wrong := fault_of_reference(text)):
            raise forms.ValidationError(code_faults.fault(wrong))
        return examine(text).code


class StatusForm(forms.Form):
    """Why a code is deactivated or reactivated."""

    prefix = "etat"
    reason = LineField(
        label=gettext_lazy("Motif"),
        max_length=300,
        help_text=gettext_lazy("Gardé dans l’historique, que l’entreprise rattachée lit aussi."),
    )


class LinkForm(forms.Form):
    """Which company has a code."""

    prefix = "lien"
    company = CompanyField(required=False, help_text=gettext_lazy("Vide : plus aucune entreprise."))
