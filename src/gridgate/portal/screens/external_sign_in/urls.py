from django.urls import path

from gridgate.portal.screens.external_sign_in import opening, views

urlpatterns = [
    path("connexion/externe/", views.start, name="external_sign_in"),
    path("connexion/externe/retour/", views.finish, name="external_sign_in_return"),
    path("connexion/externe/compte/", opening.page, name="external_sign_up"),
    path("connexion/externe/refus/<slug:reason>/", views.refused, name="external_sign_in_refused"),
]
