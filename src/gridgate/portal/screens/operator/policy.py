"""*Sécurité et conditions*: what is asked of whom beyond a password, and the general terms."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from gridgate.organisations.models import SecurityPolicy, SensitiveAct
from gridgate.organisations.operator_queries import Concerned, people_by_role, versions_of_terms
from gridgate.organisations.security.policy import policy, set_policy
from gridgate.portal import formats
from gridgate.portal.access import MemberRequest, administrator_required, operator_required
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.portal.step_up import ask

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

    @classmethod
    def of(cls, row: SecurityPolicy, data: Any = None) -> "PolicyForm":
        chosen = [name for name in ROLES if getattr(row, name)]
        return cls(data, initial={"roles": chosen, "acts": row.step_up_acts})


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
@administrator_required
def page(request: MemberRequest) -> HttpResponse:
    """The rules in force, how many people each concerns, and the versions of the general terms."""
    actor, now = request.membership, Moment.present().now
    row = policy(request)
    form = PolicyForm.of(row, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        if (asked := ask(request, SensitiveAct.POLICY)) is not None:  # as the rules still in force have it
            return asked
        chosen = form.cleaned_data["roles"]
        set_policy(
            **{name: name in chosen for name in ROLES},
            step_up_acts=form.cleaned_data["acts"],
            actor=actor,
            now=now,
        )
        messages.success(request, _("Les règles sont en vigueur, dès la prochaine page de chacun."))
        return redirect("operator_policy")
    concerned = people_by_role(actor=actor)
    context = {
        "form": form,
        "roles": [
            {"choice": choice, "note": _note(concerned[choice.data["value"]])} for choice in form["roles"]
        ],
        "unprotected": not row.strong_for_operator,
        "changed_at": row.changed_at,
        "versions": versions_of_terms(actor=actor, now=now),
    }
    return render(request, "operator/policy.html", context, status=422 if form.errors else 200)


def _note(one: Concerned) -> str:
    people = ngettext("%(count)s personne", "%(count)s personnes", one.people) % {
        "count": formats.number(one.people)
    }
    if not one.people:
        return people
    without = ngettext(
        "dont %(count)s qui n’a pas encore de second facteur",
        "dont %(count)s qui n’ont pas encore de second facteur",
        one.without_factor,
    ) % {"count": formats.number(one.without_factor)}
    return f"{people}, {without}"
