from django.urls import path

from gridgate.portal.screens.measurements import prepared, together, views

urlpatterns = [
    path("mesures/", views.index, name="measurements"),
    path("mesures/ensemble/", together.page, name="measurements_several"),
    path("mesures/ensemble/export", together.export, name="measurements_several_export"),
    path("mesures/fichiers/", prepared.index, name="prepared_files"),
    path("mesures/fichiers/<prepared_file:file_id>", prepared.download, name="prepared_file"),
    path("mesures/fichiers/<prepared_file:file_id>/supprimer", prepared.remove, name="prepared_file_remove"),
    path("mesures/<str:point_id>/", views.point, name="measurements_point"),
    path("mesures/<str:point_id>/valeurs/", views.values, name="measurements_values"),
    path("mesures/<str:point_id>/export.csv", views.export, name="measurements_export"),
    path("mesures/<str:point_id>/serie.json", views.series, name="measurements_series"),
]
