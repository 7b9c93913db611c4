"""A company begins, fills in section by section, sends, completes and takes back."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from gridgate.kyc.kind import KYC
from gridgate.kyc.models import KycAttachment, KycQuestionnaire
from gridgate.organisations.operations.members import create_user
from gridgate.requests.operations.life import refuse_request, return_request
from tests.factories.documents import pdf
from tests.factories.kyc import ANSWERS, FILES, make_accepted, make_draft, make_submitted
from tests.factories.organisations import make_group
from tests.functional.company.conftest import hidden
from tests.functional.confirming import save
from tests.functional.eic.reading import send_as_read
from tests.functional.kyc.pages import error_of, text_of, value_of
from tests.world import World

HOME = "/questionnaire/"
NUMBER = "KYC-2026-00001"
PAGE = f"/questionnaire/{NUMBER}/"


def section(number: int) -> str:
    return f"{PAGE}{number}/"


OWNERS = {
    "q-has_owners": "yes",
    "q-owners-0-name": "Alice",
    "q-owners-0-birth_date": "1970-02-03",
    "q-owners-0-share": "60",
    "q-owners-0-country": "FR",
}
SECTIONS = [
    {
        "q-legal_name": "ACME Industries",
        "q-legal_form": "SAS",
        "q-country": "FR",
        "q-siren": "111 222 337",
        "q-incorporated_on": "02/05/1994",
        "q-registered_office": "12 rue des Ateliers\r\n69007 Lyon",
    },
    {"q-in_group": "no", "q-listed": "no"},
    OWNERS,
    {
        "q-representatives-0-name": "Alice",
        "q-representatives-0-function": "Présidente",
        "q-representatives-0-birth_date": "1970-02-03",
        "q-representatives-0-country": "FR",
    },
    {
        "q-activities": ["brp", "capacity"],
        "q-activity": "Pièces mécaniques.",
        "q-turnover": "1 250 000,50",
        "q-regulated": "no",
        "q-remit": "no",
    },
    {"q-account_holder": "ACME", "q-iban": "FR76 3000 6000 0112 3456 7890 189", "q-bic": "bnpafrpp"},
    {"q-sanctions": "no", "q-convictions": "no", "q-pep": "no"},
    {f"q-{name}": SimpleUploadedFile(f"{name}.pdf", pdf(name)) for name in FILES},
]


class TestTwoColleagues:
    def test_one_reads_what_the_other_saved_before_replacing_it(self, published: World) -> None:
        client = published.client("alice")
        client.post("/questionnaire/commencer/")
        make_group(published.acme, "Dossier", [published.bob], {"requests": None})
        colleague = published.client("bob")
        first, second = (hidden(one.get(section(1)), "seen") for one in (client, colleague))
        assert first == second
        assert save(colleague, section(1), SECTIONS[0] | {"seen": second}).status_code == 302
        mine = SECTIONS[0] | {"q-legal_form": "SA", "q-country": "BE", "seen": first}
        page = save(client, section(1), mine)
        assert page.status_code == 409
        assert "Autre chose a été enregistré depuis que vous avez ouvert cette page." in text_of(page)
        assert "Forme juridique SAS" in text_of(page)
        assert value_of(page, "q-legal_form") == "SA"
        assert KycQuestionnaire.objects.get().answers["legal_form"] == "SAS"
        other = save(client, section(2), SECTIONS[1] | {"seen": hidden(client.get(section(2)), "seen")})
        assert other.status_code == 302, "another section is another's to change"
        assert save(client, section(1), mine | {"seen": hidden(page, "seen")}).status_code == 302
        assert KycQuestionnaire.objects.get().answers["legal_form"] == "SA"

    def test_both_may_save_the_same(self, published: World) -> None:
        client = published.client("alice")
        client.post("/questionnaire/commencer/")
        opened = hidden(client.get(section(1)), "seen")
        for _ in range(2):
            assert save(client, section(1), SECTIONS[0] | {"seen": opened}).status_code == 302

    def test_files_of_a_section_that_was_changed_meanwhile_are_asked_for_again(
        self, published: World
    ) -> None:
        client = published.client("alice")
        client.post("/questionnaire/commencer/")
        opened = hidden(client.get(section(1)), "seen")
        save(client, section(1), SECTIONS[0] | {"seen": opened})
        page = save(client, section(1), {"q-autre": SimpleUploadedFile("a.pdf", pdf("a")), "seen": opened})
        assert page.status_code == 409
        assert "Les fichiers joints sont à choisir de nouveau." in text_of(page)
        assert not KycAttachment.objects.exists()


class TestFromBeginningToEnd:
    def test_by_forms_alone(self, published: World) -> None:
        client = published.client("alice")
        assert "Aucun questionnaire pour l’instant" in text_of(client.get(HOME))
        page = client.post("/questionnaire/commencer/", follow=True)
        assert value_of(page, "q-legal_name") == "ACME Industries"
        assert value_of(page, "q-siren") == "111222337"
        for number, typed in enumerate(SECTIONS, start=1):
            for sent in typed.values():
                if isinstance(sent, SimpleUploadedFile):
                    sent.seek(0)
            answer = save(client, section(number), {**typed, "vers": "suite"})
            expected = section(number + 1) if number < len(SECTIONS) else PAGE
            assert answer.status_code == 302, text_of(answer)
            assert answer["Location"] == expected
        summary = text_of(client.get(PAGE))
        assert "Tout est rempli" in summary
        assert "1 250 000,5 €" in summary
        assert "2 mai 1994" in summary
        assert "FR76 3000 6000 0112 3456 7890 189" in summary
        assert "Responsable d’équilibre, Mécanisme de capacité" in summary
        sent = send_as_read(client, PAGE, follow=True)
        assert "est envoyé. Réponse au plus tard le 30 novembre 2026, par e-mail." in text_of(sent)
        assert KycQuestionnaire.objects.get().state == "submitted"
        again = text_of(client.get(HOME))
        assert "Envoyé le 25 novembre 2026" in again
        assert "Commencer" not in again

    def test_by_a_person_without_a_company(self, published: World) -> None:
        nadia = create_user(
            email="nadia@ailleurs.example", full_name="Nadia", password=None, now=published.now
        )
        client = published.visitor()
        client.force_login(nadia)
        page = client.post("/questionnaire/commencer/", follow=True)
        assert value_of(page, "q-legal_name") == ""
        assert "no-store" in page["Cache-Control"]
        save(client, section(1), {"q-legal_name": "Nadia Énergie", "vers": "suite"})
        made = KycQuestionnaire.objects.get()
        assert (made.organisation, made.requester, made.answers) == (
            None,
            nadia,
            {"legal_name": "Nadia Énergie"},
        )
        assert "Nadia Énergie" in text_of(client.get(PAGE))
        assert published.client("alice").get(PAGE).status_code == 404

    def test_in_english(self, published: World) -> None:
        client = published.client("alice", language="en")
        assert "No questionnaire yet" in text_of(client.get(HOME))
        page = text_of(client.post("/questionnaire/commencer/", follow=True))
        assert "Legal identity" in page
        assert "Country of registration" in page
        answer = save(client, section(1), {"q-siren": "111222338", "vers": "suite"})
        assert (
            error_of(answer, "q-siren")
            == "The check digit does not fit: a character is wrong. Check each one."
        )


class TestSaving:
    def test_keeps_what_will_not_do_and_says_why_beside_it(self, published: World) -> None:
        draft = make_draft(published.alice, files=False, now=published.now)
        client = published.client("alice")
        typed = {"q-account_holder": "ACME", "q-iban": "FR76 300", "q-bic": "", "vers": "suite"}
        page = save(client, section(6), typed)
        assert page.status_code == 200
        assert error_of(page, "q-iban") == "7 caractères saisis ; un IBAN qui commence par FR en a 27."
        assert "Ce que vous avez saisi est gardé ; il reste à corriger IBAN : 7 caractères saisis" in text_of(
            page
        )
        assert error_of(page, "q-bic") == "", "what is still to come is no mistake"
        later = client.get(section(6))
        assert (value_of(later, "q-iban"), value_of(later, "q-account_holder")) == ("FR76 300", "ACME")
        assert error_of(later, "q-iban")
        draft.refresh_from_db()
        assert draft.answers["legal_name"] == ANSWERS["legal_name"]

    def test_keeps_nothing_of_a_form_that_does_not_say_what_was_read(self, published: World) -> None:
        draft = make_draft(published.alice, files=False, now=published.now)
        page = published.client("alice").post(section(1), {"q-legal_name": "Autre", "vers": "suite"})
        assert page.status_code == 409
        draft.refresh_from_db()
        assert draft.answers["legal_name"] == ANSWERS["legal_name"]

    def test_shows_a_date_that_is_none_as_it_was_typed(self, published: World) -> None:
        make_draft(published.alice, files=False, now=published.now)
        client = published.client("alice")
        page = save(client, section(1), {"q-incorporated_on": "31/02/1994", "vers": "suite"})
        assert value_of(page, "q-incorporated_on") == "31/02/1994"
        assert (
            error_of(page, "q-incorporated_on") == "Cette date n’existe pas. Écrivez-la ainsi : 31/12/1980."
        )

    def test_says_what_is_missing_when_asked(self, published: World) -> None:
        client = published.client("alice")
        client.post("/questionnaire/commencer/")
        assert error_of(client.get(section(1)), "q-legal_form") == ""
        assert error_of(client.get(f"{section(1)}?tout=1"), "q-legal_form") == "À remplir."

    def test_lists_on_the_summary_what_lacks_with_the_way_there(self, published: World) -> None:
        make_draft(published.alice, answers={**ANSWERS, "iban": "FR76"}, files=False, now=published.now)
        page = published.client("alice").get(PAGE)
        text = text_of(page)
        assert "6 sections complètes sur 8" in text
        assert "Compte bancaire 1 réponse à corriger" in text
        assert "Documents 4 réponses à donner" in text
        assert f'href="{section(6)}?tout=1"' in page.content.decode()
        assert "Envoyer le questionnaire" not in text

    def test_never_loses_the_other_sections(self, published: World) -> None:
        client = published.client("alice")
        client.post("/questionnaire/commencer/")
        for number in (6, 2, 6):
            save(client, section(number), {**SECTIONS[number - 1], "vers": "resume"})
        made = KycQuestionnaire.objects.get()
        assert set(made.answers) == {
            "legal_name",
            "siren",
            "in_group",
            "listed",
            "account_holder",
            "iban",
            "bic",
        }

    @pytest.mark.parametrize("place", [0, 9, 99])
    def test_knows_no_other_section(self, published: World, place: int) -> None:
        make_draft(published.alice, files=False, now=published.now)
        assert published.client("alice").get(section(place)).status_code == 404

    def test_shows_an_operators_words_as_words(self, published: World) -> None:
        """A hint is configuration, and no markup."""
        from gridgate.kyc.models import KycForm

        bold = {"fr": "<b>gras</b>", "en": "<b>bold</b>"}
        fields = [{"name": "a", "kind": "text", "label": bold, "help": bold}]
        KycForm.objects.update(sections=[{"title": bold, "fields": fields}])
        client = published.client("alice")
        page = client.post("/questionnaire/commencer/", follow=True).content.decode()
        assert "<b>gras</b>" not in page
        assert page.count("&lt;b&gt;gras&lt;/b&gt;") >= 3


class TestRows:
    def test_are_added_and_removed_without_a_script(self, published: World) -> None:
        client = published.client("alice")
        client.post("/questionnaire/commencer/")
        first = client.get(section(3)).content.decode()
        assert 'name="q-owners-0-name"' in first
        assert 'name="q-owners-1-name"' not in first
        added = save(client, section(3), {**OWNERS, "ajouter": "owners"})
        assert added["Location"] == f"{section(3)}?plus=owners#rang-owners-1"
        page = client.get(f"{section(3)}?plus=owners")
        assert value_of(page, "q-owners-0-name") == "Alice"
        assert value_of(page, "q-owners-1-name") == ""
        assert 'id="rang-owners-1"' in page.content.decode()
        both = {**OWNERS, "q-owners-1-name": "Bob", "q-owners-1-share": "quarante"}
        removed = save(client, section(3), {**both, "retirer": "owners-0"})
        assert removed["Location"] == f"{section(3)}#groupe-owners"
        made = KycQuestionnaire.objects.get()
        assert made.answers["owners"] == [{"name": "Bob", "share": "quarante"}]

    def test_say_what_is_wrong_in_which_row(self, published: World) -> None:
        client = published.client("alice")
        client.post("/questionnaire/commencer/")
        typed = {**OWNERS, "q-owners-1-name": "Bob", "q-owners-1-share": "140"}
        page = save(client, section(3), {**typed, "vers": "suite"})
        assert error_of(page, "q-owners-1-share") == "100 % au plus."
        assert error_of(page, "q-owners-0-share") == ""

    def test_stop_at_the_most(self, published: World) -> None:
        rows = [{"name": f"Nom {number}"} for number in range(12)]
        make_draft(published.alice, answers={"owners": rows}, files=False, now=published.now)
        page = published.client("alice").get(f"{section(3)}?plus=owners").content.decode()
        assert 'name="q-owners-11-name"' in page
        assert 'name="q-owners-12-name"' not in page
        assert 'value="owners">' not in page


class TestSending:
    def test_is_refused_while_something_lacks(self, published: World) -> None:
        draft = make_draft(published.alice, files=False, now=published.now)
        seen = {"seen": KYC.fingerprint(draft)}
        page = published.client("alice").post(f"{PAGE}envoyer/", seen, follow=True)
        assert "Le questionnaire n’est pas envoyé : il manque des réponses." in text_of(page)
        assert KycQuestionnaire.objects.get().state == "draft"

    def test_twice_says_where_it_stands(self, published: World) -> None:
        make_draft(published.alice, now=published.now)
        client = published.client("alice")
        send_as_read(client, PAGE)
        assert "a changé d’état entre-temps" in text_of(client.post(f"{PAGE}envoyer/", follow=True))

    @pytest.mark.parametrize("changed", ["answer", "document"])
    def test_what_a_colleague_changed_since_it_was_read_is_not_sent(
        self, published: World, changed: str
    ) -> None:
        draft = make_draft(published.alice, now=published.now)
        client = published.client("alice")
        read = client.get(PAGE)
        if changed == "answer":
            save(client, section(2), {"q-in_group": "no", "q-listed": "yes"})
        else:
            one = draft.attachments.first()
            KycAttachment.objects.filter(pk=one.pk).update(sha256="0" * 64)
        answer = client.post(f"{PAGE}envoyer/", {"seen": value_of(read, "seen")})
        assert answer.status_code == 409
        assert "Des réponses ont changé depuis que vous les avez lues" in answer.content.decode()
        assert KycQuestionnaire.objects.get().state == "draft"

    def test_asks_a_code_when_the_operator_wants_one(self, published: World) -> None:
        from gridgate.accounts.models import SecurityPolicy, SensitiveAct

        SecurityPolicy.objects.update(step_up_acts=[SensitiveAct.REQUEST])
        make_draft(published.alice, now=published.now)
        answer = published.client("alice").post(f"{PAGE}envoyer/")
        assert answer["Location"].startswith("/confirmation/")
        assert KycQuestionnaire.objects.get().state == "draft"

    def test_closes_the_sections(self, published: World) -> None:
        make_submitted(published.alice, now=published.now)
        client = published.client("alice")
        assert client.get(section(1))["Location"] == PAGE
        page = save(client, section(1), {"q-legal_name": "Autre"}, follow=True)
        assert KycQuestionnaire.objects.get().answers["legal_name"] == "ACME Industries"
        assert "Modifier" not in text_of(page)

    def test_again_after_it_was_returned(self, published: World) -> None:
        sent = make_submitted(published.alice, now=published.now)
        return_request(
            KYC, sent, reason="Le Kbis date de 2023.", actor=published.operateur, now=published.now
        )
        client = published.client("alice")
        for address in (HOME, PAGE):
            assert "Le Kbis date de 2023." in text_of(client.get(address))
        assert "Compléter" in text_of(client.get(HOME)) or "Relire" in text_of(client.get(HOME))
        save(client, section(2), {**SECTIONS[1], "vers": "resume"})
        send_as_read(client, PAGE)
        sent.refresh_from_db()
        assert sent.state == "submitted"


class TestWithdrawing:
    def test_says_what_becomes_of_the_answers(self, published: World) -> None:
        make_draft(published.alice, now=published.now)
        client = published.client("alice")
        assert "sont effacés : personne ne les a reçus" in text_of(client.get(f"{PAGE}retirer/"))
        page = client.post(f"{PAGE}retirer/", follow=True)
        assert f"Le questionnaire {NUMBER} est retiré." in text_of(page)
        assert KycQuestionnaire.objects.get().answers == {}
        assert client.get(f"{PAGE}retirer/")["Location"] == PAGE

    def test_of_one_that_was_sent(self, published: World) -> None:
        make_submitted(published.alice, now=published.now)
        client = published.client("alice")
        assert "Ce qu’il a reçu reste dans son historique" in text_of(client.get(f"{PAGE}retirer/"))
        client.post(f"{PAGE}retirer/")
        assert KycQuestionnaire.objects.get().state == "withdrawn"


class TestWhereItStands:
    @pytest.mark.parametrize(
        ("days_left", "said", "primary"),
        [
            (400, "Valable jusqu’au 30 déc. 2027", False),
            (61, "Valable jusqu’au 25 janv. 2027", False),
            (60, "Expire dans 60 jours", True),
            (23, "Expire dans 23 jours", True),
            (1, "Expire dans 1 jour", True),
            (0, "Expire aujourd’hui", True),
            (-1, "Expiré le 24 nov. 2026", True),
        ],
    )
    def test_is_said_in_days(self, published: World, days_left: int, said: str, primary: bool) -> None:
        make_accepted(published.alice, published.operateur, days_left=days_left, now=published.now)
        page = published.client("alice").get(HOME)
        assert said in text_of(page)
        assert ('<button class="btn primary">Renouveler' in page.content.decode()) is primary

    def test_of_a_renewal_shows_both(self, published: World) -> None:
        make_accepted(published.alice, published.operateur, days_left=23, now=published.now)
        client = published.client("alice")
        answer = client.post("/questionnaire/commencer/")
        assert answer["Location"] == "/questionnaire/KYC-2026-00002/1/"
        text = text_of(client.get(HOME))
        assert "Expire dans 23 jours" in text
        assert "Il renouvelle le questionnaire KYC-2026-00001" in text
        assert "Renouveler" not in text
        assert "registration_extract.pdf" in text_of(client.get("/questionnaire/KYC-2026-00002/"))

    def test_of_a_refusal_says_why(self, published: World) -> None:
        sent = make_submitted(published.alice, now=published.now)
        refuse_request(KYC, sent, reason="Sanctions en cours.", actor=published.operateur, now=published.now)
        client = published.client("alice")
        assert "Sanctions en cours." in text_of(client.get(HOME))
        client.post("/questionnaire/commencer/")
        assert KycQuestionnaire.objects.latest("pk").answers == sent.answers

    def test_without_a_form_says_so(self, world: World) -> None:
        client = world.client("alice")
        assert "Aucun questionnaire n’est publié pour l’instant" in text_of(client.get(HOME))
        assert "Aucun questionnaire n’est publié" in text_of(
            client.post("/questionnaire/commencer/", follow=True)
        )

    def test_lists_every_one(self, published: World) -> None:
        make_accepted(published.alice, published.operateur, days_left=23, now=published.now)
        make_draft(published.alice, now=published.now + timedelta(minutes=1))
        text = text_of(published.client("alice").get(HOME))
        assert "KYC-2026-00001" in text
        assert "KYC-2026-00002" in text
        assert "KYC" not in text_of(published.client("charlie").get(HOME))


class TestWhoMay:
    @pytest.mark.parametrize("who", ["bob", "acme_user"])
    def test_members_without_the_entitlement_are_told_whom_to_ask(self, published: World, who: str) -> None:
        page = published.client(who).get(HOME)
        assert page.status_code == 403
        assert "Demandes au gestionnaire de réseau" in text_of(page)

    def test_the_operators_staff_fill_in_none(self, published: World) -> None:
        assert published.client("operateur").get(HOME).status_code == 403

    def test_another_company_finds_nothing(self, published: World) -> None:
        make_draft(published.alice, now=published.now)
        client = published.client("charlie")
        for address in (PAGE, section(1), f"{PAGE}retirer/"):
            assert client.get(address).status_code == 404
        for address in (section(1), f"{PAGE}envoyer/", f"{PAGE}retirer/"):
            assert client.post(address, {}).status_code == 404

    def test_a_member_who_may_make_requests_goes_on_where_a_colleague_stopped(self, published: World) -> None:
        make_draft(published.alice, now=published.now)
        make_group(published.acme, "Démarches", [published.bob], {"requests": None})
        client = published.client("bob")
        assert client.post("/questionnaire/commencer/")["Location"] == section(1)
        assert client.get(PAGE).status_code == 200
