from django.urls import path

from gridgate.portal.screens.account import (
    account,
    companies,
    deletion,
    favourites,
    passwords,
    personal_data,
    sign_in,
)

urlpatterns = [
    path("connexion/", sign_in.SignIn.as_view(), name="sign_in"),
    path("deconnexion/", sign_in.sign_out, name="sign_out"),
    path("mot-de-passe/oublie/", passwords.ask, name="password_reset"),
    path("mot-de-passe/envoye/", passwords.sent, name="password_reset_sent"),
    path("mot-de-passe/nouveau/<uidb64>/<token>/", passwords.Choose.as_view(), name="password_reset_confirm"),
    path("mot-de-passe/change/", passwords.done, name="password_reset_done"),
    path("compte/", account.page, name="account"),
    path("compte/mot-de-passe/", account.password, name="account_password"),
    path("compte/entreprise/", companies.switch, name="switch_organisation"),
    path("compte/favoris/", favourites.change, name="favourites"),
    path("compte/mes-donnees/", personal_data.page, name="account_data"),
    path("compte/supprimer/", deletion.page, name="account_deletion"),
]
