from django.urls import path

from gridgate.portal.screens.security import codes, external, key, sign_in, step_up, totp, views

urlpatterns = [
    path("connexion/code/", sign_in.second_factor, name="sign_in_code"),
    path("connexion/cle/", sign_in.passkey, name="sign_in_key"),
    path("confirmation/", step_up.page, name="step_up"),
    path("compte/securite/", views.page, name="account_security"),
    path("compte/securite/sessions/", views.end_sessions, name="account_sessions"),
    path("compte/securite/avis/", views.notices, name="account_notices"),
    path("compte/securite/application/", totp.page, name="account_totp"),
    path("compte/securite/codes/", codes.page, name="account_codes"),
    path("compte/securite/cles/ajouter/", key.add, name="account_key_add"),
    path("compte/securite/cles/<passkey:pk>/", key.page, name="account_key"),
    path("compte/securite/externe/<sign_in_link:pk>/", external.page, name="account_external"),
]
