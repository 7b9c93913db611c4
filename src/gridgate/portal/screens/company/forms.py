"""What an administrator types: filters, people, groups."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gridgate.onboarding.models import InvitationState
from gridgate.onboarding.people import ACTIVE, PeopleFilter
from gridgate.onboarding.people_file import LONGEST_LIST, NotReadable, text_of
from gridgate.organisations.handles import handle_of, number_of
from gridgate.organisations.last_days import end_of, today
from gridgate.organisations.models import Membership, UserGroup
from gridgate.portal.kit import formats
from gridgate.portal.kit.forms import AddressField, DayField, LineField

LONGEST_GROUP_NAME = 80
_EXTERNAL = [
    ("", gettext_lazy("Internes et externes")),
    ("non", gettext_lazy("Internes")),
    ("oui", gettext_lazy("Externes")),
]
_ATTACHMENT = [
    ("", gettext_lazy("Interne : il travaille pour votre entreprise")),
    ("externe", gettext_lazy("Externe : il travaille pour un prestataire")),
]
EXTERNAL = "externe"
_DATED = "date"


class PeopleFilterForm(forms.Form):
    """Above the list of users. A value that means nothing narrows nothing."""

    q = LineField(
        label=gettext_lazy("Rechercher"),
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": gettext_lazy("nom ou adresse e-mail")}
        ),
    )
    role = forms.ChoiceField(
        label=gettext_lazy("Rôle"),
        required=False,
        choices=[("", gettext_lazy("Tous")), *Membership.Role.choices],
    )
    groupe = forms.ChoiceField(label=gettext_lazy("Groupe"), required=False)
    externe = forms.ChoiceField(label=gettext_lazy("Rattachement"), required=False, choices=_EXTERNAL)
    etat = forms.ChoiceField(
        label=gettext_lazy("État"),
        required=False,
        choices=[
            ("", gettext_lazy("Tous")),
            (ACTIVE, gettext_lazy("Actif")),
            (_DATED, gettext_lazy("Actif jusqu’à une date")),
            (InvitationState.PENDING.value, gettext_lazy("Invitation en attente")),
            (InvitationState.EXPIRED.value, gettext_lazy("Invitation expirée")),
        ],
    )

    def __init__(self, data: QueryDict, *, groups: Iterable[UserGroup]) -> None:
        super().__init__(data)
        choices = [("", _("Tous")), *((handle_of("group", group.pk), group.name) for group in groups)]
        _choices(self.fields["groupe"], choices)
        self.is_valid()

    @property
    def wanted(self) -> PeopleFilter:
        cleaned = self.cleaned_data
        return PeopleFilter(
            text=cleaned.get("q", ""),
            role=cleaned.get("role", ""),
            group=number_of("group", cleaned.get("groupe", "")),
            external={"oui": True, "non": False}.get(cleaned.get("externe", "")),
            dated=cleaned.get("etat") == _DATED,
            state=ACTIVE if cleaned.get("etat") == _DATED else cleaned.get("etat", ""),
        )

    def labels(self) -> dict[str, str]:
        """How each filter in force reads on its tag."""
        cleaned = {name: self.cleaned_data.get(name, "") for name in self.fields}
        labels = {"q": formats.quoted(cleaned["q"])} if cleaned["q"] else {}
        for name in ("role", "groupe", "externe", "etat"):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            if cleaned[name]:
                labels[name] = str(dict(field.choices)[cleaned[name]])  # type: ignore[arg-type]
        return labels


class InvitationFilterForm(forms.Form):
    """Above the list of invitations."""

    q = LineField(
        label=gettext_lazy("Rechercher"),
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": gettext_lazy("nom ou adresse e-mail")}
        ),
    )
    etat = forms.ChoiceField(
        label=gettext_lazy("État"),
        required=False,
        choices=[
            ("", gettext_lazy("Tous")),
            (InvitationState.PENDING.value, gettext_lazy("En attente")),
            (InvitationState.EXPIRED.value, gettext_lazy("Expirée")),
            (InvitationState.ACCEPTED.value, gettext_lazy("Acceptée")),
            (InvitationState.CANCELLED.value, gettext_lazy("Annulée")),
        ],
    )

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        self.is_valid()

    @property
    def text(self) -> str:
        return str(self.cleaned_data.get("q", ""))

    @property
    def state(self) -> InvitationState | None:
        said = self.cleaned_data.get("etat")
        return InvitationState(said) if said else None

    def labels(self) -> dict[str, str]:
        """How each filter in force reads on its tag."""
        field = self.fields["etat"]
        assert isinstance(field, forms.ChoiceField)
        labels = {"q": formats.quoted(self.text)} if self.text else {}
        if self.state is not None:
            labels["etat"] = str(dict(field.choices)[self.state.value])  # type: ignore[arg-type]
        return labels


class MemberForm(forms.Form):
    """What a member is in the company. Only administrators choose the role. `kept` is the last day that the member has
    already, which may stay when it is today.
    """

    role = forms.ChoiceField(
        label=gettext_lazy("Rôle"),
        choices=[
            (Membership.Role.USER.value, gettext_lazy("Utilisateur : ce que ses groupes lui ouvrent")),
            (
                Membership.Role.ADMINISTRATOR.value,
                gettext_lazy("Administrateur : tout, y compris les droits des autres"),
            ),
        ],
        widget=forms.RadioSelect,
    )
    external = forms.ChoiceField(
        label=gettext_lazy("Rattachement"),
        required=False,
        choices=_ATTACHMENT,
        help_text=gettext_lazy("Pour vous y retrouver : il ne change aucun droit."),
        widget=forms.RadioSelect,
    )
    until = DayField(
        label=gettext_lazy("Agit jusqu’au"),
        required=False,
        help_text=gettext_lazy(
            "Dernier jour, inclus : dès le lendemain, plus aucun accès. Laissez vide pour ne pas fixer de fin."
        ),
    )
    groups = forms.MultipleChoiceField(
        label=gettext_lazy("Groupes"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(
        self,
        *args: Any,
        groups: Iterable[UserGroup],
        actor: Membership,
        kept: date | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._kept = kept
        self.known = {handle_of("group", group.pk): group for group in groups}
        _choices(self.fields["groups"], [(pk, group.name) for pk, group in self.known.items()])
        if not actor.is_administrator:
            del self.fields["role"]
        if not self.known:
            del self.fields["groups"]

    def clean_until(self) -> date | None:
        day: date | None = self.cleaned_data["until"]
        if day is not None and day != self._kept and day <= today(timezone.now()):
            raise forms.ValidationError(self.too_early())
        return day

    def too_early(self) -> str:
        """What is said of today, or of a day before it."""
        return _(
            "Choisissez un jour après aujourd’hui. Pour que l’accès prenne fin dès maintenant, utilisez « Détacher »."
        )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("until") and self.role_chosen == Membership.Role.ADMINISTRATOR:
            self.add_error(
                "until",
                _(
                    "Un administrateur agit sans date de fin. Retirez la date, ou choisissez le rôle Utilisateur."
                ),
            )
        return cleaned

    @property
    def until_chosen(self) -> datetime | None:
        day = self.cleaned_data.get("until")
        return end_of(day) if day is not None else None

    @property
    def role_chosen(self) -> str:
        return str(self.cleaned_data.get("role", Membership.Role.USER))

    @property
    def is_external(self) -> bool:
        return self.cleaned_data.get("external") == EXTERNAL

    @property
    def groups_chosen(self) -> list[UserGroup]:
        return [self.known[pk] for pk in self.cleaned_data.get("groups", ())]


class InviteForm(MemberForm):
    """Somebody to invite. The address is what they will sign in with, and cannot be changed later."""

    email = AddressField(
        label=gettext_lazy("Adresse e-mail"),
        help_text=gettext_lazy("Celle avec laquelle la personne se connectera. Elle ne change plus ensuite."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    full_name = LineField(
        label=gettext_lazy("Prénom et nom"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Langue de l’invitation"), choices=[("fr", "Français"), ("en", "English")]
    )
    field_order = ("email", "full_name", "language", "role", "external", "until", "groups")

    def too_early(self) -> str:
        return _(
            "Choisissez un jour après aujourd’hui. Quelqu’un qui agit déjà pour vous se retire par « Détacher »."
        )


class InviteManyForm(forms.Form):
    """A list of people: a file, or what stands in the box; the file goes before."""

    file = forms.FileField(
        label=gettext_lazy("Fichier CSV ou XLSX"),
        required=False,
        allow_empty_file=True,
        help_text=gettext_lazy(
            "Vous lisez ce qui serait fait de chaque ligne avant que quiconque ne reçoive rien."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx,text/csv,text/plain"}),
    )
    people = forms.CharField(
        label=gettext_lazy("ou collez la liste"),
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
    )

    def clean(self) -> dict[str, Any]:
        """`people` is then the text, wherever it came from; what is too long is not shown again."""
        cleaned: dict[str, Any] = super().clean() or {}
        too_long = _("La liste est trop longue : %(most)s caractères au plus. Coupez-la en plusieurs.") % {
            "most": formats.number(LONGEST_LIST)
        }
        sent = cleaned.get("file")
        if sent is not None:
            text = None
            try:
                text = text_of(sent.read())
            except NotReadable:
                self.add_error("file", too_long)
            if text is None and not self.errors:
                self.add_error(
                    "file",
                    _(
                        "Ce fichier n’est pas un tableau d’une seule feuille. Enregistrez-le au format CSV ou XLSX."
                    ),
                )
            cleaned["people"] = text or ""
        elif len(cleaned.get("people", "")) > LONGEST_LIST:
            self.add_error("people", too_long)
        elif not self.errors and not cleaned.get("people", "").strip():
            self.add_error("people", _("Choisissez un fichier, ou collez une liste."))
        return cleaned


class GroupForm(forms.Form):
    """The name of a group, which no other group of the company has."""

    name = LineField(
        label=gettext_lazy("Nom du groupe"),
        max_length=LONGEST_GROUP_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, others: Iterable[UserGroup] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._others = others

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        for group in self._others:
            if group.name.casefold() == name.casefold():
                said = _("Un autre groupe s’appelle « %(name)s ». Choisissez un autre nom.")
                raise forms.ValidationError(said, params={"name": group.name})
        return name


def _choices(field: forms.Field, choices: list[tuple[str, str]]) -> None:
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices
