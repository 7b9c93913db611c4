"""Publishing a version of the questionnaire."""

import re
from datetime import datetime

from django.db import transaction

from gridgate.audit.events import Subject, record
from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.kyc.form import BUILT_IN, Form
from gridgate.kyc.form_file import read_form
from gridgate.kyc.models import KycForm, KycQuestionnaire
from gridgate.organisations.authority import require_operator_administrator
from gridgate.organisations.models import Membership
from gridgate.organisations.queries import operator

BUILT_IN_VERSION = "1"


class InvalidVersion(GridgateError):
    """The name of a version will not do, or is taken: what is published never changes."""

    def __init__(self, version: str, *, taken: bool) -> None:
        self.taken = taken
        if taken:
            message, remedy = f"the version {version} is published, and never changes", "Give another name."
        else:
            message = f"{version!r} is no name of a version"
            remedy = "Give 1 to 20 letters, digits, dots or hyphens, such as 2 or 2027-01."
        kind = ErrorKind.CONFLICT if taken else ErrorKind.INVALID
        super().__init__(kind, message, remedy=remedy, where="version")


def publish_form(*, document: bytes, version: str, actor: Membership | None = None, now: datetime) -> KycForm:
    """Publish a version: new questionnaires are of this one, those begun stay on theirs.

    Raises `InvalidForm` and `InvalidVersion`.
    """
    require_operator_administrator(actor)
    form, given = read_form(document)
    with transaction.atomic():
        version = usable_version(version)
        made = KycForm.objects.create(
            version=version, sections=given["sections"], months_valid=form.months_valid, published_at=now
        )
        own = operator()
        record(
            "kyc.form_published",
            subject=Subject("kyc_form", str(made.pk), version),
            organisation=own.pk if own else None,
            actor=actor,
            after={"sections": len(form.sections), "months_valid": form.months_valid},
            now=now,
        )
    return made


def usable_version(version: str) -> str:
    """The name, when it may be that of a new version. Raises `InvalidVersion`."""
    version = version.strip()
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,19}", version):
        raise InvalidVersion(version, taken=False)
    if KycForm.objects.filter(version__iexact=version).exists():
        raise InvalidVersion(version, taken=True)
    return version


def publish_built_in_form(*, now: datetime) -> KycForm | None:
    """Publish the built-in version where none is; None where there is one."""
    if KycForm.objects.exists():
        return None
    return publish_form(document=BUILT_IN.read_bytes(), version=BUILT_IN_VERSION, now=now)


def form_of(questionnaire: KycQuestionnaire) -> Form:
    """What the questionnaire's version asks."""
    return Form.of(questionnaire.form.sections, months_valid=questionnaire.form.months_valid)
