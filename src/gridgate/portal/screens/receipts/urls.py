from django.urls import path

from gridgate.portal.screens.receipts import verifying, views

urlpatterns = [
    path("partage/recus/", views.index, name="receipts"),
    path("partage/recus/verifier/", verifying.verify, name="receipt_verify"),
    path("partage/recus/<str:number>.jws", views.proof, name="receipt_proof"),
    path("partage/recus/<str:number>/", views.detail, name="receipt"),
    path(".well-known/gridgate-receipts.json", verifying.keys, name="receipt_keys"),
]
