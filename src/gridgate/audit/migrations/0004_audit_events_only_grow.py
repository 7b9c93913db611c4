from django.db import migrations

from gridgate.audit.append_only import only_grows


class Migration(migrations.Migration):

    dependencies = [("audit", "0003_audit_events")]

    operations = [only_grows("audit_auditevent")]
