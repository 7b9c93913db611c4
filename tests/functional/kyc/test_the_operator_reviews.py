"""The questionnaire on the operator's desk: what was answered, what changed, deciding."""

from importlib import import_module

import pytest
from django.conf import settings

from gridgate.kyc.kind import KYC
from gridgate.kyc.models import KycAttachment, KycQuestionnaire
from gridgate.kyc.operations.filling import attach, detach, save_section
from gridgate.kyc.operations.sending import submit_questionnaire, withdraw_questionnaire
from gridgate.portal.request_kinds import desk_kind
from gridgate.requests.attachments import store
from gridgate.requests.operations.life import return_request, sending_of, take
from tests.factories.documents import pdf
from tests.factories.kyc import ANSWERS, make_accepted, make_draft, make_submitted
from tests.functional.kyc.pages import text_of
from tests.handles import handle
from tests.world import World


def page_of(world: World, number: str, *, language: str = "fr"):
    return world.client("operateur", language=language).get(f"/administration/demandes/{number}/")


class TestThePage:
    def test_shows_every_answer_and_document(self, published: World) -> None:
        sent = make_submitted(published.alice, now=published.now)
        page = page_of(published, sent.number)
        text = text_of(page)
        for said in (
            "Raison sociale ACME Industries",
            "Nom et prénoms Bob",
            "Part détenue 40 %",
            "IBAN FR76 3000 6000 0112 3456 7890 189",
            "Pays d’immatriculation France",
            "registration_extract.pdf",
            "Accepté aujourd’hui, il est valable jusqu’au 25 novembre 2028.",
        ):
            assert said in text
        one = sent.attachments.first()
        assert f'href="/questionnaire/{sent.number}/documents/{handle(one)}/"' in page.content.decode()
        assert "Modifié" not in text
        assert "Renouvellement" not in text

    def test_marks_what_changed_since_the_one_accepted_before(self, published: World) -> None:
        make_accepted(published.alice, published.operateur, days_left=20, now=published.now)
        changed = {
            **ANSWERS,
            "legal_form": "SA",
            "owners": [
                *ANSWERS["owners"],
                {"name": "Chloé", "birth_date": "1980-01-01", "share": "30", "country": "FR"},
            ],
        }
        renewal = make_draft(published.alice, answers=changed, files=False, now=published.now)
        from gridgate.kyc.operations.filling import attach, detach
        from gridgate.kyc.operations.sending import submit_questionnaire
        from tests.factories.documents import pdf

        who = {"user": published.alice.user, "actor": published.alice}
        old = renewal.attachments.get(field="articles")
        detach(questionnaire=renewal, attachment=old.pk, **who)
        attach(
            questionnaire=renewal,
            field="articles",
            name="nouveaux statuts.pdf",
            chunks=[pdf("2026")],
            now=published.now,
            **who,
        )
        submit_questionnaire(questionnaire=renewal, now=published.now, **who)
        text = text_of(page_of(published, renewal.number))
        assert "Renouvellement Le questionnaire accepté avant est KYC-2026-00001" in text
        assert "3 réponses ont changé ; elles sont marquées." in text
        assert "Forme juridique SA Modifié avant : SAS" in text
        assert "nouveaux statuts.pdf 1 Ko Modifié avant : articles.pdf" in text
        assert text.count("Modifié avant") == 3
        assert "3 answers have changed; they are marked." in text_of(
            page_of(published, renewal.number, language="en")
        )

    def test_compares_with_another_version_too(self, published: World) -> None:
        from gridgate.kyc.models import KycForm

        make_accepted(published.alice, published.operateur, days_left=20, now=published.now)
        words = {"fr": "Champ", "en": "Field"}
        fields = [
            {"name": "legal_name", "kind": "text", "label": words},
            {"name": "share", "kind": "percentage", "label": words},
            {"name": "iban", "kind": "text", "label": words},
        ]
        KycForm.objects.create(
            version="2", sections=[{"title": words, "fields": fields}], published_at=published.now
        )
        from gridgate.kyc.operations.filling import save_section, start_questionnaire
        from gridgate.kyc.operations.sending import submit_questionnaire

        who = {"user": published.alice.user, "actor": published.alice, "now": published.now}
        renewal = start_questionnaire(**who)
        typed = {"legal_name": "ACME Industries", "share": "12,5", "iban": "autre"}
        submit_questionnaire(
            questionnaire=save_section(questionnaire=renewal, section=0, typed=typed, **who), **who
        )
        text = text_of(page_of(published, renewal.number))
        assert "2 réponses ont changé" in text
        assert "12,5 % Modifié avant : –" in text

    def test_escapes_what_a_company_wrote(self, published: World) -> None:
        answers = {**ANSWERS, "legal_name": "<script>alert(1)</script>", "activity": "<b>a</b>\nb"}
        sent = make_submitted(published.alice, answers=answers, now=published.now)
        page = page_of(published, sent.number).content.decode()
        assert "<script>alert(1)" not in page
        assert "&lt;b&gt;a&lt;/b&gt;<br>b" in page

    def test_is_not_there_before_it_is_sent(self, published: World) -> None:
        draft = make_draft(published.alice, now=published.now)
        assert page_of(published, draft.number).status_code == 404
        withdraw_questionnaire(
            questionnaire=draft, user=published.alice.user, actor=published.alice, now=published.now
        )
        assert page_of(published, draft.number).status_code == 404


class TestDeciding:
    def test_by_the_kinds_prefix(self) -> None:
        import_module(settings.ROOT_URLCONF)  # with the screens, which declare their kinds
        assert desk_kind("KYC-2026-00001").kind is KYC

    def test_accepts_until_the_day_that_was_said(self, published: World) -> None:
        sent = make_submitted(published.alice, now=published.now)
        take(KYC, sent, actor=published.operateur, now=published.now)
        client = published.client("operateur")
        client.post(
            f"/administration/demandes/{sent.number}/",
            {"do": "decide", "decision": "accept", "reason": "", "seen": sending_of(sent)},
        )
        sent.refresh_from_db()
        assert sent.state == "accepted"
        assert "Valable jusqu’au 25 nov. 2028" in text_of(published.client("alice").get("/questionnaire/"))
        assert "Valable jusqu’au 25 novembre 2028." in text_of(page_of(published, sent.number))

    def test_returns_it_with_a_reason_that_the_company_reads(self, published: World) -> None:
        sent = make_submitted(published.alice, now=published.now)
        client = published.client("operateur")
        address = f"/administration/demandes/{sent.number}/"
        decided = {"do": "decide", "decision": "return", "reason": "Joignez un Kbis récent."}
        client.post(address, {**decided, "seen": sending_of(sent)})
        assert KycQuestionnaire.objects.get().state == "returned"
        assert "Joignez un Kbis récent." in text_of(published.client("alice").get("/questionnaire/"))

    @pytest.mark.parametrize("who", ["alice", "charlie", "tiers1"])
    def test_is_the_operators_alone(self, published: World, who: str) -> None:
        sent = make_submitted(published.alice, now=published.now)
        answer = published.client(who).post(
            f"/administration/demandes/{sent.number}/", {"do": "decide", "decision": "accept"}
        )
        assert answer.status_code == 403
        assert KycQuestionnaire.objects.get().state == "submitted"


class TestWhatIsTypedMeanwhile:
    """Returned for complements, the questionnaire is filled in again: the desk has what it was last sent."""

    @pytest.fixture
    def returned(self, published: World) -> KycQuestionnaire:
        sent = make_submitted(published.alice, now=published.now)
        return return_request(KYC, sent, reason="Les statuts ?", actor=published.operateur, now=published.now)

    def edit(self, world: World, item: KycQuestionnaire) -> tuple[KycAttachment, KycAttachment]:
        """Another legal form, and other articles; returns the former document and the new one."""
        who = {"user": world.alice.user, "actor": world.alice}
        typed = {**ANSWERS, "legal_form": "SA"}
        save_section(questionnaire=item, section=0, typed=typed, now=world.now, **who)
        former = item.attachments.get(field="articles")
        detach(questionnaire=item, attachment=former.pk, **who)
        new = attach(
            questionnaire=item,
            field="articles",
            name="nouveaux statuts.pdf",
            chunks=[pdf("2026")],
            now=world.now,
            **who,
        )
        return former, new

    def test_is_not_on_the_desk_until_it_is_sent(self, published: World, returned: KycQuestionnaire) -> None:
        former, new = self.edit(published, returned)
        desk = text_of(page_of(published, returned.number))
        assert "Forme juridique SAS" in desk
        assert "articles.pdf" in desk
        assert "nouveaux statuts.pdf" not in desk
        staff, alice = published.client("operateur"), published.client("alice")
        assert [staff.get(document(one)).status_code for one in (former, new)] == [200, 404]
        assert [alice.get(document(one)).status_code for one in (former, new)] == [404, 200]
        own = text_of(alice.get(f"/questionnaire/{returned.number}/"))
        assert "Forme juridique SA " in own
        assert "nouveaux statuts.pdf" in own
        assert " articles.pdf" not in own

    def test_is_there_once_it_is_sent(self, published: World, returned: KycQuestionnaire) -> None:
        former, new = self.edit(published, returned)
        submit_questionnaire(
            questionnaire=returned, user=published.alice.user, actor=published.alice, now=published.now
        )
        desk = text_of(page_of(published, returned.number))
        assert "Forme juridique SA " in desk
        assert "nouveaux statuts.pdf" in desk
        assert " articles.pdf" not in desk
        assert published.client("operateur").get(document(former)).status_code == 404
        assert published.client("operateur").get(document(new)).status_code == 200

    def test_goes_when_it_is_taken_back(self, published: World, returned: KycQuestionnaire) -> None:
        former, new = self.edit(published, returned)
        withdraw_questionnaire(
            questionnaire=returned, user=published.alice.user, actor=published.alice, now=published.now
        )
        for page in (
            page_of(published, returned.number),
            published.client("alice").get(f"/questionnaire/{returned.number}/"),
        ):
            assert "Forme juridique SAS" in text_of(page)
            assert "nouveaux statuts.pdf" not in text_of(page)
            assert "articles.pdf" in text_of(page)
        assert published.client("alice").get(document(former)).status_code == 200
        assert not store().has(new.sha256)

    def test_may_join_a_document_again_that_was_taken_away(
        self, published: World, returned: KycQuestionnaire
    ) -> None:
        who = {"user": published.alice.user, "actor": published.alice}
        former = returned.attachments.get(field="articles")
        detach(questionnaire=returned, attachment=former.pk, **who)
        attach(
            questionnaire=returned,
            field="articles",
            name="articles.pdf",
            chunks=[pdf("articles")],
            now=published.now,
            **who,
        )
        assert returned.attachments.get(field="articles") == former
        assert published.client("alice").get(document(former)).status_code == 200


def document(one: KycAttachment) -> str:
    return f"/questionnaire/{one.questionnaire.number}/documents/{handle(one)}/"
