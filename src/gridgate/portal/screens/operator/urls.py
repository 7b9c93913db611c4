from django.urls import path

from gridgate.portal.screens.operator import (
    companies,
    company,
    contracts,
    first_administrator,
    holdings,
    points,
    policy,
    request,
    requests,
    services,
    terms,
)

_COMPANY = "administration/entreprises/<str:siren>/"
_POINT = "administration/points/<str:point_id>/"

urlpatterns = [
    path("administration/demandes/", requests.index, name="operator_requests"),
    path("administration/demandes/export.csv", requests.export, name="operator_requests_export"),
    path("administration/demandes/prendre/", requests.take, name="operator_requests_take"),
    path("administration/demandes/<str:number>/", request.page, name="operator_request"),
    path("administration/entreprises/", companies.index, name="operator_companies"),
    path("administration/entreprises/nouvelle/", companies.new, name="operator_company_new"),
    path(_COMPANY, company.page, name="operator_company"),
    path(f"{_COMPANY}modifier/", companies.edit, name="operator_company_edit"),
    path(f"{_COMPANY}contrats/nouveau/", contracts.new, name="operator_contract_new"),
    path(f"{_COMPANY}contrats/<int:pk>/", contracts.change, name="operator_contract"),
    path(f"{_COMPANY}premier-administrateur/", first_administrator.page, name="operator_first_administrator"),
    path(
        f"{_COMPANY}premier-administrateur/<int:pk>/", first_administrator.follow, name="operator_declaration"
    ),
    path(f"{_COMPANY}points/", company.points, name="operator_company_points"),
    path(f"{_COMPANY}historique/", company.history, name="operator_company_history"),
    path("administration/points/", points.index, name="operator_points"),
    path(_POINT, points.page, name="operator_point"),
    path(f"{_POINT}titulaire/", holdings.begin, name="operator_holding_new"),
    path(f"{_POINT}titres/<int:pk>/fin/", holdings.end, name="operator_holding_end"),
    path("administration/services-de-donnees/", services.index, name="operator_services"),
    path("administration/services-de-donnees/<slug:code>/", services.offer, name="operator_service"),
    path("administration/securite/", policy.page, name="operator_policy"),
    path("administration/securite/conditions/", terms.publish, name="operator_terms_new"),
]
