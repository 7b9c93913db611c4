"""Which groups a directory put a person in. Of those they are in already nobody knows who put them there."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("organisations", "0011_what_was_sent")]

    operations = [
        migrations.AddField(
            "directoryperson",
            "groups",
            models.ManyToManyField(
                blank=True, related_name="directory_people", to="organisations.usergroup"
            ),
        )
    ]
