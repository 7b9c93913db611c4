"""customer questionnaires of the demo world: one in force that ends soon, one that waits for the operator, one begun."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from gridgate.core.time import months_from
from gridgate.kyc.form import FileField
from gridgate.kyc.models import KycQuestionnaire
from gridgate.kyc.operations.filling import attach, save_section, start_questionnaire
from gridgate.kyc.operations.forms import form_of
from gridgate.kyc.operations.sending import accept_questionnaire, submit_questionnaire
from gridgate.organisations.models import Membership

ENDS_IN = 23
"""Days until ACME's questionnaire ends: it is to be renewed."""

NAMES = {
    "registration_extract": "kbis.pdf",
    "articles": "statuts.pdf",
    "identity_papers": "identite.pdf",
    "bank_details": "rib.pdf",
}
"""What people call these documents."""

_COMMON: dict[str, Any] = {
    "legal_form": "SAS",
    "country": "FR",
    "in_group": False,
    "listed": False,
    "has_owners": True,
    "regulated": False,
    "remit": False,
    "sanctions": False,
    "convictions": False,
    "pep": False,
    "iban": "FR7630006000011234567890189",
    "bic": "ABCDFRPP",
}
ACME: dict[str, Any] = _COMMON | {
    "legal_name": "ACME Industries",
    "siren": "111222337",
    "incorporated_on": "1994-05-02",
    "registered_office": "12 rue de Gerland\n69007 Lyon",
    "owners": [
        {"name": "Alice", "birth_date": "1970-02-03", "share": "60", "country": "FR", "control": ["capital"]}
    ],
    "representatives": [
        {"name": "Alice", "function": "Présidente", "birth_date": "1970-02-03", "country": "FR"}
    ],
    "activities": ["capacity"],
    "activity": "Pièces mécaniques ; effacement de l’atelier sud en hiver.",
    "account_holder": "ACME Industries",
}
TIERS_1: dict[str, Any] = _COMMON | {
    "legal_name": "Tiers 1",
    "siren": "222333445",
    "incorporated_on": "2016-09-12",
    "registered_office": "3 quai de la Loire\n44000 Nantes",
    "has_owners": False,
    "no_owner_reason": "Capital partagé entre 41 associés : le premier détient 8 %, la gérance dirige.",
    "representatives": [
        {"name": "Tiers 1, développement", "function": "Gérance", "birth_date": "1985-11-20", "country": "FR"}
    ],
    "activities": ["brp", "balancing"],
    "activity": "Agrégation de consommations flexibles.",
    "account_holder": "Tiers 1",
}


def seed_questionnaires(
    members: Mapping[str, Membership], *, today: date, at: Callable[..., datetime]
) -> None:
    """Through the same steps as people take."""
    alice, tiers1, charlie = members["alice"], members["tiers1"], members["charlie"]
    accepted_days_ago = (today - months_from(date.fromordinal(today.toordinal() + ENDS_IN), -24)).days
    sent = _submit(alice, ACME, at(accepted_days_ago + 3))
    accept_questionnaire(questionnaire=sent, actor=members["operateur"], now=at(accepted_days_ago, 16, 5))
    _submit(tiers1, TIERS_1, at(2, 11, 22))
    begun = start_questionnaire(user=charlie.user, actor=charlie, now=at(6, 17))
    _save(begun, charlie, {"legal_form": "SARL", "country": "FR"} | begun.answers, at(6, 17, 12), sections=1)


def _submit(member: Membership, answers: Mapping[str, Any], now: datetime) -> KycQuestionnaire:
    draft = start_questionnaire(user=member.user, actor=member, now=now)
    form = form_of(draft)
    _save(draft, member, answers, now, sections=len(form.sections))
    for one in form.files():
        if one.required:
            _attach(draft, one, member, now)
    return submit_questionnaire(questionnaire=draft, user=member.user, actor=member, now=now)


def _save(
    draft: KycQuestionnaire, member: Membership, answers: Mapping[str, Any], now: datetime, *, sections: int
) -> None:
    for section in range(sections):
        save_section(
            questionnaire=draft, section=section, typed=answers, user=member.user, actor=member, now=now
        )


def _attach(draft: KycQuestionnaire, field: FileField, member: Membership, now: datetime) -> None:
    title = f"{member.organisation.legal_name}, {field.label.fr}"
    attach(
        questionnaire=draft,
        field=field.name,
        name=NAMES.get(field.name, f"{field.name}.pdf"),
        chunks=[page(title)],
        user=member.user,
        actor=member,
        now=now,
    )


def page(text: str) -> bytes:
    """A PDF of one page that says the text (ISO 32000-1)."""
    said = text.encode("cp1252", "replace")
    for mark in (b"\\", b"(", b")"):
        said = said.replace(mark, b"\\" + mark)
    drawing = b"BT /F1 16 Tf 60 760 Td (" + said + b") Tj ET"
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 5 0 R/Resources<</Font<</F1 4 0 R>>>>>>",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        b"<</Length %d>>\nstream\n%b\nendstream" % (len(drawing), drawing),
    ]
    made, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return made + (
        b"xref\n0 6\n0000000000 65535 f \n%btrailer\n<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
        % (table, len(made))
    )
