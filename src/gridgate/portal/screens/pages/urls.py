from django.urls import path

from gridgate.portal.screens.pages import components, views
from gridgate.portal.shell import language

urlpatterns = [
    path("accessibilite/", views.accessibility, name="accessibility"),
    path("donnees-personnelles/", views.personal_data, name="personal_data"),
    path("aide/", views.help_page, name="help"),
    path("langue/", language.switch, name="language"),
    path("marque.css", views.brand_css, name="brand_css"),
    path("composants/", components.page, name="components"),
]
