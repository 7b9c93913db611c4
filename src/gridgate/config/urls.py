"""Every URL of the portal plane. The data plane's routes come before these: see `asgi.py`."""

from django.urls import include, path

from gridgate.portal.screens import urlpatterns as screens

urlpatterns = [
    path("scim/v2/", include("gridgate.organisations.scim.urls")),
    path("", include(screens)),
]

handler400 = "gridgate.portal.screens.errors.views.bad_request"
handler403 = "gridgate.portal.screens.errors.views.forbidden"
handler404 = "gridgate.portal.screens.errors.views.not_found"
handler500 = "gridgate.portal.screens.errors.views.server_error"
