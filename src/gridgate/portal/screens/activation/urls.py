from django.urls import path

from gridgate.portal.screens.activation import accepting, sign_up, terms, views

urlpatterns = [
    path("inscription/", sign_up.ask, name="sign_up"),
    path("inscription/envoyee/", sign_up.sent, name="sign_up_sent"),
    path("activation/<str:token>/", views.activation, name="activation"),
    path("conditions/", terms.in_force, name="terms"),
    path("conditions/accepter/", accepting.page, name="terms_accept"),
    path("conditions/versions/<str:version>/", terms.published, name="terms_version"),
]
