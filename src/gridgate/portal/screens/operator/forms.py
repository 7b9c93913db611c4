"""What the operator records of a company: its identity, its contracts, who administers it first."""

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from gridgate.core.identifiers import InvalidIdentifier, parse_siren
from gridgate.organisations.models import Contract, Organisation
from gridgate.organisations.operations.companies import InvalidDomain, parse_domains
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import AddressField, DayField, LineField
from gridgate.portal.screens.operator.company_roles import role_choices


def clean_siren(text: str) -> str:
    """The nine digits. Raises `ValidationError` saying how many there are, or that they do not check."""
    try:
        return parse_siren(text)
    except InvalidIdentifier:
        digits = [char for char in text if not char.isspace() and char != "."]
        if not all(char.isdigit() for char in digits):
            raise forms.ValidationError(_("Un SIREN n’a que des chiffres.")) from None
        if len(digits) != 9:
            said = ngettext("%(count)s chiffre saisi sur 9.", "%(count)s chiffres saisis sur 9.", len(digits))
            raise forms.ValidationError(said, params={"count": formats.number(len(digits))}) from None
        raise forms.ValidationError(
            _("La clé de ce SIREN ne convient pas : vérifiez chaque chiffre.")
        ) from None


class CompanyForm(forms.Form):
    """A company that is known already: its SIREN is what it is known by, and stays."""

    field_order = ["legal_name", "contact_email", "contact_url", "email_domains", "roles"]

    legal_name = LineField(label=gettext_lazy("Raison sociale"), max_length=200)
    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Rôles sur le réseau"),
        choices=role_choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy(
            "Décident des services proposés. Aucun : ceux qui sont ouverts à toutes les entreprises."
        ),
    )
    contact_email = AddressField(
        label=gettext_lazy("Adresse de contact"),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    contact_url = forms.URLField(label=gettext_lazy("Page de contact"), required=False, assume_scheme="https")
    email_domains = LineField(
        label=gettext_lazy("Domaines de ses adresses e-mail"),
        required=False,
        max_length=2000,
        help_text=gettext_lazy(
            "Son annuaire n’ajoute que des adresses de ces domaines. N’inscrivez que ceux qu’elle administre,"
            " séparés par des espaces."
        ),
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "placeholder": "exemple.fr", "spellcheck": "false"}
        ),
    )

    def clean_email_domains(self) -> list[str]:
        try:
            return parse_domains(
                self.cleaned_data["email_domains"].replace(",", " ").replace(";", " ").split()
            )
        except InvalidDomain as refused:
            said = _("« %(text)s » n’est pas un domaine : écrivez ce qui suit l’arobase, comme exemple.fr.")
            raise forms.ValidationError(said, params={"text": refused.text}) from None

    @classmethod
    def of(cls, company: Organisation, data: Any = None) -> "CompanyForm":
        return cls(
            data,
            initial={
                "legal_name": company.legal_name,
                "roles": company.roles,
                "contact_email": company.contact_email,
                "contact_url": company.contact_url,
                "email_domains": " ".join(company.email_domains),
            },
        )


class NewCompanyForm(CompanyForm):
    siren = LineField(
        label=gettext_lazy("SIREN"),
        max_length=20,
        help_text=gettext_lazy("9 chiffres ; il ne change plus ensuite."),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    field_order = ["legal_name", "siren", "contact_email", "contact_url", "email_domains", "roles"]

    def clean_siren(self) -> str:
        return clean_siren(self.cleaned_data["siren"])


class ContractForm(forms.Form):
    number = LineField(label=gettext_lazy("Numéro du contrat"), max_length=40)
    label = LineField(
        label=gettext_lazy("Objet"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("Tel que l’entreprise le lira."),
    )
    valid_from = DayField(label=gettext_lazy("Premier jour"))
    last_day = DayField(
        label=gettext_lazy("Dernier jour"),
        required=False,
        help_text=gettext_lazy("Ce jour compris. Vide : sans terme."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        first, last = cleaned.get("valid_from"), cleaned.get("last_day")
        if isinstance(first, date) and isinstance(last, date) and last < first:
            self.add_error("last_day", _("Le dernier jour vient après le premier."))
        return cleaned


class ContractEndForm(forms.Form):
    last_day = DayField(
        label=gettext_lazy("Dernier jour du contrat"), help_text=gettext_lazy("Ce jour compris.")
    )

    def __init__(self, data: Any = None, *, contract: Contract, **more: Any) -> None:
        super().__init__(data, **more)
        self._contract = contract
        self.fields["last_day"].widget.attrs["min"] = contract.valid_from.isoformat()

    def clean_last_day(self) -> date:
        last: date = self.cleaned_data["last_day"]
        if last < self._contract.valid_from:
            said = _("Le contrat commence le %(day)s.") % {"day": formats.long_day(self._contract.valid_from)}
            raise forms.ValidationError(said)
        return last


class FirstAdministratorForm(forms.Form):
    full_name = LineField(label=gettext_lazy("Nom"), max_length=120)
    email = AddressField(
        label=gettext_lazy("Adresse e-mail"),
        help_text=gettext_lazy("Le lien d’activation y est envoyé. Elle ne change plus ensuite."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Langue de l’e-mail"),
        choices=[("fr", "Français"), ("en", "English")],
        initial="fr",
    )
