from django.urls import path

from gridgate.portal.screens.company import (
    explanation,
    group,
    groups,
    history,
    invitations,
    many,
    matrix,
    perimeter,
    person,
    programs,
    users,
)

urlpatterns = [
    path("administration/utilisateurs/", users.index, name="company_users"),
    path("administration/utilisateurs/export.csv", users.export, name="company_users_export"),
    path("administration/utilisateurs/<member:pk>/", person.page, name="company_user"),
    path("administration/utilisateurs/<member:pk>/detacher/", person.detach, name="company_user_detach"),
    path("administration/inviter/", invitations.invite, name="company_invite"),
    path("administration/inviter/plusieurs/", many.page, name="company_invite_many"),
    path("administration/inviter/modele.csv", many.sample, name="company_invite_sample"),
    path("administration/invitations/", invitations.index, name="company_invitations"),
    path(
        "administration/invitations/<invitation:pk>/renouveler/",
        invitations.renew,
        name="company_invitation_renew",
    ),
    path(
        "administration/invitations/<invitation:pk>/annuler/",
        invitations.cancel,
        name="company_invitation_cancel",
    ),
    path("administration/groupes/", groups.index, name="company_groups"),
    path("administration/groupes/nouveau/", groups.create, name="company_group_new"),
    path("administration/groupes/<group:pk>/", group.page, name="company_group"),
    path("administration/groupes/<group:pk>/renommer/", group.rename, name="company_group_rename"),
    path("administration/groupes/<group:pk>/membres/", group.members, name="company_group_members"),
    path("administration/groupes/<group:pk>/programmes/", programs.page, name="company_group_programs"),
    path("administration/groupes/<group:pk>/supprimer/", group.delete, name="company_group_delete"),
    path("administration/groupes/<group:pk>/perimetre/<str:code>/", perimeter.page, name="company_perimeter"),
    path("administration/services/", matrix.page, name="company_services"),
    path("administration/verifier/", explanation.page, name="company_explain"),
    path("administration/historique/", history.page, name="company_history"),
    path("administration/historique/export.csv", history.export, name="company_history_export"),
]
