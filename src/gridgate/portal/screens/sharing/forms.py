"""Forms of the screens about sharing."""

from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gridgate.organisations.folding import company_named_like
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import LineField
from gridgate.portal.kit.searching import LONGEST
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.sharing.models import Permission
from gridgate.sharing.queries.permissions import ended, in_force


class TerminateForm(forms.Form):
    """Why an eligible party gives a permission back; the holder reads it."""

    reason = LineField(
        label=gettext_lazy("Motif"),
        required=False,
        max_length=300,
        help_text=gettext_lazy("Transmis au titulaire tel quel."),
    )


class ReceivedFilters(forms.Form):
    """Which of the permissions received to show. An unknown value narrows nothing."""

    q = LineField(
        label=gettext_lazy("Titulaire"),
        required=False,
        max_length=LONGEST,
        widget=forms.TextInput(attrs={"placeholder": gettext_lazy("nom ou SIREN")}),
    )
    state = forms.ChoiceField(
        label=gettext_lazy("État"),
        required=False,
        choices=[
            ("", gettext_lazy("En cours et terminées")),
            ("in_force", gettext_lazy("En cours")),
            ("ended", gettext_lazy("Terminées")),
        ],
    )

    def apply(self, permissions: QuerySet[Permission], moment: Moment) -> QuerySet[Permission]:
        self.is_valid()
        text, state = self.cleaned_data.get("q", "").strip(), self.cleaned_data.get("state")
        if text:
            digits = "".join(text.split())
            permissions = permissions.filter(
                company_named_like(text, "holder") | Q(holder__siren__startswith=digits)
            )
        if state == "in_force":
            return in_force(permissions, now=moment.now)
        if state == "ended":
            return ended(permissions, now=moment.now)
        return permissions

    def labels(self) -> dict[str, str]:
        """How each filter in force reads on its tag."""
        states = {"in_force": _("En cours"), "ended": _("Terminées")}
        return {
            "q": formats.quoted(self.data.get("q", "")),
            "state": states.get(self.data.get("state", ""), ""),
        }
