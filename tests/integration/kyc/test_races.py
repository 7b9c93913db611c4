"""Several processes on one questionnaire: a double click, a colleague, the same document here and there."""

from tests.real_registry import AT_ONCE, Registry

CAST = """
from datetime import UTC, datetime
from gridgate.core.errors import GridgateError
from gridgate.kyc.models import KycAttachment, KycQuestionnaire
from gridgate.organisations.models import Membership
from gridgate.kyc.operations.filling import attach, detach, save_section, start_questionnaire
from gridgate.kyc.operations.sending import submit_questionnaire
from tests.factories.documents import pdf
from tests.factories.kyc import ensure_form, make_draft
now = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
alice = Membership.objects.select_related("user", "organisation").get(user__full_name="Alice")
charlie = Membership.objects.select_related("user", "organisation").get(user__full_name="Charlie")
def told(act):
    try:
        act()
        print("done")
    except GridgateError as error:
        print(type(error).__name__)
"""
ALICES = "draft = KycQuestionnaire.objects.get(organisation=alice.organisation)\n"
SUBMIT = "told(lambda: submit_questionnaire(questionnaire=draft, user=alice.user, actor=alice, now=now))"
SPOIL = "told(lambda: save_section(questionnaire=draft, section=5, typed={}, user=alice.user, actor=alice, now=now))"
BEGIN = "told(lambda: start_questionnaire(user=alice.user, actor=alice, now=now))"


def test_a_questionnaire_sent_by_several_clicks_is_sent_once(registry: Registry) -> None:
    registry.run(CAST + "make_draft(alice, now=now)")
    printed = registry.at_once(*[CAST + ALICES + AT_ONCE + SUBMIT] * 3)
    assert sorted(printed) == ["RequestNotOpen", "RequestNotOpen", "done"]
    assert registry.rows("SELECT count(*) FROM requests_requestevent") == [(1,)]
    assert registry.rows("SELECT count(*) FROM audit_auditevent WHERE action = 'kyc.submitted'") == [(1,)]


def test_what_is_sent_is_what_was_checked(registry: Registry) -> None:
    """A colleague empties a section at the moment it is sent: either it is sent whole, or not at all."""
    registry.run(CAST + "make_draft(alice, now=now)")
    sent, spoilt = registry.at_once(CAST + ALICES + AT_ONCE + SUBMIT, CAST + ALICES + AT_ONCE + SPOIL)
    ((state, whole),) = registry.rows(
        "SELECT state, json_extract(answers, '$.iban') IS NOT NULL FROM kyc_kycquestionnaire"
    )
    expected = {
        "submitted": ("done", "RequestNotOpen", 1),
        "draft": ("QuestionnaireIncomplete", "done", 0),
    }
    assert (sent, spoilt, whole) == expected[state]


def test_a_questionnaire_begun_by_several_clicks_is_one(registry: Registry) -> None:
    registry.run(CAST + "ensure_form(now)")
    assert registry.at_once(*[CAST + AT_ONCE + BEGIN] * 3) == ["done"] * 3
    assert registry.rows("SELECT count(*) FROM kyc_kycquestionnaire") == [(1,)]


def test_a_document_removed_here_while_it_is_joined_there_stays(registry: Registry) -> None:
    join = """attach(questionnaire=theirs, field="articles", name="a.pdf", chunks=[pdf("same")], user=charlie.user,
        actor=charlie, now=now)"""
    registry.run(
        CAST
        + """
ours = make_draft(alice, files=False, now=now)
make_draft(charlie, files=False, now=now)
attach(questionnaire=ours, field="articles", name="a.pdf", chunks=[pdf("same")], user=alice.user, actor=alice, now=now)
"""
    )
    remove = f"{ALICES}only = draft.attachments.get().pk\n{AT_ONCE}" + (
        "told(lambda: detach(questionnaire=draft, attachment=only, user=alice.user, actor=alice))"
    )
    find = "theirs = KycQuestionnaire.objects.get(organisation=charlie.organisation)\n"
    assert registry.at_once(CAST + remove, f"{CAST}{find}{AT_ONCE}told(lambda: {join})") == ["done", "done"]
    ((sha256,),) = registry.rows("SELECT sha256 FROM kyc_kycattachment")
    assert (registry.data / "attachments" / sha256[:2] / sha256).is_file()
