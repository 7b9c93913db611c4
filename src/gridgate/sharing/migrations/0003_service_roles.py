from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sharing', '0002_append_only'),
    ]

    operations = [
        migrations.AddField(
            model_name='dataservice',
            name='roles',
            field=models.JSONField(blank=True, default=list),
        ),
    ]
