"""What a person types to open an account, and the tick under the general terms."""

from typing import Any

from django import forms
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gridgate.onboarding.models import GeneralTerms
from gridgate.organisations.models import User
from gridgate.portal.kit.formats import long_day
from gridgate.portal.kit.forms import AddressField, LineField
from gridgate.portal.kit.new_password import NewPasswordForm

UNTICKED = gettext_lazy("Cochez la case pour continuer.")


class TermsForm(forms.Form):
    """The tick under the terms in force, and which version was shown beside it."""

    terms = forms.BooleanField(error_messages={"required": UNTICKED})
    version = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, terms: GeneralTerms | None, shown: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._terms = terms
        add_terms(self, terms, shown=shown)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        refuse_other_version(self, self._terms)
        return cleaned


class ActivationForm(NewPasswordForm):
    """The password of a new account, and the tick."""

    terms = forms.BooleanField(error_messages={"required": UNTICKED})
    version = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, user: User, *args: Any, terms: GeneralTerms | None, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self._terms = terms
        self.fields["new_password1"].label = gettext_lazy("Mot de passe")
        add_terms(self, terms)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        refuse_other_version(self, self._terms)
        return cleaned


class SignUpForm(forms.Form):
    email = AddressField(
        label=gettext_lazy("Adresse e-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    full_name = LineField(
        label=gettext_lazy("Nom"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Langue"),
        choices=[("fr", "Français"), ("en", "English")],
    )


def add_terms(form: forms.Form, terms: GeneralTerms | None, *, shown: bool = False) -> None:
    """Word the tick for the version in force, with a link to it unless it is `shown` on the page; without one
    there is nothing to tick.
    """
    if terms is None:
        del form.fields["terms"], form.fields["version"]
        return
    form.fields["version"].initial = terms.version
    tick = form.fields["terms"]
    tick.label = _("J’accepte les conditions générales d’utilisation, version %(version)s du %(day)s") % {
        "version": terms.version,
        "day": long_day(terms.published_at),
    }
    if shown:
        return
    tick.help_text = format_html(
        '<a href="{}" target="_blank" rel="noopener">{}</a>',
        reverse("terms"),
        _("Lire les conditions (nouvel onglet)"),
    )


def refuse_other_version(form: forms.Form, terms: GeneralTerms | None) -> None:
    """A version published while the page was open was not read."""
    if terms is not None and "terms" not in form.errors and form.cleaned_data["version"] != terms.version:
        unticked = {name: value for name, value in form.data.items() if name != "terms"}
        form.data = unticked | {"version": terms.version}
        form.add_error("terms", _("Une nouvelle version vient de paraître : lisez-la et cochez de nouveau."))
