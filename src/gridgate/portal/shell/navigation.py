"""The menu, declared: sections, entries, and what each entry asks of the person.

An entry shows when its URL name exists and the membership may open it. A screen that has something waiting
registers a count:

    @pending("sharing")
    def requests_to_answer(membership) -> int: ...
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

METERS, MEASUREMENTS, DATA_SERVICES = "meters", "measurements", "data_services"
REQUESTS, USERS = "requests", "users"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the menu. `entitlement`, `administrator` and `third_party` hide it from those who cannot use it;
    `account` shows it to people who act for no company too. `holds` names other pages whose place it is.
    """

    url_name: str
    icon: str
    label: Any
    entitlement: str = ""
    administrator: bool = False
    third_party: bool = False
    account: bool = False
    holds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A titled group of entries; `operator` sections are for the operator's staff only, `company` ones for
    everyone else.
    """

    label: Any
    entries: tuple[Entry, ...]
    operator: bool | None = None


MENU: tuple[Section, ...] = (
    Section("", (Entry("home", "home", _("Accueil"), account=True),)),
    Section(
        _("Vos données énergétiques"),
        (
            Entry("metering_points", "meter", _("Vos compteurs"), entitlement=METERS),
            Entry("measurements", "curve", _("Visualiser vos mesures"), entitlement=MEASUREMENTS),
            Entry("services", "layers", _("Les services de données"), entitlement=DATA_SERVICES),
            Entry("collection", "collect", _("Collecte de la courbe de charge"), entitlement=DATA_SERVICES),
            Entry("sharing", "share", _("Gérer le partage"), entitlement=DATA_SERVICES),
            Entry(
                "permissions_received",
                "mail",
                _("Autorisations reçues"),
                entitlement=DATA_SERVICES,
                third_party=True,
            ),
            Entry("access_journal", "log", _("Journal des accès"), entitlement=DATA_SERVICES),
        ),
        operator=False,
    ),
    Section(
        _("Vos échanges"),
        (
            Entry("channels", "send", _("Canaux numériques")),
            Entry("applications", "code", _("API et applications")),
        ),
    ),
    Section(
        _("Votre entreprise"),
        (
            Entry(
                "company_users",
                "users",
                _("Utilisateurs et habilitations"),
                entitlement=USERS,
                holds=(
                    "company_invite",
                    "company_invitations",
                    "company_groups",
                    "company_services",
                    "company_explain",
                    "company_directory",
                ),
            ),
            Entry("company_history", "log", _("Historique des droits"), administrator=True),
        ),
    ),
    Section(
        _("Vos démarches"),
        (
            Entry("eic_requests", "layers", _("Codes EIC"), account=True),
            Entry("kyc", "check", _("Questionnaire client"), entitlement=REQUESTS, account=True),
        ),
        operator=False,
    ),
    Section(
        _("Exploitation"),
        (
            Entry("operator_requests", "mail", _("Demandes à traiter")),
            Entry("operator_companies", "building", _("Entreprises")),
            Entry("operator_home", "meter", _("Registre des compteurs")),
            Entry("operator_eic", "layers", _("Registre des codes EIC")),
            Entry("operator_kyc_forms", "check", _("Questionnaire client")),
            Entry("operator_import", "collect", _("Import de points et de titulaires")),
            Entry("operator_services", "share", _("Services de données")),
            Entry("operator_lost_factors", "key", _("Seconds facteurs perdus")),
            Entry("operator_policy", "lock", _("Sécurité et conditions"), administrator=True),
        ),
        operator=True,
    ),
)

HELP = {
    "metering_points": "compteurs",
    "measurements": "mesures",
    "collection": "compteurs",
    "services": "partage",
    "sharing": "partage",
    "permissions_received": "partage",
    "sharing_revoke": "resilier",
    "sharing_revoke_company": "resilier",
    "permission_terminate": "resilier",
    "receipts": "recus",
    "receipt": "recus",
    "receipt_verify": "recus",
    "access_journal": "journal",
    "company_users": "groupes",
    "company_history": "groupes",
    "eic_requests": "eic",
    "kyc": "questionnaire",
    "account": "compte",
    "account_security": "compte",
    "sign_in": "compte",
    "step_up": "compte",
}
"""What the help says of a page, or of the place in the menu that holds it, by the name of its address."""


def help_about(url_name: str) -> str:
    """The section of the help; empty for its beginning."""
    return HELP.get(url_name, "")


_COUNTS: dict[str, Callable[[Any], int]] = {}


def pending(url_name: str) -> Callable[[Callable[[Any], int]], Callable[[Any], int]]:
    """Register what waits for an answer behind a menu entry; the function takes the membership and returns a
    number.
    """

    def register(count: Callable[[Any], int]) -> Callable[[Any], int]:
        _COUNTS[url_name] = count
        return count

    return register


@dataclass(frozen=True, slots=True)
class Item:
    """An entry as shown to one person."""

    url_name: str
    url: str
    icon: str
    label: str
    count: int
    current: bool  # this entry's place holds the page
    here: bool  # the page is the entry's own

    @property
    def count_label(self) -> str:
        return ngettext("%(count)s demande en attente", "%(count)s demandes en attente", self.count) % {
            "count": self.count
        }


@dataclass(frozen=True, slots=True)
class Group:
    label: str
    items: tuple[Item, ...]


def menu_for(request: HttpRequest) -> list[Group]:
    """The menu of the request's membership, with the place of the current page; empty for nobody."""
    membership = getattr(request, "membership", None)
    if membership is None and not getattr(getattr(request, "user", None), "is_authenticated", False):
        return []
    by_operator = membership is not None and bool(membership.organisation.is_operator)
    shown = [
        (
            section,
            [
                (entry, url)
                for entry in section.entries
                if (url := _address(entry)) and _may_open(entry, membership)
            ],
        )
        for section in MENU
        if section.operator in (None, by_operator)
    ]
    place = _place(request.path, [held for _, entries in shown for held in _held(entries)])
    return [
        Group(
            str(section.label), tuple(_item(entry, url, request, place, membership) for entry, url in entries)
        )
        for section, entries in shown
        if entries
    ]


def label_of(url_name: str) -> str:
    """What the menu calls the page of an entry, whoever it is shown to; empty when it is that of none."""
    entries = (entry for section in MENU for entry in section.entries)
    return next((str(entry.label) for entry in entries if entry.url_name == url_name), "")


def _item(entry: Entry, url: str, request: HttpRequest, place: str, membership: Any) -> Item:
    counted = membership is not None and entry.url_name in _COUNTS
    count = _COUNTS[entry.url_name](membership) if counted else 0
    return Item(
        entry.url_name,
        url,
        entry.icon,
        str(entry.label),
        count,
        current=url == place,
        here=request.path == url,
    )


def _address(entry: Entry) -> str:
    return _url(entry.url_name)


def _held(entries: list[tuple[Entry, str]]) -> Iterator[tuple[str, str]]:
    """Addresses, each with that of the entry whose place it is."""
    for entry, url in entries:
        yield url, url
        yield from ((held, url) for name in entry.holds if (held := _url(name)))


def _url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _may_open(entry: Entry, membership: Any) -> bool:
    if membership is None:
        return entry.account
    if entry.administrator:
        return bool(membership.is_administrator)
    if entry.third_party and not membership.organisation.may_ask_holders:
        return False
    return not entry.entitlement or bool(membership.has(entry.entitlement))


def _place(path: str, held: list[tuple[str, str]]) -> str:
    """The entry one of whose addresses is the longest beginning of the page's own; the home page is only itself."""
    holding = [(url, entry) for url, entry in held if path == url or (url != "/" and path.startswith(url))]
    return max(holding, key=lambda one: len(one[0]), default=("", ""))[1]
