"""A new password, typed twice, wherever one is chosen."""

from typing import Any

from django import forms
from django.contrib.auth.forms import SetPasswordForm
from django.utils.translation import gettext_lazy as _

PASSWORD_HELP = _("12 caractères au moins. Une phrase se retient mieux qu’un mot compliqué.")


class NewPasswordForm(SetPasswordForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A password chosen through the link of an e-mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        label_new_password(self)


def label_new_password(form: forms.Form) -> None:
    form.fields["new_password1"].label = _("Nouveau mot de passe")
    form.fields["new_password1"].help_text = PASSWORD_HELP
    form.fields["new_password2"].label = _("Le même, une seconde fois")
    form.fields["new_password2"].help_text = ""
