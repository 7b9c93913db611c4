from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "gridgate.notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from gridgate.notifications import (
            accounts,
            directory,
            invitations,
            joining,
            kyc,
            last_days,
            requests,
            security,
        )
        from gridgate.notifications.receivers import connect

        connect()
        invitations.connect()
        requests.connect()
        kyc.connect()
        security.connect()
        accounts.connect()
        directory.connect()
        joining.connect()
        last_days.connect()
