import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('organisations', '0024_company_names_without_punctuation'),
    ]

    operations = [
        migrations.CreateModel(
            name='PreparedFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=32, unique=True)),
                ('quantity', models.CharField(max_length=12)),
                ('direction', models.CharField(max_length=12)),
                ('first', models.DateField()),
                ('after', models.DateField()),
                ('points', models.JSONField()),
                ('count', models.PositiveIntegerField()),
                ('address', models.TextField()),
                ('format', models.CharField(max_length=8)),
                ('language', models.CharField(max_length=2)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('ready', 'Ready'), ('failed', 'Failed')], default='waiting', max_length=7)),
                ('failure', models.CharField(blank=True, choices=[('no_room', 'No Room'), ('unavailable', 'Unavailable'), ('interrupted', 'Interrupted'), ('nothing_left', 'Nothing Left')], max_length=12)),
                ('done', models.PositiveIntegerField(default=0)),
                ('size', models.BigIntegerField(default=0)),
                ('left_out', models.JSONField(default=list)),
                ('rights', models.JSONField(blank=True, null=True)),
                ('created_at', models.DateTimeField()),
                ('ready_at', models.DateTimeField(blank=True, null=True)),
                ('expires_at', models.DateTimeField()),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('leased_until', models.DateTimeField(blank=True, null=True)),
                ('membership', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='prepared_files', to='organisations.membership')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state', 'waiting')), fields=['created_at'], name='prepared_file_waiting')],
            },
        ),
    ]
