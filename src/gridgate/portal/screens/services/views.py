"""*Les services de données*: what the company has, what others offer, what the law asks."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.folding import company_named_like
from gridgate.organisations.models import Organisation
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.searching import searched
from gridgate.portal.screens.sharing import service_data
from gridgate.portal.screens.sharing.line import Line
from gridgate.portal.screens.sharing.moment import Moment
from gridgate.portal.screens.sharing.tiles import kept
from gridgate.sharing.models import DataService
from gridgate.sharing.queries.companies import Share, companies_reading
from gridgate.sharing.queries.services import service_readable_by, services_offered_to


@require_safe
@entitlement_required(EntitlementCode.DATA_SERVICES)
def index(request: MemberRequest) -> HttpResponse:
    """The catalogue, in two parts: yours, with their end; offered, with what each would read."""
    actor, moment = request.membership, Moment.present()
    shares = shares_of(request, moment)
    catalogue = services_offered_to(actor=actor)
    offered = catalogue.exclude(pk__in=[share.service.pk for share in shares])
    text = searched(request.GET)
    found = offered.filter(_matching(text)) if text else offered
    page = page_of(request, found)
    context = {
        "mine": [Line(share, None, moment) for share in shares],
        "closed": {share.service.pk for share in shares if is_closed(share.service, actor.organisation)},
        "offered": [Offer(service) for service in page],
        "page_obj": page,
        "query": text,
        "total": offered.count() if text else page.paginator.count,
    }
    return render(request, "services/index.html", context)


@require_safe
@entitlement_required(EntitlementCode.DATA_SERVICES)
def detail(request: MemberRequest, code: str) -> HttpResponse:
    """One service: exactly what it reads, by whom, why, on which ground, and what the company has of it."""
    moment = Moment.present()
    service = service_readable_by(actor=request.membership, code=code)
    mine = [Line(share, None, moment) for share in shares_of(request, moment) if share.service == service]
    exceeds = any(line.exceeds for line in mine)
    context = {
        "offer": Offer(service),
        "mine": mine,
        "exceeds": exceeds,
        "ends_here": not exceeds or any(line.can_end for line in mine),
        "can_subscribe": subscribable(service, request.membership.organisation),
        "closed": is_closed(service, request.membership.organisation),
    }
    return render(request, "services/detail.html", context)


def shares_of(request: MemberRequest, moment: Moment) -> Sequence[Share]:
    """Everything that the company has now, by company then by name."""
    companies = companies_reading(actor=request.membership, now=moment.now, today=moment.today, days=[])
    return [share for company in companies for share in company.shares]


def subscribable(service: DataService, company: Organisation) -> bool:
    open_to_it = service.terminable and service.provider_id != company.pk
    return service.offered and open_to_it and service.offered_to(company)


def is_closed(service: DataService, company: Organisation) -> bool:
    """True for a service that the company has or had, and that is now for companies with another role."""
    return service.terminable and not service.offered_to(company)


def _matching(text: str) -> Q:
    names = ("name", "name_en", "purpose", "purpose_en")
    wanted = company_named_like(text, "provider")
    for name in names:
        wanted |= Q(**{f"{name}__icontains": text})
    return wanted


class Offer:
    """A service of the catalogue, in words."""

    def __init__(self, service: DataService) -> None:
        self.code = service.code
        self.name = service.text("name")
        self.purpose = service.text("purpose").rstrip(".")
        self.provider = service.provider
        self.data = service_data.data(service)
        self.kinds = service_data.kind_lines(service)
        self.directions = service_data.directions(service.directions)
        self.step = service_data.capital(service_data.step(service.finest_resolution)) or _(
            "Celui du compteur"
        )
        self.basis = service_data.basis(service)
        self.terminable = service.terminable
        self.kept: Any = None if service.terminable else kept(service)
        self.contact = service.contact_email or service.provider.contact_email
        self.url = service.contact_url or service.provider.contact_url
        self.history = _history(service.history_months)
        self.duration = _duration(service.duration_months)


def _history(months: int) -> str:
    if not months:
        return _("aucun, seulement à partir de la souscription")
    return ngettext(
        "%(count)s mois avant la souscription", "%(count)s mois avant la souscription", months
    ) % {"count": months}


def _duration(months: int) -> str:
    if not months:
        return _("tant que vous êtes titulaire")
    return ngettext("%(count)s mois", "%(count)s mois", months) % {"count": months}
