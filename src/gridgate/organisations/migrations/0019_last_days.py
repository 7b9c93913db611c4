from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("organisations", "0018_dated_rights")]

    operations = [
        migrations.AddField(
            model_name="membership", name="until", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddField(
            model_name="invitation", name="until", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(("role", "administrator"), ("until__isnull", False), _negated=True),
                name="administrators_have_no_last_day",
            ),
        ),
    ]
