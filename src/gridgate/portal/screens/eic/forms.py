"""What is typed on the screens about EIC codes."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from gridgate.eic.asked import EicAsked, Wrong, faults_of, unfit
from gridgate.eic.codes import display_name_from, examine
from gridgate.eic.form import ALL_TYPES, Asked, FormField, eic_form
from gridgate.eic.queries import code_named, codes_readable_by
from gridgate.organisations.models import Membership, User
from gridgate.portal.kit.forms import LineField
from gridgate.portal.screens.eic import code_faults, naming

ANSWER = "d_"
"""Begins the name of a configured field, so that none is taken for one of the form's own."""


class TypeLabel:
    """The name of a type, with what it names."""

    def __init__(self, letter: str) -> None:
        self.letter = letter

    def __str__(self) -> str:
        return naming.type_name(self.letter)

    @property
    def help(self) -> str:
        return str(naming.TYPES[self.letter])


class TypeForm(forms.Form):
    """What the code will name."""

    type = forms.ChoiceField(label=gettext_lazy("Ce que le code désigne"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["type"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(letter, TypeLabel(letter)) for letter in ALL_TYPES if letter in eic_form().types]
        field.error_messages["required"] = _("Choisissez un type.")


class SearchForm(forms.Form):
    """The name that is looked for before a code is asked for."""

    use_required_attribute = False
    nom = LineField(
        label=gettext_lazy("Nom, ou code"),
        help_text=gettext_lazy(
            "De l’entreprise, de la zone, du point ou de l’ouvrage que le code désignera."
        ),
        error_messages={
            "required": gettext_lazy("Donnez un nom : la recherche vient avant la demande."),
        },
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "organization"}),
    )

    def clean_nom(self) -> str:
        text = " ".join(self.cleaned_data["nom"].split())
        longest = eic_form().long_name.longest
        if len(text) > longest:
            said = _("%(longest)s caractères au plus, %(found)s saisis.")
            raise forms.ValidationError(said % {"longest": longest, "found": len(text)})
        return text

    @property
    def text(self) -> str:
        """What is looked for; empty as long as there is nothing that can be."""
        return self.cleaned_data.get("nom", "") if self.is_bound and self.is_valid() else ""


class DescribeForm(forms.Form):
    """Everything a request says but its type. What is wrong is told by the rules of `operations.eic`, so that a draft
    is kept however little it says, and a request is not sent before it says enough.
    """

    use_required_attribute = False
    display_name = LineField(
        label=gettext_lazy("Nom d’affichage"),
        required=False,
        widget=forms.TextInput(attrs={"autocapitalize": "characters", "autocomplete": "off"}),
    )
    long_name = LineField(label=gettext_lazy("Nom complet"), required=False)
    responsible_party = LineField(
        label=gettext_lazy("Acteur responsable"),
        required=False,
        help_text=gettext_lazy("Le code EIC, de type X, de l’acteur qui répond de l’objet."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    parent = LineField(
        label=gettext_lazy("Code parent"),
        required=False,
        help_text=gettext_lazy("Le code EIC de l’objet dont celui-ci fait partie, s’il y en a un."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    justification = forms.CharField(
        label=gettext_lazy("Pourquoi ce code"),
        required=False,
        help_text=gettext_lazy("Ce que vous ferez avec : marché, contrat, raccordement."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(
        self, data: QueryDict | None, *, asked: EicAsked, user: User, actor: Membership | None
    ) -> None:
        self.user, self.actor, self.before, self.type = user, actor, asked, asked.type
        form = eic_form()
        initial = {name: getattr(asked, name) for name in self.base_fields}
        for question in form.fields_of(self.type):
            initial[ANSWER + question.name] = asked.details.get(question.name)
        super().__init__(data, initial=initial)
        self._mandatory = {"display_name", "long_name"}
        for name, rule in form.by_type.items():
            self._ask_if(name, rule)
        self.answers = {ANSWER + one.name: one for one in form.fields_of(self.type)}
        for name, question in self.answers.items():
            self.fields[name] = _field_of(question)
            self._mandatory |= {name} if question.required else set()
        self.fields["display_name"].help_text = _(
            "%(longest)s caractères au plus : capitales, chiffres, - + _. Unique au registre."
        ) % {"longest": form.display_name.longest}
        self.fields["long_name"].help_text = _("%(longest)s caractères au plus.") % {
            "longest": form.long_name.longest
        }
        # Last, whatever the operator adds before it.
        self.order_fields([name for name in self.fields if name != "justification"])
        self._show_mandatory()

    @property
    def asked(self) -> EicAsked:
        """What was typed; what the type does not ask stays as it was, in case the type is changed again."""
        cleaned = self.cleaned_data
        answers = {one.name: cleaned.get(name, "") for name, one in self.answers.items()}
        return EicAsked(
            type=self.type,
            display_name=cleaned["display_name"].upper(),
            long_name=" ".join(cleaned["long_name"].split()),
            responsible_party=_code(cleaned.get("responsible_party", self.before.responsible_party)),
            parent=_code(cleaned.get("parent", self.before.parent)),
            justification=cleaned.get("justification", self.before.justification),
            details={**self.before.details, **answers},
        )

    def may_be_kept(self) -> bool:
        """Whether a draft can hold what was typed; what is wrong stands beside the fields."""
        return self._told(unfit)

    def may_be_sent(self) -> bool:
        return self._told(faults_of)

    def full_clean(self) -> None:
        for field in self.fields.values():
            field.required = False
        super().full_clean()
        self._show_mandatory()

    def _told(self, rules: Any) -> bool:
        if not self.is_valid():
            return False
        readable = codes_readable_by(user=self.user, actor=self.actor)
        for mistake in rules(self.asked):
            self._tell(mistake, readable_by=readable)
        return not self.errors

    def _tell(self, mistake: Wrong, *, readable_by: Any) -> None:
        name = mistake.where.replace("details.", ANSWER)
        typed = str(self.cleaned_data.get(name, ""))
        readable = mistake.code is not None and readable_by.filter(pk=mistake.code.pk).exists()
        text = self._own_words(name) or code_faults.wrong(mistake, typed=typed, readable=readable)
        self.add_error(name if name in self.fields else None, text)

    def _own_words(self, name: str) -> str:
        """A configured answer that is there and does not fit: the operator's own hint says how to write it."""
        question = self.answers.get(name)
        if (
            question is None
            or not self.cleaned_data.get(name)
            or question.is_too_long(self.cleaned_data[name])
        ):
            return ""
        if question.kind == "email":
            return _("Ce n’est pas une adresse e-mail.")
        return str(question.help) if question.help else ""

    def _ask_if(self, name: str, rule: Asked) -> None:
        if self.type not in rule.asked:
            del self.fields[name]
        elif self.type in rule.required:
            self._mandatory.add(name)

    def _show_mandatory(self) -> None:
        """Fields that may stay empty say so; nothing else follows from it, the rules above decide."""
        for name, field in self.fields.items():
            field.required = name in self._mandatory


class ComparedForm(forms.Form):
    """That whoever asks has compared the codes with close names."""

    compared = forms.BooleanField(
        label=gettext_lazy("J’ai comparé : aucun de ces codes ne désigne déjà ce que je décris."),
        error_messages={"required": gettext_lazy("Comparez d’abord ces codes, puis cochez.")},
    )


def draft_from(text: str) -> EicAsked:
    """What a request says when it begins: the name that was looked for, and a display name that is free."""
    form = eic_form()
    if examine(text).recordable:
        return EicAsked()
    proposed = display_name_from(text, form.display_name.longest)
    free = form.display_name.allows(proposed) and code_named(proposed) is None
    return EicAsked(long_name=text, display_name=proposed if free else "")


def _field_of(question: FormField) -> forms.Field:
    common: dict[str, Any] = {
        "label": str(question.label),
        "help_text": str(question.help or ""),
        "required": False,
    }
    choices = [(choice.value, str(choice.label)) for choice in question.choices]
    match question.kind:
        case "long_text":
            return forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), **common)
        case "email":
            return forms.CharField(widget=forms.EmailInput(attrs={"autocomplete": "email"}), **common)
        case "choice":
            return forms.ChoiceField(choices=[("", _("Choisissez")), *choices], **common)
        case "choices":
            return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **common)
    return forms.CharField(**common)


def _code(text: str) -> str:
    return examine(text).code if text else ""
