"""Sessions are known by the hash of their key from now on. Rows with keys in clear open nothing any more, and would
still tell them: everybody signs in again.
"""

from django.db import migrations


def forget_sessions(apps, schema_editor):
    for label, name in (("usersessions", "UserSession"), ("sessions", "Session")):
        apps.get_model(label, name).objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("organisations", "0013_numbers_that_count_nothing"),
        ("sessions", "0001_initial"),
        ("usersessions", "0001_initial"),
    ]
    operations = [migrations.RunPython(forget_sessions, migrations.RunPython.noop)]
