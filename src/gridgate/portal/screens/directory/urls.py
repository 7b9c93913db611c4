from django.urls import path

from gridgate.portal.screens.directory import views

urlpatterns = [
    path("administration/annuaire/", views.index, name="company_directory"),
    path(
        "administration/annuaire/<directory_token:pk>/revoquer/",
        views.revoke,
        name="company_directory_revoke",
    ),
]
