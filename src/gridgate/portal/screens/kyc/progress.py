"""How far a questionnaire is filled in, section by section."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from gridgate.kyc.answers import AnswerFault
from gridgate.kyc.models import KycQuestionnaire
from gridgate.kyc.operations.forms import form_of
from gridgate.kyc.operations.sending import faults_in
from gridgate.portal.screens.kyc import form_texts


@dataclass(frozen=True, slots=True)
class SectionStep:
    """A section as the steps beside the form show it."""

    number: int
    title: str
    missing: int
    wrong: int
    current: bool

    @property
    def done(self) -> bool:
        return not self.missing and not self.wrong

    @property
    def note(self) -> str:
        if self.wrong:
            return ngettext("%(count)s réponse à corriger", "%(count)s réponses à corriger", self.wrong) % {
                "count": self.wrong
            }
        if self.missing:
            return ngettext("%(count)s réponse à donner", "%(count)s réponses à donner", self.missing) % {
                "count": self.missing
            }
        return _("Complète")


@dataclass(frozen=True, slots=True)
class Progress:
    """The sections, and which of them are complete."""

    steps: list[SectionStep]
    faults: list[AnswerFault]

    @property
    def done(self) -> int:
        return sum(step.done for step in self.steps)

    @property
    def total(self) -> int:
        return len(self.steps)

    @property
    def is_complete(self) -> bool:
        return not self.faults

    @property
    def next_step(self) -> SectionStep | None:
        """The first section that lacks something."""
        return next((step for step in self.steps if not step.done), None)

    @property
    def note(self) -> str:
        text = ngettext(
            "%(done)s section complète sur %(total)s", "%(done)s sections complètes sur %(total)s", self.done
        )
        return text % {"done": self.done, "total": self.total}


def progress_of(questionnaire: KycQuestionnaire, *, now: datetime, current: int = 0) -> Progress:
    """`current` is the number of the section that is on the page, from 1."""
    faults = faults_in(questionnaire, now=now)
    steps = []
    for number, section in enumerate(form_of(questionnaire).sections, start=1):
        own = [found for found in faults if found.section == number - 1]
        steps.append(
            SectionStep(
                number,
                form_texts.in_language(section.title),
                missing=_fields(found for found in own if found.is_missing),
                wrong=_fields(found for found in own if not found.is_missing),
                current=number == current,
            )
        )
    return Progress(steps, faults)


def _fields(faults: Iterable[AnswerFault]) -> int:
    return len({(found.name, found.row, found.inner) for found in faults})
