"""What surrounds every screen: language, refusals, footer pages, the operator's brand."""

import re
from html import unescape

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client, RequestFactory
from django.urls import get_resolver
from django.utils import translation

from gridgate.organisations.models import User
from gridgate.portal.logs import RefusedInOneLine
from gridgate.portal.refusals import error_pages
from gridgate.portal.shell.navigation import HELP

pytestmark = pytest.mark.django_db


def page(response) -> str:
    return response.content.decode()


@pytest.mark.parametrize("path", ["/aide/", "/accessibilite/", "/donnees-personnelles/"])
def test_footer_pages_are_open_to_all_in_both_languages(world, path) -> None:
    for client in (world.visitor(), world.client("alice"), world.client("operateur")):
        response = client.get(path)
        assert response.status_code == 200
        assert '<html lang="fr">' in page(response)
        assert page(response).count("<h1>") == 1
    assert '<html lang="en">' in page(world.visitor(language="en").get(path))


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("/journal/", "Journal des accès"),
        ("/compteurs/", "Vos compteurs"),
        ("/mesures/", "Visualiser vos mesures"),
        ("/services/", "Les services de données"),
        ("/partage/", "Gérer le partage"),
        ("/collecte/", "Collecte de la courbe de charge"),
    ],
)
def test_what_is_not_in_ones_menu_has_its_title_all_the_same(world, path, label) -> None:
    """The operator's staff is not shown the data of companies in the menu, and may open the addresses: of its own."""
    shown = unescape(page(world.client("operateur").get(path)))
    assert f"<title>{label} · " in shown
    assert f'<li aria-current="page">{label}</li>' in shown
    assert "<h1></h1>" not in shown


def test_french_unless_the_browser_asks_for_english() -> None:
    assert "Qui peut vous aider" in page(Client().get("/aide/"))
    assert "Qui peut vous aider" in page(Client(headers={"accept-language": "de-DE,de"}).get("/aide/"))
    assert "Who can help you" in page(Client(headers={"accept-language": "en-US,en;q=0.9"}).get("/aide/"))


def test_the_language_chosen_stays_in_the_browser_and_in_the_account(world) -> None:
    client = world.client("alice")
    response = client.post("/langue/", {"language": "en", "next": "/aide/?de=accueil"})
    assert (response.status_code, response["Location"]) == (302, "/aide/?de=accueil")
    assert "Who can help you" in page(client.get("/aide/"))
    assert User.objects.get(pk=world.alice.user_id).language == "en"

    elsewhere = Client()
    elsewhere.force_login(User.objects.get(pk=world.alice.user_id))
    assert "Who can help you" in page(elsewhere.get("/aide/"))


@pytest.mark.parametrize("onwards", ["https://ailleurs.example/", "//ailleurs.example/", "foo", "?q=1", ""])
def test_the_language_button_leads_to_no_other_site_and_to_no_address_that_is_none(world, onwards) -> None:
    response = world.visitor().post("/langue/", {"language": "en", "next": onwards})
    assert response["Location"] == "/"
    assert world.visitor().get("/langue/").status_code == 405


def test_an_absent_page_says_what_was_kept_and_gives_a_reference(world) -> None:
    for client in (world.visitor(), world.client("alice")):
        response = client.get("/nulle-part/")
        assert response.status_code == 404
        assert "Rien n’a été modifié" in page(response)
        assert re.search(r'<b class="num">[0-9A-F]{8}</b>', page(response))


def test_an_address_that_forms_are_sent_to_says_so_when_it_is_opened(world) -> None:
    for client in (world.visitor(), world.client("alice")):
        response = client.get("/langue/")
        assert (response.status_code, response["Allow"]) == (405, "POST")
        assert "Rien n’a été enregistré" in page(response)
        assert re.search(r'<b class="num">[0-9A-F]{8}</b>', page(response))
    assert "This address does not open by itself" in page(world.visitor(language="en").get("/langue/"))
    assert "Rien n’a été enregistré" not in page(world.visitor().post("/aide/"))


@pytest.mark.parametrize(
    ("view", "status", "kept"),
    [
        (error_pages.bad_request, 400, "Rien n’a été enregistré"),
        (error_pages.forbidden, 403, "Rien n’a été modifié"),
        (error_pages.csrf_failure, 403, "Rien n’a été enregistré"),
        (error_pages.server_error, 500, "n’est pas enregistré"),
    ],
)
def test_every_failure_has_its_page(world, view, status, kept) -> None:
    request = RequestFactory().get("/")
    request.membership = world.membership("alice")
    request.user = request.membership.user
    response = view(request)
    assert response.status_code == status
    assert kept in page(response)
    assert "Menu" in page(response)


def test_a_registry_that_does_not_answer_is_said_in_plain_words(client, world, settings, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OperationalError("file is not a database")

    client.raise_request_exception = False
    client.force_login(world.alice.user)
    monkeypatch.setattr("gridgate.accounts.security.session_store.SessionStore.load", fail)
    told = {"contact_email": "aide@reseau.example", "contact_phone": "01 23 45 67 89"}
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=told)
    response = client.get("/")
    assert response.status_code == 503
    assert response["Retry-After"] == "60"
    assert all(one in page(response) for one in told.values())
    assert "Demander de l’aide</a>" not in page(response)  # it does not answer either
    assert "Le portail ne répond pas pour le moment" in page(response)


def test_the_failure_page_comes_even_when_drawing_it_fails(monkeypatch) -> None:
    def broken(name: str) -> None:
        raise RuntimeError(name)

    monkeypatch.setattr(error_pages, "get_template", broken)
    response = error_pages.server_error(RequestFactory().get("/"))
    assert response.status_code == 500
    assert re.search(r"Référence à citer\u00a0: [0-9A-F]{8}", page(response))


def test_a_missing_entitlement_names_who_can_give_it(world) -> None:
    request = RequestFactory().get("/partage/")
    request.membership = world.membership("acme_user")
    request.user = request.membership.user
    response = error_pages.no_entitlement(request, "data_services")
    assert response.status_code == 403
    assert "Gestion des services de données" in page(response)
    assert world.alice.user.email in page(response)
    assert world.charlie.user.email not in page(response)


def test_the_style_guide_is_for_the_operator_and_draws_every_component(world) -> None:
    assert world.visitor().get("/composants/").status_code == 404
    assert world.client("alice").get("/composants/").status_code == 404
    for language in ("fr", "en"):
        response = world.client("operateur", language=language).get("/composants/")
        assert response.status_code == 200
        identifiers = re.findall(r'\sid="([^"]+)"', page(response))
        assert len(identifiers) == len(set(identifiers))


def test_the_brand_of_the_operator_is_linked_last_and_served(world, settings, tmp_path) -> None:
    client = world.visitor()
    assert client.get("/marque.css").status_code == 404
    assert "marque.css" not in page(client.get("/aide/"))
    brand = tmp_path / "brand.css"
    brand.write_text(":root { --accent: light-dark(#1a5c43, #8ed0b0) }", encoding="utf-8")
    settings.GRIDGATE_BRAND_CSS = brand
    sheets = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page(client.get("/aide/")))
    assert sheets[-1] == "/marque.css"
    response = client.get("/marque.css")
    assert response["Content-Type"] == "text/css; charset=utf-8"
    assert "#1a5c43" in page(response)
    assert client.get("/marque.css", headers={"if-none-match": response["ETag"]}).status_code == 304


def test_pages_forbid_what_does_not_come_from_here(world) -> None:
    policy = world.visitor().get("/aide/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert settings.LANGUAGE_CODE == "fr"
    assert translation.get_language_info("en")["name_local"] == "English"


class TestTheHelp:
    def test_has_each_subject_that_a_page_leads_to(self) -> None:
        help_page = Client().get("/aide/").content.decode()
        assert [about for about in HELP.values() if f' id="{about}"' not in help_page] == []
        assert set(HELP) <= {name for name in get_resolver().reverse_dict if isinstance(name, str)}

    @pytest.mark.parametrize(
        ("name", "path", "about"),
        [
            ("alice", "/partage/", "#partage"),
            ("alice", "/administration/groupes/", "#groupes"),
            ("alice", "/", ""),
        ],
    )
    def test_opens_at_the_subject_of_the_page(self, world, name: str, path: str, about: str) -> None:
        assert f'<a class="tool" href="/aide/{about}">' in world.client(name).get(path).content.decode()

    def test_opens_at_its_subject_before_sign_in(self) -> None:
        assert '<a class="tool" href="/aide/#compte">' in Client().get("/connexion/").content.decode()

    def test_names_what_is_known_of_the_contact_and_nothing_else(self, world, settings) -> None:
        assert "Téléphone</dt>" not in Client().get("/aide/").content.decode()
        told = {"contact_email": "aide@reseau.example", "contact_phone": "01 23 45 67 89"}
        settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update=told)
        said = Client().get("/aide/").content.decode()
        assert all(one in said for one in told.values())

    def test_the_style_guide_is_in_no_menu(self, world) -> None:
        assert "/composants/" not in world.client("operateur").get("/aide/").content.decode()


def test_what_a_request_is_refused_for_stands_in_the_log_in_one_line(world, caplog) -> None:
    """Whoever sends such requests would fill the log with pages of our own code."""
    client = world.client("alice")
    with caplog.filtering(RefusedInOneLine()):
        refused = [
            client.post("/compte/", {f"field{number}": "" for number in range(2000)}),
            client.post("/compte/", "x", content_type="multipart/form-data"),
            client.get("/compte/", headers={"host": "elsewhere.example"}),
        ]
    assert [answer.status_code for answer in refused] == [400, 400, 400]
    assert len(caplog.records) == 3
    assert [record.exc_info for record in caplog.records] == [None] * 3


def test_the_log_keeps_to_what_it_is_not_told() -> None:
    assert set(settings.LOGGING["handlers"]["stderr"]["filters"]) == set(settings.LOGGING["filters"])
