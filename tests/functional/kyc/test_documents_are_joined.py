"""Documents: what is taken, what is said of the rest, who gets them back and how."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from gridgate.kyc.models import KycAttachment, KycQuestionnaire
from gridgate.organisations.operations.members import create_user
from tests.factories.documents import EMPTY_ZIP, JPEG, PNG, pdf
from tests.factories.kyc import make_draft, make_submitted
from tests.functional.confirming import save
from tests.functional.kyc.pages import error_of, text_of, value_of
from tests.handles import handle
from tests.world import World

NUMBER = "KYC-2026-00001"
DOCUMENTS = f"/questionnaire/{NUMBER}/8/"


@pytest.fixture
def draft(published: World) -> KycQuestionnaire:
    return make_draft(published.alice, files=False, now=published.now)


def send(client, content: bytes, *, field: str = "registration_extract", name: str = "kbis.pdf", **more):
    sent = SimpleUploadedFile(name, content, content_type="application/pdf")
    return client.post(DOCUMENTS, {f"q-{field}": sent, "vers": "suite", **more})


def address_of(attachment: KycAttachment) -> str:
    return f"/questionnaire/{attachment.questionnaire.number}/documents/{handle(attachment)}/"


class TestJoining:
    def test_a_document_shows_it_with_its_size_and_a_way_to_remove_it(self, published, draft, documents):
        client = published.client("alice")
        assert send(client, pdf()).status_code == 302
        page = client.get(DOCUMENTS)
        assert "kbis.pdf 1 Ko Retirer kbis.pdf" in text_of(page)
        assert 'name="q-registration_extract"' not in page.content.decode(), "there is room for one"
        only = KycAttachment.objects.get()
        answer = client.post(DOCUMENTS, {"oter": handle(only)})
        assert answer["Location"] == f"{DOCUMENTS}#documents"
        assert not KycAttachment.objects.exists()
        assert [path for path in documents.rglob("*") if path.is_file() and path.name != ".lock"] == []
        assert 'name="q-registration_extract"' in client.get(DOCUMENTS).content.decode()

    def test_several_at_once(self, published, draft):
        client = published.client("alice")
        several = [SimpleUploadedFile(f"piece {n}.png", PNG + bytes([n])) for n in range(2)]
        several.append(SimpleUploadedFile("piece.jpg", JPEG))
        assert client.post(DOCUMENTS, {"q-identity_papers": several, "vers": "suite"}).status_code == 302
        kinds = KycAttachment.objects.order_by("pk").values_list("name", "content_type")
        assert list(kinds) == [
            ("piece 0.png", "image/png"),
            ("piece 1.png", "image/png"),
            ("piece.jpg", "image/jpeg"),
        ]

    @pytest.mark.parametrize(
        ("content", "name", "said"),
        [
            (b"", "kbis.pdf", "kbis.pdf : le fichier est vide."),
            (pdf()[:-25], "kbis.pdf", "kbis.pdf : il manque la fin du fichier."),
            (b"%PDF-1.4\nstartxref\n0\n%%EOF", "kbis.pdf", "kbis.pdf : ce PDF ne contient aucune page."),
            (PNG, "kbis.pdf", "kbis.pdf : le contenu est du type PNG, et non du type attendu (PDF)."),
            (
                b"MZ\x90\x00 program",
                "kbis.pdf",
                "le contenu n’est pas du type attendu (PDF), quel que soit le nom",
            ),
            (
                b"<html><script>alert(1)</script>",
                "kbis.pdf",
                "le fichier contient autre chose que le document.",
            ),
            (pdf() + EMPTY_ZIP, "kbis.pdf", "le fichier contient autre chose que le document."),
        ],
    )
    def test_what_will_not_do_is_told_beside_the_field(self, published, draft, content, name, said):
        page = send(published.client("alice"), content, name=name)
        assert page.status_code == 200
        assert said in error_of(page, "q-registration_extract")
        assert not KycAttachment.objects.exists()

    def test_one_that_is_too_large_keeps_the_rest_of_the_form(self, published, draft, settings):
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"attachment_megabytes": 1})
        client = published.client("alice")
        files = {
            "q-registration_extract": SimpleUploadedFile("grand.pdf", pdf("x" * 3 * 1024**2)),
            "q-articles": SimpleUploadedFile("statuts.pdf", pdf("statuts")),
        }
        page = client.post(DOCUMENTS, {**files, "vers": "suite"})
        assert error_of(page, "q-registration_extract") == (
            "grand.pdf : le fichier pèse plus de 1 Mo. Réduisez-le ou coupez-le en plusieurs."
        )
        assert list(KycAttachment.objects.values_list("name", flat=True)) == ["statuts.pdf"]
        assert "statuts.pdf" in text_of(page)

    def test_what_stands_beside_a_document_is_kept_when_it_is_refused(self, published):
        """In a form whose section has both."""
        from gridgate.kyc.models import KycForm

        words = {"fr": "Champ", "en": "Field"}
        fields = [
            {"name": "note", "kind": "text", "label": words},
            {"name": "doc", "kind": "file", "label": words},
        ]
        KycForm.objects.update(sections=[{"title": words, "fields": fields}])
        client = published.client("alice")
        client.post("/questionnaire/commencer/")
        page = save(
            client,
            f"/questionnaire/{NUMBER}/1/",
            {"q-note": "à garder", "q-doc": SimpleUploadedFile("a.pdf", b"x\x00"), "vers": "suite"},
        )
        assert error_of(page, "q-doc")
        assert value_of(page, "q-note") == "à garder"
        assert KycQuestionnaire.objects.get().answers == {"note": "à garder"}

    @pytest.mark.parametrize(
        ("name", "kept"),
        [
            ("../../../etc/cron.d/x.pdf", "x.pdf"),
            ("C:\\temp\\kbis.pdf", "kbis.pdf"),
            ("kbis\u202efdp.exe", "kbisfdp.exe.pdf"),
        ],
    )
    def test_a_name_is_cleaned(self, published, draft, name, kept):
        client = published.client("alice")
        assert send(client, pdf(), name=name).status_code == 302
        only = KycAttachment.objects.get()
        assert only.name == kept
        header = client.get(address_of(only))["Content-Disposition"]
        assert header == f'attachment; filename="{kept}"'

    def test_a_name_with_line_breaks_writes_no_header(self, published, draft):
        body = (
            (
                b'--x\r\nContent-Disposition: form-data; name="q-registration_extract"; '
                b"filename*=utf-8''a%0d%0aSet-Cookie:%20session=1.pdf\r\n\r\n"
            )
            + pdf()
            + b"\r\n--x--\r\n"
        )
        client = published.client("alice")
        client.post(DOCUMENTS, body, content_type="multipart/form-data; boundary=x")
        only = KycAttachment.objects.get()
        answer = client.get(address_of(only))
        assert "session" not in answer.cookies
        assert "\r" not in answer["Content-Disposition"]
        assert "\n" not in answer["Content-Disposition"]

    def test_more_than_the_field_takes_are_told(self, published, draft):
        several = [SimpleUploadedFile(f"{n}.pdf", pdf(str(n))) for n in range(3)]
        page = published.client("alice").post(DOCUMENTS, {"q-articles": several, "vers": "suite"})
        assert "2.pdf : 2 au plus ici. Retirez-en un d’abord." in text_of(page)
        assert KycAttachment.objects.count() == 2

    def test_a_form_from_elsewhere_is_refused_with_its_documents(self, published, draft):
        from django.test import Client

        client = Client(enforce_csrf_checks=True)
        client.cookies = published.client("alice").cookies
        assert send(client, pdf()).status_code == 403
        assert not KycAttachment.objects.exists()

    @pytest.mark.parametrize("odd", ["x", "", "-1", "9" * 5000, "9" * 40, "1; drop"])
    def test_removing_what_is_none_does_nothing(self, published, draft, odd):
        client = published.client("alice")
        send(client, pdf())
        client.post(DOCUMENTS, {"oter": odd})
        assert KycAttachment.objects.count() == 1


class TestGivingBack:
    @pytest.fixture
    def attachment(self, published: World) -> KycAttachment:
        sent = make_submitted(published.alice, now=published.now)
        return sent.attachments.get(field="articles")

    def test_is_a_download_that_nothing_interprets(self, published, attachment):
        answer = published.client("alice").get(address_of(attachment))
        assert b"".join(answer) == pdf("articles")
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Content-Disposition"] == 'attachment; filename="articles.pdf"'
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert "no-store" in answer["Cache-Control"]

    def test_is_for_the_company_and_the_operators_staff(self, published, attachment):
        got = {
            who: published.client(who).get(address_of(attachment)).status_code
            for who in ("alice", "operateur", "bob", "acme_user", "charlie", "tiers1")
        }
        assert got == {
            "alice": 200,
            "operateur": 200,
            "bob": 404,
            "acme_user": 404,
            "charlie": 404,
            "tiers1": 404,
        }
        assert published.visitor().get(address_of(attachment)).status_code == 302

    def test_is_not_for_the_operator_before_it_was_sent(self, published):
        one = make_draft(published.alice, now=published.now).attachments.first()
        assert published.client("operateur").get(address_of(one)).status_code == 404

    def test_is_not_found_by_another_companys_number(self, published, attachment):
        theirs = make_draft(published.charlie, now=published.now)
        for who, number in (("charlie", theirs.number), ("alice", theirs.number), ("charlie", NUMBER)):
            address = f"/questionnaire/{number}/documents/{handle(attachment)}/"
            assert published.client(who).get(address).status_code == 404

    def test_of_a_person_without_a_company_is_theirs_alone(self, published):
        def person(name):
            return create_user(
                email=f"{name}@ailleurs.example", full_name=name, password=None, now=published.now
            )

        nadia, other = person("nadia"), person("omar")
        one = make_draft(None, user=nadia, now=published.now).attachments.first()
        statuses = []
        for user in (nadia, other):
            client = published.visitor()
            client.force_login(user)
            statuses.append(client.get(address_of(one)).status_code)
        assert statuses == [200, 404]

    def test_whose_content_is_lost_is_a_plain_404(self, published, attachment, documents):
        (documents / attachment.sha256[:2] / attachment.sha256).unlink()
        assert published.client("alice").get(address_of(attachment)).status_code == 404

    def test_lies_where_nothing_serves_it(self, published, attachment):
        client = published.client("alice")
        for path in (
            f"/static/{attachment.sha256}",
            f"/attachments/{attachment.sha256[:2]}/{attachment.sha256}",
        ):
            assert client.get(path).status_code == 404


def test_a_large_upload_is_let_go_as_it_comes(published, draft, settings):
    """What is beyond the limit is neither kept in memory nor written: it costs no more than reading it."""
    from gridgate.portal.screens.kyc.uploads import LimitHandler

    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"attachment_megabytes": 1})
    handler = LimitHandler()
    handler.new_file("q-a", "a.pdf", "application/pdf", None)
    chunk = b"x" * 64 * 1024
    passed = sum(len(handler.receive_data_chunk(chunk, 0) or b"") for _ in range(1000))
    assert 1024**2 < passed <= 1024**2 + len(chunk)
    handler.new_file("q-b", "b.pdf", "application/pdf", None)
    assert handler.receive_data_chunk(chunk, 0) == chunk, "each file has its own limit"
