"""*Inviter plusieurs personnes*: a list is judged line by line, then sent once it was read.

Nothing is kept between the two: the list stays in its box, where it is mended, and comes back with the decision.
"""

from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from gridgate.accounts.models import SensitiveAct
from gridgate.onboarding.operations.invitations import invite_all
from gridgate.onboarding.operations.sending import LONGEST_NAME, InvitationOpen
from gridgate.onboarding.people_file import (
    BETWEEN_GROUPS,
    MOST,
    Finding,
    NotReadable,
    PeopleFile,
    PersonLine,
    read_people,
)
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.last_days import last_day
from gridgate.organisations.models import Membership
from gridgate.organisations.operations.members import MembershipExists
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.guards.step_up import ask
from gridgate.portal.kit import formats
from gridgate.portal.kit.shapes import Figure
from gridgate.portal.kit.spreadsheet import table_response
from gridgate.portal.screens.company.access import named
from gridgate.portal.screens.company.forms import InviteManyForm

_LONGEST_FORM = 2**18
"""Bytes that may wait for a one-time code: a whole list."""
_SAID = {
    Finding.MEMBER: gettext_lazy("Déjà utilisateur de votre entreprise : rien ne change."),
    Finding.INVITED: gettext_lazy("Déjà invitée : renouvelez son lien dans « Invitations » s’il a expiré."),
    Finding.TWICE: gettext_lazy("La même adresse est déjà à la ligne %(value)s. Retirez l’une des deux."),
    Finding.EMAIL: gettext_lazy("« %(value)s » n’est pas une adresse e-mail."),
    Finding.NAME_MISSING: gettext_lazy("Le nom manque."),
    Finding.NAME_TOO_LONG: gettext_lazy("Le nom est trop long : %(longest)s caractères au plus."),
    Finding.ROLE: gettext_lazy("Le rôle « %(value)s » n’existe pas. Écrivez Utilisateur ou Administrateur."),
    Finding.ROLE_RESERVED: gettext_lazy("Seul un administrateur invite un administrateur."),
    Finding.EXTERNAL: gettext_lazy("Rattachement « %(value)s » inconnu. Écrivez interne ou externe."),
    Finding.GROUP: gettext_lazy(
        "Aucun groupe ne s’appelle « %(value)s ». Entre deux groupes, écrivez « %(between)s »."
    ),
    Finding.UNTIL: gettext_lazy(
        "« %(value)s » n’est pas une date. Écrivez le dernier jour ainsi : 2027-03-31 ou 31/03/2027."
    ),
    Finding.UNTIL_PAST: gettext_lazy("Le dernier jour, %(value)s, doit venir après aujourd’hui."),
    Finding.UNTIL_ADMINISTRATOR: gettext_lazy("Un administrateur agit sans date de fin. Videz cette case."),
    Finding.LANGUAGE: gettext_lazy("Langue « %(value)s » inconnue. Écrivez fr ou en."),
}


@require_http_methods(["GET", "HEAD", "POST"])
@entitlement_required(EntitlementCode.USERS)
def page(request: MemberRequest) -> HttpResponse:
    """The list; posted, what is said of each line; with `do=send`, those that can be are invited."""
    if request.method != "POST":
        return _page(request, InviteManyForm())
    actor = request.membership
    form = InviteManyForm(request.POST.copy(), request.FILES)
    form.is_valid()
    text = form.cleaned_data.get("people", "")
    people = _read(actor, form, text) if not form.errors else None
    if people is None:
        return _page(request, form, text=text, status=422)
    if request.POST.get("do") != "send":
        return _page(request, form, people, text=text)
    if request.POST.get("seen") != fingerprint(people):
        return _page(request, form, people, text=text, again=True)
    if any(one.role == Membership.Role.ADMINISTRATOR for one in people.invited):
        asked = ask(request, SensitiveAct.RIGHTS, longest=_LONGEST_FORM)
        if asked is not None:
            return asked
    try:
        sent = invite_all(
            organisation=actor.organisation, people=people.invited, actor=actor, now=timezone.now()
        )
    except (MembershipExists, InvitationOpen):  # at the same moment, by somebody else: nobody was invited
        return _page(request, form, read_people(text, actor=actor), text=text, again=True)
    said = ngettext("%(count)s invitation est partie.", "%(count)s invitations sont parties.", len(sent))
    messages.success(request, said % {"count": formats.number(len(sent))})
    if not people.wrong:
        return redirect("company_invitations")
    return _page(request, form, read_people(people.left, actor=actor), text=people.left, sent=True)


@require_safe
@entitlement_required(EntitlementCode.USERS)
def sample(request: MemberRequest) -> HttpResponseBase:
    """A table to fill in, with one line as an example."""
    header = [
        _("Adresse e-mail"),
        _("Prénom et nom"),
        _("Rôle"),
        _("Rattachement"),
        _("Groupes"),
        _("Langue de l’invitation"),
        _("Agit jusqu’au"),
    ]
    example = ["prenom.nom@example.com", _("Prénom Nom"), _("Utilisateur"), _("interne"), "", "fr", ""]
    return table_response(request, _("invitations.csv"), header, [example], sheet=_("Invitations"))


def fingerprint(people: PeopleFile) -> str:
    """Differs when what would be sent does: what was read must be what happens."""
    read = [
        (
            *(line.email, line.full_name, line.language, line.role, line.external, line.until),
            [group.pk for group in line.groups],
        )
        for line in people.invited
    ]
    return sha256(repr(read).encode()).hexdigest()[:16]


def _read(actor: Membership, form: InviteManyForm, text: str) -> PeopleFile | None:
    """None when it is no list: the form then says why."""
    field = "file" if form.cleaned_data.get("file") else "people"
    try:
        return read_people(text, actor=actor)
    except NotReadable as refused:
        form.add_error(field, _refusal(refused))
        return None


def _refusal(refused: NotReadable) -> str:
    match refused.reason:
        case "columns":
            return _(
                "La première ligne doit nommer les colonnes, dont une fois « Adresse e-mail », ou être "
                "une personne avec son adresse. Partez du modèle."
            )
        case "too_many":
            return _("La liste a plus de %(most)s personnes. Coupez-la en plusieurs.") % {
                "most": formats.number(MOST)
            }
        case "broken":
            return _("À partir de la ligne %(line)s, un guillemet n’est pas refermé.") % {
                "line": formats.number(refused.line)
            }
    return _("Cette liste ne nomme personne.")


def _page(
    request: MemberRequest,
    form: InviteManyForm,
    people: PeopleFile | None = None,
    *,
    text: str = "",
    again: bool = False,
    sent: bool = False,
    status: int = 200,
) -> HttpResponse:
    if isinstance(form.data, QueryDict):  # what a file said is in the box too, to be mended there
        form.data["people"] = text
    context: dict[str, Any] = {"form": form, "text": text, "most": MOST, "between": BETWEEN_GROUPS}
    if people is not None:
        context |= {
            "people": people,
            "figures": _figures(people),
            "to_send": len(people.invited),
            "seen": fingerprint(people),
            "rows": [_row(one) for one in sorted(people.lines, key=_worst_first)],
            "again": again,
            "sent": sent,
        }
    return render(request, "company/invite_many.html", context, status=409 if again else status)


def _worst_first(one: PersonLine) -> tuple[bool, bool, int]:
    return not one.wrong, one.known, one.number


def _row(line: PersonLine) -> dict[str, Any]:
    person = line.person
    return {
        "line": line,
        "name": line.full_name or line.email,
        "administrator": person is not None and person.role == Membership.Role.ADMINISTRATOR,
        "until": last_day(person.until) if person and person.until else None,
        "groups": named([group.name for group in person.groups]) if person else "",
        "said": [_said(finding, value) for finding, value in line.findings],
    }


def _said(finding: Finding, value: str) -> str:
    if finding is Finding.EMAIL and not value:
        return _("L’adresse e-mail manque.")
    return _SAID[finding] % _values(value)


def _values(value: str) -> dict[str, str]:
    return {"value": value, "longest": formats.number(LONGEST_NAME), "between": BETWEEN_GROUPS}


def _figures(people: PeopleFile) -> list[Figure]:
    wrong = len(people.wrong)
    return [
        Figure(_("Lignes"), formats.number(len(people.lines))),
        Figure(_("À inviter"), formats.number(len(people.invited))),
        Figure(_("Déjà là"), formats.number(len(people.known))),
        Figure(_("À corriger"), formats.number(wrong), tone="bad" if wrong else ""),
    ]
