"""*Sécurité et conditions*: what is asked of whom beyond a password, and the general terms."""

import re
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from gridgate.accounts.models import SecurityPolicy, SensitiveAct
from gridgate.accounts.provider import provider_name
from gridgate.accounts.security.policy import (
    MOST_MINUTES,
    NotASecondFactor,
    ProviderFactors,
    checked_words,
    policy,
    policy_as_read,
    set_policy,
)
from gridgate.organisations.as_read import ChangedMeanwhile
from gridgate.portal.guards.access import MemberRequest, administrator_required, operator_required
from gridgate.portal.guards.step_up import ask
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import LineField
from gridgate.portal.kit.meanwhile import Meanwhile, differing
from gridgate.portal.screens.operator.reads import Concerned, people_by_role, versions_of_terms, who_last
from gridgate.portal.screens.sharing.moment import Moment

OF_PROVIDER = ("provider_amr", "provider_acr", "provider_minutes")
ROLES: dict[str, Any] = {
    "strong_for_operator": gettext_lazy("Votre personnel"),
    "strong_for_administrators": gettext_lazy("Les administrateurs des entreprises"),
    "strong_for_users": gettext_lazy("Les autres utilisateurs des entreprises"),
}


class PolicyForm(forms.Form):
    roles = forms.MultipleChoiceField(
        label=gettext_lazy("La double authentification est obligatoire pour"),
        choices=list(ROLES.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    acts = forms.MultipleChoiceField(
        label=gettext_lazy("Un code à usage unique est demandé avant de"),
        choices=SensitiveAct.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    provider_amr = LineField(
        label=gettext_lazy("Valeurs de « amr » qui disent qu’un second facteur a été vérifié"),
        help_text=gettext_lazy("Séparées par des espaces. Exemple : mfa"),
        max_length=1000,
        required=False,
    )
    provider_acr = LineField(
        label=gettext_lazy("Valeurs de « acr » qui le disent"),
        help_text=gettext_lazy(
            "Séparées par des espaces, la préférée d’abord. Le fournisseur est aussi prié de s’y tenir."
        ),
        max_length=1000,
        required=False,
    )
    provider_minutes = forms.IntegerField(
        label=gettext_lazy("Minutes, au plus, depuis la connexion chez ce fournisseur"),
        help_text=gettext_lazy(
            "Comptées au moment de la connexion au portail. Au-delà, le fournisseur est prié de reconnecter la personne. "
            "Vide : peu importe."
        ),
        min_value=1,
        max_value=MOST_MINUTES,
        required=False,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not provider_name():
            for name in OF_PROVIDER:
                del self.fields[name]

    @classmethod
    def of(cls, row: SecurityPolicy, data: Any = None) -> "PolicyForm":
        chosen = [name for name in ROLES if getattr(row, name)]
        initial = {"roles": chosen, "acts": row.step_up_acts}
        if row.provider_issuer == settings.ENVIRONMENT.oidc_issuer:  # of another one, nothing counts
            initial |= {
                "provider_amr": " ".join(row.provider_amr),
                "provider_acr": " ".join(row.provider_acr),
                "provider_minutes": row.provider_minutes,
            }
        return cls(data, initial=initial)

    def clean_provider_amr(self) -> list[str]:
        return self._words("provider_amr")

    def clean_provider_acr(self) -> list[str]:
        return self._words("provider_acr")

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("provider_minutes") and data.get("provider_amr") == data.get("provider_acr") == []:
            said = _("Dites d’abord par quelle valeur le fournisseur annonce un second facteur.")
            self.add_error("provider_minutes", said)
        return data

    @property
    def provider(self) -> ProviderFactors | None:
        """What counts of the provider; None without one: what was chosen stays."""
        if "provider_amr" not in self.fields:
            return None
        data = self.cleaned_data
        return ProviderFactors(
            str(settings.ENVIRONMENT.oidc_issuer),
            acr=tuple(data["provider_acr"]),
            amr=tuple(data["provider_amr"]),
            minutes=data["provider_minutes"],
        )

    def _words(self, name: str) -> list[str]:
        try:
            return checked_words(name, re.findall(r"[^\s,;]+", self.cleaned_data[name]))
        except NotASecondFactor as refused:
            said = _("« %(word)s » ne dit pas qu’un second facteur a été vérifié.") % {"word": refused.word}
            raise forms.ValidationError(said) from None


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
@administrator_required
def page(request: MemberRequest) -> HttpResponse:
    """The rules in force, how many people each concerns, and the versions of the general terms."""
    actor, now = request.membership, Moment.present().now
    row = policy(request)
    form = PolicyForm.of(row, request.POST if request.method == "POST" else None)
    seen, meanwhile = request.POST.get("seen", "") if request.method == "POST" else policy_as_read(row), None
    if request.method == "POST" and form.is_valid():
        if (asked := ask(request, SensitiveAct.POLICY)) is not None:  # as the rules still in force have it
            return asked
        chosen = form.cleaned_data["roles"]
        try:
            set_policy(
                **{name: name in chosen for name in ROLES},
                step_up_acts=form.cleaned_data["acts"],
                provider=form.provider,
                seen=seen,
                actor=actor,
                now=now,
            )
        except ChangedMeanwhile:
            row = policy()
            seen, who = (
                policy_as_read(row),
                who_last("policy.changed", actor=actor, organisation=actor.organisation),
            )
            meanwhile = Meanwhile(who, differing(form, PolicyForm.of(row)))
        else:
            messages.success(request, _("Les règles sont en vigueur, dès la prochaine page de chacun."))
            return redirect("operator_policy")
    concerned = people_by_role(actor=actor)
    context = {
        "form": form,
        "seen": seen,
        "meanwhile": meanwhile,
        "roles": [
            {"choice": choice, "note": _note(concerned[choice.data["value"]])} for choice in form["roles"]
        ],
        "provider": provider_name(),
        "unprotected": not row.strong_for_operator,
        "changed_at": row.changed_at,
        "versions": versions_of_terms(actor=actor, now=now),
    }
    status = 409 if meanwhile else 422 if form.errors else 200
    return render(request, "operator/policy.html", context, status=status)


def _note(concerned: Concerned) -> str:
    people = ngettext("%(count)s personne", "%(count)s personnes", concerned.people) % {
        "count": formats.number(concerned.people)
    }
    if not concerned.people:
        return people
    without = ngettext(
        "dont %(count)s qui n’a pas encore de second facteur",
        "dont %(count)s qui n’ont pas encore de second facteur",
        concerned.without_factor,
    ) % {"count": formats.number(concerned.without_factor)}
    return f"{people}, {without}"
