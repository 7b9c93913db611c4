from django.urls import path

from gridgate.portal.screens.sharing import ending, extending, received, requests, views

urlpatterns = [
    path("partage/", views.index, name="sharing"),
    path("partage/export.csv", views.export, name="sharing_export"),
    path("partage/demandes/<uuid:request_id>/", requests.answer, name="sharing_request"),
    path("partage/autorisations/<uuid:permission_id>/resilier/", ending.revoke, name="sharing_revoke"),
    path("partage/autorisations/<uuid:permission_id>/prolonger/", extending.extend, name="sharing_extend"),
    path("partage/recues/", received.index, name="permissions_received"),
    path("partage/recues/<uuid:permission_id>/mettre-fin/", received.terminate, name="permission_terminate"),
    path("partage/<str:siren>/", views.company, name="sharing_company"),
    path("partage/<str:siren>/resilier/", ending.revoke_company, name="sharing_revoke_company"),
]
