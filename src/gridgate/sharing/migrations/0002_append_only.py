from django.db import migrations

from gridgate.audit.append_only import only_grows


class Migration(migrations.Migration):

    dependencies = [("sharing", "0001_initial")]

    operations = [only_grows("sharing_permissionevent"), only_grows("sharing_receipt")]
