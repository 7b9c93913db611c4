from django.apps import AppConfig
from django.db.backends.signals import connection_created


class SharingConfig(AppConfig):
    name = "gridgate.sharing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from gridgate.metering.events import collection_changed, titles_changed
        from gridgate.sharing.projection import prepare_connection
        from gridgate.sharing.receivers import follow_collection, follow_titles

        connection_created.connect(prepare_connection)
        titles_changed.connect(follow_titles)
        collection_changed.connect(follow_collection)
