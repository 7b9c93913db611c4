"""The menu follows rights and place."""

from types import SimpleNamespace

import pytest
from django.test import RequestFactory

from gridgate.portal.shell import navigation
from gridgate.portal.shell.navigation import Entry, Section, menu_for, pending

ADDRESSES = {
    "home": "/",
    "metering_points": "/compteurs/",
    "sharing": "/partage/",
    "administration": "/administration/",
}


@pytest.fixture(autouse=True)
def _menu(monkeypatch) -> None:
    monkeypatch.setattr(navigation, "_address", lambda entry: ADDRESSES.get(entry.url_name, ""))
    monkeypatch.setattr(
        navigation,
        "MENU",
        (
            Section("", (Entry("home", "home", "Accueil"),)),
            Section(
                "Vos données",
                (
                    Entry("metering_points", "meter", "Vos compteurs"),
                    Entry("sharing", "share", "Gérer le partage", entitlement="data_services"),
                    Entry("not_installed", "log", "Journal"),
                ),
                operator=False,
            ),
            Section(
                "Votre entreprise", (Entry("administration", "users", "Utilisateurs", administrator=True),)
            ),
            Section("Exploitation", (Entry("metering_points", "meter", "Points"),), operator=True),
        ),
    )
    monkeypatch.setattr(navigation, "_COUNTS", {})


def request_of(path: str, *, entitlements=(), administrator: bool = False, operator: bool = False):
    request = RequestFactory().get(path)
    request.membership = SimpleNamespace(
        is_administrator=administrator,
        has=lambda code: administrator or code in entitlements,
        organisation=SimpleNamespace(is_operator=operator),
    )
    return request


def labels(request) -> list[str]:
    return [item.label for group in menu_for(request) for item in group.items]


@pytest.mark.parametrize("may_ask", [True, False])
def test_what_is_for_third_parties_is_shown_to_them(monkeypatch, may_ask: bool) -> None:
    received = Entry("sharing", "mail", "Autorisations reçues", entitlement="data_services", third_party=True)
    monkeypatch.setattr(navigation, "MENU", (Section("", (received,)),))
    request = request_of("/", entitlements=["data_services"])
    request.membership.organisation.may_ask_holders = may_ask
    assert labels(request) == ["Autorisations reçues"] * may_ask
    request.membership.has = lambda code: False
    assert labels(request) == []


def test_nobody_sees_no_menu() -> None:
    assert menu_for(RequestFactory().get("/")) == []


def test_what_one_cannot_open_is_not_shown() -> None:
    assert labels(request_of("/")) == ["Accueil", "Vos compteurs"]
    assert labels(request_of("/", entitlements=["data_services"])) == [
        "Accueil",
        "Vos compteurs",
        "Gérer le partage",
    ]
    assert labels(request_of("/", administrator=True))[-2:] == ["Gérer le partage", "Utilisateurs"]
    assert labels(request_of("/", operator=True)) == ["Accueil", "Points"]


@pytest.mark.parametrize(
    ("path", "current", "here"),
    [
        ("/", "Accueil", True),
        ("/compteurs/", "Vos compteurs", True),
        ("/compteurs/30001480112233/", "Vos compteurs", False),
        ("/aide/", None, False),
    ],
)
def test_the_place_is_the_entry_whose_address_begins_the_page(path, current, here) -> None:
    items = [item for group in menu_for(request_of(path)) for item in group.items if item.current]
    assert [item.label for item in items] == ([current] if current else [])
    assert all(item.here == here for item in items)


def test_a_screen_counts_what_waits_for_an_answer() -> None:
    pending("sharing")(lambda membership: 2 if membership.is_administrator else 0)
    request = request_of("/", administrator=True)
    (item,) = (item for group in menu_for(request) for item in group.items if item.url_name == "sharing")
    assert (item.count, item.count_label) == (2, "2 demandes en attente")
