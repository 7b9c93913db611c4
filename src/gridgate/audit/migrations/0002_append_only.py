from django.db import migrations

from gridgate.audit.append_only import only_grows


class Migration(migrations.Migration):

    dependencies = [("audit", "0001_initial")]

    operations = [
        only_grows("audit_logretention"),
        only_grows(
            "audit_accesslogentry",
            # Compared with nothing, an instant is neither older nor younger: without a retention all rows stay.
            removable="coalesce(OLD.at < (SELECT max(before) FROM audit_logretention), 0)",
        ),
    ]
