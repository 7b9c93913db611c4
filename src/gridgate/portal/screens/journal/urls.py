from django.urls import path

from gridgate.portal.screens.journal import views

urlpatterns = [
    path("journal/", views.index, name="access_journal"),
    path("journal/export.csv", views.export, name="access_journal_export"),
]
