"""What every page knows: the operator, the company, the menu, the place, the time."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import get_language

from gridgate import __version__
from gridgate.organisations import queries
from gridgate.portal.shell.navigation import Group, Item, help_about, label_of, menu_for
from gridgate.portal.shell.time_zone import Clock, clock_of

LANGUAGES = (("fr", "Français"), ("en", "English"))
NAMELESS = "Gridgate"
STYLES = tuple(
    f"css/{name}.css" for name in ["reset", "tokens", "base", "layout", "components", "screens", "print"]
)


@dataclass(frozen=True, slots=True)
class Operator:
    """The network operator as the pages name it; the product's name until there is one. What is unset of its contact is
    empty.
    """

    name: str = ""
    """Empty until there is one, and while the registry does not answer."""
    answers: bool = True
    """False while the registry does not: nearly every page asks it something, so that a page then leads to none."""
    contact_email: str = ""
    contact_phone: str = ""
    contact_url: str = ""

    @property
    def has_contact(self) -> bool:
        return bool(self.contact_email or self.contact_phone or self.contact_url)


def operator() -> Operator:
    organisation, answers = None, True
    try:
        organisation = queries.operator()
    except DatabaseError:  # a page that says so must still be drawn
        answers = False
    environment = settings.ENVIRONMENT
    return Operator(
        name=organisation.legal_name if organisation else "",
        answers=answers,
        contact_email=environment.contact_email or (organisation.contact_email if organisation else ""),
        contact_phone=environment.contact_phone,
        contact_url=environment.contact_url or (organisation.contact_url if organisation else ""),
    )


def operator_name() -> str:
    """For texts written outside a page, such as e-mails."""
    return operator().name or NAMELESS


class Shell:
    """`portal` in every template. Each property is worked out when a template asks for it, so an error page
    asks for little.
    """

    styles = STYLES
    version = __version__

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def operator(self) -> Operator:
        return operator()

    @property
    def operator_name(self) -> str:
        return self.operator.name or NAMELESS

    @property
    def contact_email(self) -> str:
        return self.operator.contact_email

    @property
    def brand_css(self) -> str:
        """Address of the operator's own style file; empty when there is none."""
        if not getattr(settings, "GRIDGATE_BRAND_CSS", None):
            return ""
        try:
            return reverse("brand_css")
        except NoReverseMatch:
            return ""

    @property
    def membership(self) -> Any:
        return getattr(self._request, "membership", None)

    @property
    def organisation(self) -> Any:
        return getattr(self.membership, "organisation", None)

    @property
    def has_others(self) -> bool:
        """The person acts for other companies too."""
        return bool(getattr(self.membership, "has_others", False))

    @cached_property
    def clock(self) -> Clock:
        """Whose clock the page tells times on."""
        return clock_of(self._request, timezone.now())

    @property
    def help(self) -> str:
        """The help, at what it says of this page. It does not ask for the menu, which some pages do without."""
        match = self._request.resolver_match
        about = help_about(match.url_name or "") if match else ""
        return reverse("help") + (f"#{about}" if about else "")

    @property
    def help_of_place(self) -> str:
        """The help, at what it says of this page, else of the place in the menu that holds it."""
        about = help_about(self.place.url_name) if self.place and "#" not in self.help else ""
        return self.help + (f"#{about}" if about else "")

    @property
    def home(self) -> str:
        try:
            return reverse("home")
        except NoReverseMatch:
            return "/"

    @cached_property
    def menu(self) -> list[Group]:
        return menu_for(self._request)

    @property
    def group(self) -> Group | None:
        """The section of the menu that holds the page."""
        return next((group for group in self.menu if any(item.current for item in group.items)), None)

    @property
    def place(self) -> Item | None:
        """The menu entry that holds the page."""
        return next((item for group in self.menu for item in group.items if item.current), None)

    @property
    def label(self) -> str:
        """What the page is called that has no title of its own: as its place in the menu, which who opens it may not be
        shown, as the staff of the operator is not shown the meters of companies.
        """
        if self.place:
            return self.place.label
        match = self._request.resolver_match
        return label_of(match.url_name or "") if match else ""

    @property
    def other_languages(self) -> list[tuple[str, str]]:
        current = (get_language() or "fr")[:2]
        return [(code, name) for code, name in LANGUAGES if code != current]

    @property
    def language(self) -> str:
        return "en" if (get_language() or "fr").startswith("en") else "fr"


def portal(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `portal` (see `Shell`) and `now`, the instant of the page."""
    return {"portal": Shell(request), "now": getattr(request, "now", None) or timezone.now()}
