from django.urls import path

from gridgate.portal.screens.lost_factors import objecting, views

urlpatterns = [
    path("administration/seconds-facteurs/", views.desk, name="operator_lost_factors"),
    path("administration/utilisateurs/seconds-facteurs/", views.company, name="company_lost_factors"),
    path("opposition/<str:token>/", objecting.page, name="lost_factor_objection"),
]
