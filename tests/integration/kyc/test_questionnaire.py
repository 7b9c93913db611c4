"""The questionnaire's operations: who may, in which state, with which documents."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from gridgate.accounts.operations.own_account import delete_account
from gridgate.audit.models import AuditEvent
from gridgate.core.errors import GridgateError
from gridgate.kyc.form import BUILT_IN
from gridgate.kyc.form_file import InvalidForm
from gridgate.kyc.kind import KYC
from gridgate.kyc.models import KycAttachment, KycForm, KycQuestionnaire
from gridgate.kyc.operations.filling import (
    NoForm,
    attach,
    detach,
    save_section,
    start_questionnaire,
)
from gridgate.kyc.operations.forgetting import forget_unnamed_documents
from gridgate.kyc.operations.forms import publish_built_in_form, publish_form
from gridgate.kyc.operations.sending import (
    QuestionnaireIncomplete,
    accept_questionnaire,
    end_of_validity,
    faults_in,
    submit_questionnaire,
    withdraw_questionnaire,
)
from gridgate.kyc.queries import (
    accepted_before,
    attachment_of,
    present_form,
    standing,
)
from gridgate.organisations.authority import NotAllowed
from gridgate.organisations.operations.members import create_user
from gridgate.requests.attachments import AttachmentRefused, store
from gridgate.requests.kinds import RequestNotFound
from gridgate.requests.models import RequestEvent, RequestState
from gridgate.requests.operations.life import RequestNotOpen, refuse_request, return_request, take
from tests.factories.documents import PNG, pdf
from tests.factories.kyc import ANSWERS, FILES, ensure_form, make_accepted, make_draft, make_submitted
from tests.factories.organisations import make_group

SHORT = json.dumps(
    {
        "months_valid": 12,
        "sections": [
            {
                "title": {"fr": "Identité", "en": "Identity"},
                "fields": [
                    {
                        "name": "legal_name",
                        "kind": "text",
                        "label": {"fr": "Nom", "en": "Name"},
                        "prefill": "legal_name",
                    }
                ],
            }
        ],
    }
).encode()


@pytest.fixture(autouse=True)
def documents(settings, tmp_path):
    """The documents of this test alone."""
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"data": tmp_path})
    return tmp_path / "attachments"


def stored(documents) -> list[str]:
    return sorted(path.name for path in documents.rglob("*") if path.is_file() and path.name != ".lock")


def join(draft, who, content=None, *, field="articles", name="statuts.pdf", now):
    chunks = [content if content is not None else pdf("articles")]
    return attach(
        questionnaire=draft, field=field, name=name, chunks=chunks, user=who.user, actor=who, now=now
    )


def person(world, name="Nadia"):
    return create_user(email=f"{name.lower()}@ailleurs.example", full_name=name, password=None, now=world.now)


class TestPublishForm:
    def test_publishes_the_built_in_one_once(self, world):
        assert publish_built_in_form(now=world.now).version == "1"
        assert publish_built_in_form(now=world.now) is None

    def test_is_the_present_one_from_then_on_and_leaves_running_ones_on_theirs(self, world):
        running = make_draft(world.alice, now=world.now)
        later = world.now + timedelta(days=1)
        made = publish_form(document=SHORT, version=" 2 ", actor=world.operateur, now=later)
        assert present_form() == made
        assert (made.version, made.months_valid) == ("2", 12)
        running.refresh_from_db()
        assert running.form.version == "1"
        assert faults_in(running, now=later) == []
        other = start_questionnaire(user=world.charlie.user, actor=world.charlie, now=later)
        assert (other.form.version, other.answers) == ("2", {"legal_name": "Client B"})
        event = AuditEvent.objects.get(action="kyc.form_published", subject_label="2")
        assert (event.organisation, event.user_name) == (world.operator.pk, str(world.operateur.user))

    @pytest.mark.parametrize("version", ["", "a b", "-1", "x" * 21, "1/2", "../1"])
    def test_refuses_a_name_that_will_not_do(self, world, version):
        with pytest.raises(GridgateError, match="letters"):
            publish_form(document=BUILT_IN.read_bytes(), version=version, now=world.now)

    def test_refuses_a_name_that_is_taken(self, world):
        ensure_form(world.now)
        with pytest.raises(GridgateError, match="never changes"):
            publish_form(document=BUILT_IN.read_bytes(), version="1", now=world.now)

    def test_refuses_a_document_that_is_none(self, world):
        with pytest.raises(InvalidForm):
            publish_form(document=b"{}", version="2", now=world.now)
        assert not KycForm.objects.exists()

    @pytest.mark.parametrize("who", ["alice", "tiers1"])
    def test_is_for_the_operators_administrators(self, world, who):
        with pytest.raises(NotAllowed):
            publish_form(
                document=BUILT_IN.read_bytes(), version="2", actor=world.membership(who), now=world.now
            )


class TestStart:
    def test_knows_what_the_company_is_called(self, world):
        ensure_form(world.now)
        made = start_questionnaire(user=world.alice.user, actor=world.alice, now=world.now)
        assert made.answers == {"legal_name": "ACME Industries", "siren": "111222337"}
        assert (made.number, made.state, made.organisation) == ("KYC-2026-00001", "draft", world.acme)

    def test_returns_the_one_that_is_under_way(self, world):
        sent = make_submitted(world.alice, now=world.now)
        assert start_questionnaire(user=world.alice.user, actor=world.alice, now=world.now) == sent
        assert KycQuestionnaire.objects.count() == 1

    def test_is_open_to_a_person_without_a_company(self, world):
        ensure_form(world.now)
        made = start_questionnaire(user=person(world), actor=None, now=world.now)
        assert (made.organisation, made.answers) == (None, {})

    def test_needs_a_form(self, world):
        with pytest.raises(NoForm):
            start_questionnaire(user=world.alice.user, actor=world.alice, now=world.now)

    @pytest.mark.parametrize("who", ["bob", "acme_user", "operateur"])
    def test_is_for_members_with_the_entitlement(self, world, who):
        ensure_form(world.now)
        member = world.membership(who)
        with pytest.raises(NotAllowed):
            start_questionnaire(user=member.user, actor=member, now=world.now)

    def test_is_open_to_a_member_who_may_make_requests(self, world):
        ensure_form(world.now)
        make_group(world.acme, "Démarches", [world.bob], {"requests": None})
        bob = world.membership("bob")
        assert start_questionnaire(user=bob.user, actor=bob, now=world.now).organisation == world.acme


class TestSaveSection:
    def test_keeps_the_other_sections(self, world):
        draft = make_draft(world.alice, now=world.now)
        saved = save_section(
            questionnaire=draft,
            section=5,
            typed={"iban": "FR76 0000", "bic": "", "account_holder": "ACME"},
            user=world.alice.user,
            actor=world.alice,
            now=world.now,
        )
        assert saved.answers == {
            **{name: value for name, value in draft.answers.items() if name != "bic"},
            "iban": "FR76 0000",
            "account_holder": "ACME",
        }

    def test_is_refused_once_it_is_sent(self, world):
        sent = make_submitted(world.alice, now=world.now)
        with pytest.raises(RequestNotOpen):
            save_section(
                questionnaire=sent,
                section=0,
                typed={},
                user=world.alice.user,
                actor=world.alice,
                now=world.now,
            )
        with pytest.raises(RequestNotOpen):
            join(sent, world.alice, now=world.now)

    def test_is_nobody_elses(self, world):
        draft = make_draft(world.alice, now=world.now)
        for who in ("charlie", "bob", "operateur"):
            member = world.membership(who)
            with pytest.raises(RequestNotFound):
                save_section(
                    questionnaire=draft, section=0, typed={}, user=member.user, actor=member, now=world.now
                )
        with pytest.raises(RequestNotFound):  # the company's is not the person's own
            save_section(
                questionnaire=draft, section=0, typed={}, user=world.alice.user, actor=None, now=world.now
            )


class TestAttachments:
    def test_are_stored_once_and_removed_with_the_last_that_names_them(self, world, documents):
        ours = make_draft(world.alice, files=False, now=world.now)
        theirs = make_draft(world.charlie, files=False, now=world.now)
        first = join(ours, world.alice, now=world.now)
        assert join(ours, world.alice, name="autre.pdf", now=world.now) == first
        elsewhere = join(ours, world.alice, field="other_documents", now=world.now)
        others = join(theirs, world.charlie, now=world.now)
        assert stored(documents) == [first.sha256]
        for draft, who, one in (
            (ours, world.alice, first),
            (theirs, world.charlie, others),
            (ours, world.alice, elsewhere),
        ):
            assert stored(documents) == [first.sha256]
            detach(questionnaire=draft, attachment=one.pk, user=who.user, actor=who)
        assert stored(documents) == []
        assert not KycAttachment.objects.exists()

    def test_are_not_removed_by_another_company(self, world, documents):
        ours = make_draft(world.alice, files=False, now=world.now)
        one = join(ours, world.alice, now=world.now)
        theirs = make_draft(world.charlie, files=False, now=world.now)
        with pytest.raises(RequestNotFound):
            detach(questionnaire=ours, attachment=one.pk, user=world.charlie.user, actor=world.charlie)
        detach(questionnaire=theirs, attachment=one.pk, user=world.charlie.user, actor=world.charlie)
        assert stored(documents) == [one.sha256]

    def test_have_their_number_their_type_and_their_size(self, world, documents):
        draft = make_draft(world.alice, files=False, now=world.now)
        join(draft, world.alice, pdf("1"), now=world.now)
        join(draft, world.alice, pdf("2"), now=world.now)
        before = stored(documents)
        for content, field, code in (
            (pdf("3"), "articles", "too_many"),
            (PNG, "registration_extract", "not_allowed"),
            (b"", "registration_extract", "empty"),
            (pdf("x" * 11 * 1024**2), "registration_extract", "too_large"),
            (pdf(), "legal_name", "no_field"),
            (pdf(), "nowhere", "no_field"),
        ):
            with pytest.raises(AttachmentRefused) as error:
                join(draft, world.alice, content, field=field, now=world.now)
            assert error.value.code == code
        assert stored(documents) == before

    def test_are_read_by_who_may_and_by_the_operator_once_sent(self, world):
        draft = make_draft(world.alice, now=world.now)
        one = draft.attachments.first()

        def readable(who):
            member = world.membership(who)
            try:
                return attachment_of(draft.number, one.pk, user=member.user, actor=member) == one
            except GridgateError:
                return False

        everyone = ("alice", "bob", "acme_user", "charlie", "tiers1", "operateur")
        assert [who for who in everyone if readable(who)] == ["alice"]
        submit_questionnaire(questionnaire=draft, user=world.alice.user, actor=world.alice, now=world.now)
        assert [who for who in everyone if readable(who)] == ["alice", "operateur"]
        other = make_draft(world.charlie, now=world.now)
        with pytest.raises(GridgateError):  # a document of another questionnaire, by this one's number
            attachment_of(
                draft.number, other.attachments.first().pk, user=world.alice.user, actor=world.alice
            )

    def test_left_behind_are_forgotten_after_a_day(self, world, documents):
        kept = make_draft(world.alice, now=world.now)
        with store().held():
            lost = store().keep([pdf("lost")], most=10_000, types=["pdf"])
        real_now = datetime.fromtimestamp((documents / lost.sha256[:2] / lost.sha256).stat().st_mtime, UTC)
        assert forget_unnamed_documents(now=real_now + timedelta(hours=23)) == 0
        assert forget_unnamed_documents(now=real_now + timedelta(hours=25)) == 1
        assert stored(documents) == sorted(kept.attachments.values_list("sha256", flat=True))


class TestSubmit:
    def test_sends_what_is_whole(self, world):
        sent = make_submitted(world.alice, now=world.now)
        assert (sent.state, sent.submitted_at) == ("submitted", world.now)
        assert sent.due_at == world.now + timedelta(days=5)
        assert AuditEvent.objects.filter(action="kyc.submitted", organisation=world.acme.pk).exists()

    def test_refuses_what_is_not(self, world):
        draft = make_draft(world.alice, answers={**ANSWERS, "iban": "FR76"}, files=False, now=world.now)
        with pytest.raises(QuestionnaireIncomplete) as error:
            submit_questionnaire(questionnaire=draft, user=world.alice.user, actor=world.alice, now=world.now)
        assert {fault.name for fault in error.value.faults} == {"iban", *FILES}
        draft.refresh_from_db()
        assert draft.state == RequestState.DRAFT

    def test_is_completed_after_it_was_returned(self, world):
        sent = make_submitted(world.alice, now=world.now)
        return_request(KYC, sent, reason="Le Kbis date de 2023.", actor=world.operateur, now=world.now)
        sent.refresh_from_db()
        (old,) = sent.attachments.filter(field="registration_extract")
        detach(questionnaire=sent, attachment=old.pk, user=world.alice.user, actor=world.alice)
        with pytest.raises(QuestionnaireIncomplete):
            submit_questionnaire(questionnaire=sent, user=world.alice.user, actor=world.alice, now=world.now)
        join(sent, world.alice, pdf("2026"), field="registration_extract", now=world.now)
        again = submit_questionnaire(
            questionnaire=sent, user=world.alice.user, actor=world.alice, now=world.now
        )
        assert (again.state, again.reason) == ("submitted", "")
        assert list(RequestEvent.objects.order_by("pk").values_list("state", flat=True)) == [
            "submitted",
            "returned",
            "submitted",
        ]


class TestWithdraw:
    def test_forgets_what_the_operator_never_received(self, world, documents):
        draft = make_draft(world.alice, now=world.now)
        done = withdraw_questionnaire(
            questionnaire=draft, user=world.alice.user, actor=world.alice, now=world.now
        )
        assert (done.state, done.answers, done.attachments.count()) == ("withdrawn", {}, 0)
        assert stored(documents) == []

    def test_keeps_what_it_received(self, world, documents):
        sent = make_submitted(world.alice, now=world.now)
        done = withdraw_questionnaire(
            questionnaire=sent, user=world.alice.user, actor=world.alice, now=world.now
        )
        assert (done.state, done.attachments.count()) == ("withdrawn", len(FILES))
        assert len(stored(documents)) == len(FILES)

    def test_happens_when_the_account_is_deleted(self, world):
        nadia = person(world)
        draft = make_draft(None, user=nadia, now=world.now)
        delete_account(user=nadia, now=world.now)
        draft.refresh_from_db()
        assert (draft.state, draft.answers, draft.attachments.count()) == ("withdrawn", {}, 0)


class TestAccept:
    def test_is_valid_for_as_long_as_its_version_says(self, world):
        done = make_accepted(world.alice, world.operateur, now=world.now)
        assert done.state == RequestState.ACCEPTED
        assert done.valid_until == datetime(
            2028, 11, 25, 22, 59, 59, tzinfo=UTC
        )  # one second to midnight in Paris

    @pytest.mark.parametrize(
        ("day", "months", "last_instant"),
        [
            (datetime(2026, 8, 31, 10, tzinfo=UTC), 6, datetime(2027, 2, 28, 22, 59, 59, tzinfo=UTC)),
            (datetime(2024, 2, 29, 10, tzinfo=UTC), 12, datetime(2025, 2, 28, 22, 59, 59, tzinfo=UTC)),
            (datetime(2026, 12, 15, 10, tzinfo=UTC), 1, datetime(2027, 1, 15, 22, 59, 59, tzinfo=UTC)),
            (datetime(2026, 11, 30, 10, tzinfo=UTC), 1, datetime(2026, 12, 30, 22, 59, 59, tzinfo=UTC)),
            (datetime(2026, 6, 30, 22, 30, tzinfo=UTC), 12, datetime(2027, 7, 1, 21, 59, 59, tzinfo=UTC)),
        ],
    )
    def test_ends_with_a_civil_day(self, day, months, last_instant):
        assert end_of_validity(day, months) == last_instant

    def test_is_the_operators(self, world):
        sent = make_submitted(world.alice, now=world.now)
        with pytest.raises(NotAllowed):
            accept_questionnaire(questionnaire=sent, actor=world.alice, now=world.now)
        take(KYC, sent, actor=world.operateur, now=world.now)
        accept_questionnaire(questionnaire=sent, actor=world.operateur, now=world.now)
        with pytest.raises(RequestNotOpen):
            accept_questionnaire(questionnaire=sent, actor=world.operateur, now=world.now)


class TestRenewal:
    def test_copies_answers_and_documents(self, world, documents):
        first = make_accepted(world.alice, world.operateur, days_left=20, now=world.now)
        before = stored(documents)
        renewal = start_questionnaire(user=world.alice.user, actor=world.alice, now=world.now)
        assert renewal.renews == first
        assert renewal.answers == first.answers
        assert sorted(renewal.attachments.values_list("field", "sha256", "name")) == sorted(
            first.attachments.values_list("field", "sha256", "name")
        )
        assert stored(documents) == before
        for one in renewal.attachments.all():
            detach(questionnaire=renewal, attachment=one.pk, user=world.alice.user, actor=world.alice)
        assert stored(documents) == before  # the first one names them still

    def test_leaves_documents_that_the_present_version_no_longer_takes(self, world):
        make_accepted(world.alice, world.operateur, days_left=20, now=world.now)
        words = {"fr": "Pièce", "en": "Paper"}
        fields = [
            {"name": "articles", "kind": "file", "types": ["png"], "label": words},
            {"name": "bank_details", "kind": "file", "label": words},
        ]
        KycForm.objects.create(
            version="2", sections=[{"title": words, "fields": fields}], published_at=world.now
        )
        renewal = start_questionnaire(user=world.alice.user, actor=world.alice, now=world.now)
        assert list(renewal.attachments.values_list("field", flat=True)) == ["bank_details"]
        assert renewal.answers == {}

    def test_of_a_refused_one_begins_with_what_was_answered(self, world):
        sent = make_submitted(world.alice, now=world.now)
        refuse_request(KYC, sent, reason="Sanctions.", actor=world.operateur, now=world.now)
        again = start_questionnaire(user=world.alice.user, actor=world.alice, now=world.now)
        assert (again.renews, again.answers["iban"]) == (None, ANSWERS["iban"])

    def test_compares_with_the_one_accepted_before(self, world):
        first = make_accepted(world.alice, world.operateur, days_left=20, now=world.now)
        renewal = make_submitted(world.alice, answers={**ANSWERS, "legal_form": "SA"}, now=world.now)
        assert accepted_before(renewal) == first
        assert accepted_before(first) is None
        theirs = make_submitted(world.charlie, now=world.now)
        assert accepted_before(theirs) is None

    def test_leaves_the_first_standing_until_it_is_accepted(self, world):
        first = make_accepted(world.alice, world.operateur, days_left=20, now=world.now)
        renewal = make_submitted(world.alice, now=world.now)
        stands = standing(user=world.alice.user, actor=world.alice)
        assert (stands.accepted, stands.running, stands.refused) == (first, renewal, None)
        accept_questionnaire(questionnaire=renewal, actor=world.operateur, now=world.now)
        assert standing(user=world.alice.user, actor=world.alice).accepted == renewal
