"""What a person types about themselves."""

from typing import Any

from allauth.account.forms import LoginForm
from django import forms
from django.contrib.auth.forms import PasswordChangeForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from gridgate.core.text import address
from gridgate.organisations.models import User
from gridgate.portal.kit.forms import AddressField, LineField
from gridgate.portal.kit.new_password import label_new_password
from gridgate.portal.shell.time_zone import zone_choices


class SignInForm(LoginForm):  # type: ignore[misc]  # the library has no types
    """Address and password. Whatever is wrong with the pair is told under the password, in the same words."""

    user: User

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = AddressField(
            label=_("Adresse e-mail"), widget=forms.EmailInput(attrs={"autocomplete": "username"})
        )
        password = self.fields["password"]
        password.label = _("Mot de passe")
        password.widget = forms.PasswordInput(attrs={"autocomplete": "current-password"})
        password.help_text = ""

    def clean(self) -> dict[str, Any]:
        try:
            super().clean()
            if self.user:
                self._require_open_account()
        except ValidationError as error:
            self.add_error("password", error)
        cleaned: dict[str, Any] = self.cleaned_data
        return cleaned

    def _require_open_account(self) -> None:
        # Only whoever knows the password is told so.
        if not self.user.is_active:
            raise ValidationError(_("Ce compte est fermé. Adressez-vous à votre gestionnaire de réseau."))


class ForgottenPasswordForm(forms.Form):
    email = AddressField(
        label=_("Adresse e-mail"), widget=forms.EmailInput(attrs={"autocomplete": "username"})
    )


class ChangedPasswordForm(PasswordChangeForm):
    """A password changed by someone who knows the present one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].label = _("Mot de passe actuel")
        self.fields["old_password"].widget.attrs.pop("autofocus", None)
        label_new_password(self)


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """What a person says of themselves."""

    time_zone = forms.ChoiceField(
        label=_("Fuseau horaire"),
        required=False,
        choices=zone_choices,
        help_text=_(
            "Celui des heures affichées\u00a0: connexions, historique, dernières lectures. "
            "Les mesures, le journal des accès et les reçus restent à l’heure du réseau."
        ),
        error_messages={"invalid_choice": _("Choisissez un fuseau de la liste.")},
    )

    class Meta:
        model = User
        fields = ["full_name", "language", "time_zone"]
        field_classes = {"full_name": LineField}
        labels = {"full_name": _("Nom"), "language": _("Langue")}
        help_texts = {"language": _("Celle des pages et des e-mails que vous recevez.")}
        widgets = {"full_name": forms.TextInput(attrs={"autocomplete": "name"})}


class DeletionForm(forms.Form):
    """Closing an account asks for its address: nobody types that by mistake."""

    email = LineField(
        label=_("Votre adresse e-mail, pour confirmer"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._address = user.email

    def clean_email(self) -> str:
        typed = address(str(self.cleaned_data["email"]))
        if typed != address(self._address):
            raise ValidationError(_("Ce n’est pas l’adresse de ce compte."))
        return typed
