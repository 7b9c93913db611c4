"""What a person types about the security of their account."""

from django import forms
from django.utils.translation import gettext_lazy as _

from gridgate.accounts.security.factors import LONGEST_NAME
from gridgate.portal.guards.step_up import CODE
from gridgate.portal.kit.forms import LineField


class CodeInput(forms.TextInput):
    """Digits that can be pasted, with spaces or without, and that telephones fill in."""

    def __init__(self, digits: int) -> None:
        super().__init__(
            attrs={
                "class": "otp",
                "inputmode": "numeric",
                "autocomplete": "one-time-code",
                "maxlength": digits + 10,
                "autocapitalize": "off",
                "spellcheck": "false",
            }
        )


class ProofForm(forms.Form):
    """The code before a sensitive act; empty, with what was wrong with the one before."""

    def __init__(self, *, refusal: str, by_email: bool, by_totp: bool) -> None:
        super().__init__(data={} if refusal else None)
        if by_email:
            label = _("Code reçu, ou de votre application") if by_totp else _("Code à usage unique")
        else:
            label = _("Code de votre application, ou de secours") if by_totp else _("Code de secours")
        self.fields[CODE] = LineField(
            label=label,
            help_text=_("Vous pouvez coller le code."),
            widget=CodeInput(8),
            error_messages={"required": refusal},
        )


class SignInCodeForm(forms.Form):
    """The second factor at sign-in."""

    code = LineField(
        label=_("Code à usage unique"),
        help_text=_("Six chiffres de votre application, ou douze de vos codes de secours."),
        widget=CodeInput(6),
    )


class TotpForm(forms.Form):
    """What the application shows once it knows the key."""

    code = LineField(
        label=_("Code que montre l’application"),
        help_text=_("Six chiffres, qui changent toutes les 30 secondes."),
        widget=CodeInput(6),
    )


class KeyForm(forms.Form):
    """A key's name, for its owner to know it again."""

    name = LineField(
        label=_("Nom de la clé"),
        help_text=_("Pour la reconnaître : « Téléphone », « Clé du trousseau »."),
        max_length=LONGEST_NAME,
    )
