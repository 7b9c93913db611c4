from django.urls import path

from gridgate.portal.screens.joining import answering, asking

urlpatterns = [
    path("rejoindre/", asking.page, name="join_company"),
    path("administration/invitations/demandes/", answering.index, name="company_join_requests"),
    path(
        "administration/invitations/demandes/<join_request:pk>/",
        answering.answer,
        name="company_join_request",
    ),
]
