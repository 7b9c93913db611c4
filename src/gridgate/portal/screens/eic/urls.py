from django.urls import path

from gridgate.portal.screens.eic import asking, following, register, reviewing, staff

urlpatterns = [
    path("eic/", following.index, name="eic_requests"),
    path("eic/registre/", register.index, name="eic_register"),
    path("eic/registre/export.csv", register.export, name="eic_register_export"),
    path("eic/nouvelle/", asking.search, name="eic_request_new"),
    path("eic/<str:number>/", following.page, name="eic_request"),
    path("eic/<str:number>/type/", asking.choose_type, name="eic_request_type"),
    path("eic/<str:number>/modifier/", asking.describe, name="eic_request_edit"),
    path("eic/<str:number>/envoyer/", following.send, name="eic_request_submit"),
    path("eic/<str:number>/retirer/", following.withdraw, name="eic_request_withdraw"),
    path("administration/eic/", staff.index, name="operator_eic"),
    path("administration/eic/export.csv", staff.export, name="operator_eic_export"),
    path("administration/eic/ajouter/", staff.add, name="operator_eic_add"),
    path("administration/eic/<str:code>/", staff.page, name="operator_eic_code"),
]

reviewing.declare()
