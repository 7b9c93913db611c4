from django.urls import path

from gridgate.portal.screens.administration import collections, files, views

urlpatterns = [
    path("administration/", views.home, name="operator_home"),
    path("administration/collectes/", collections.activate, name="operator_collections"),
    path("administration/import/", files.upload, name="operator_import"),
    path("administration/import/modele-<str:kind>.csv", files.sample, name="operator_import_sample"),
    path("administration/import/<int:number>/", files.report, name="operator_import_report"),
    path("administration/import/<int:number>/rapport.csv", files.export, name="operator_import_export"),
]
