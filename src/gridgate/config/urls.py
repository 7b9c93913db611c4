"""Every URL of the portal plane. The data plane's routes come before these: see `asgi.py`."""

from django.urls import include, path

from gridgate.portal.screens import urlpatterns as screens

urlpatterns = [
    path("scim/v2/", include("gridgate.portal.scim.urls")),
    path("", include(screens)),
]

handler400 = "gridgate.portal.refusals.error_pages.bad_request"
handler403 = "gridgate.portal.refusals.error_pages.forbidden"
handler404 = "gridgate.portal.refusals.error_pages.not_found"
handler500 = "gridgate.portal.refusals.error_pages.server_error"
