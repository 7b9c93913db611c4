from django.urls import path

from gridgate.portal.screens.kyc import documents, filling, reviewing, sending, standing, versions

urlpatterns = [
    path("questionnaire/", standing.index, name="kyc"),
    path("questionnaire/commencer/", standing.start, name="kyc_start"),
    path("questionnaire/<str:number>/", sending.questionnaire, name="kyc_questionnaire"),
    path("questionnaire/<str:number>/<int:place>/", filling.section, name="kyc_section"),
    path("questionnaire/<str:number>/envoyer/", sending.submit, name="kyc_submit"),
    path("questionnaire/<str:number>/retirer/", sending.withdraw, name="kyc_withdraw"),
    path("questionnaire/<str:number>/documents/<document:pk>/", documents.download, name="kyc_attachment"),
    path("administration/questionnaire/", versions.index, name="operator_kyc_forms"),
    path("administration/questionnaire/publier/", versions.publish, name="operator_kyc_publish"),
    path("administration/questionnaire/versions/<str:version>/", versions.preview, name="operator_kyc_form"),
    path(
        "administration/questionnaire/versions/<str:version>/fichier.json",
        versions.document,
        name="operator_kyc_form_file",
    ),
]

reviewing.declare()
