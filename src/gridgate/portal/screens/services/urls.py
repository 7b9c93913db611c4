from django.urls import path

from gridgate.portal.screens.services import subscribing, views

urlpatterns = [
    path("services/", views.index, name="services"),
    path("services/<slug:code>/", views.detail, name="service"),
    path("services/<slug:code>/souscrire/", subscribing.subscribe, name="service_subscribe"),
]
