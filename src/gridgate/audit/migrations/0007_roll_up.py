"""The log's roll-up and index in place of a row for each read, which the segments hold anyway.

The worker makes both anew from the segments. A row whose segment is not where it was folded from is in the registry
alone: it is kept, in `audit_formerread`, and that is said.
"""

import sys

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.utils.module_loading import import_string

_TABLES = (
    # Without a row number: half the size, and one search a row.
    """
    CREATE TABLE audit_logday (
      facet_id bigint NOT NULL REFERENCES audit_logfacet (id) DEFERRABLE INITIALLY DEFERRED,
      day date NOT NULL, entries integer unsigned NOT NULL, "values" bigint unsigned NOT NULL,
      first bigint NOT NULL, last bigint NOT NULL,
      segment_id bigint NOT NULL REFERENCES audit_accesslogsegment (id) DEFERRABLE INITIALLY DEFERRED,
      PRIMARY KEY (facet_id, day)) WITHOUT ROWID
    """,
    """
    CREATE TABLE audit_logpointday (
      facet_id bigint NOT NULL REFERENCES audit_logfacet (id) DEFERRABLE INITIALLY DEFERRED,
      day date NOT NULL, metering_point_id varchar(18) NOT NULL,
      entries integer unsigned NOT NULL, "values" bigint unsigned NOT NULL,
      first bigint NOT NULL, last bigint NOT NULL,
      PRIMARY KEY (facet_id, day, metering_point_id)) WITHOUT ROWID
    """,
    """
    CREATE TABLE audit_logpoint (
      facet_id bigint NOT NULL REFERENCES audit_logfacet (id) DEFERRABLE INITIALLY DEFERRED,
      metering_point_id varchar(18) NOT NULL, permission varchar(36) NOT NULL,
      entries integer unsigned NOT NULL, last bigint NOT NULL,
      PRIMARY KEY (facet_id, metering_point_id, permission)) WITHOUT ROWID
    """,
)


def _put_away(apps, editor):
    """Drop the rows that the segments hold; keep the others."""
    segment_model = apps.get_model("audit", "AccessLogSegment")
    there = import_string(settings.LOG_SEGMENTS)()
    alone = [
        row for row in segment_model.objects.order_by("pk") if row.size and there.get(row.name, -1) < row.size
    ]
    numbers = ", ".join(str(row.pk) for row in alone) or "NULL"
    with editor.connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM audit_accesslogentry WHERE segment_id IN ({numbers})")
        (kept,) = cursor.fetchone()
        for verb in ("update", "delete"):
            cursor.execute(f"DROP TRIGGER audit_accesslogentry_no_{verb}")
        if kept:
            cursor.execute(
                "CREATE TABLE audit_formerread AS SELECT name AS segment_name, audit_accesslogentry.*"
                " FROM audit_accesslogentry JOIN audit_accesslogsegment AS one ON one.id = segment_id"
                f" WHERE segment_id IN ({numbers})"
            )
        cursor.execute("DROP TABLE audit_accesslogentry")
    for row in alone:
        sys.stderr.write(
            f"{row.name}: the registry has folded it, and it is not in the access log as it was."
            " Put it back from a copy and run: gridgate audit rebuild.\n"
        )
    if kept:
        sys.stderr.write(
            f"{kept} reads are in the registry alone, and no page shows them until their segments are back:"
            " they are kept in its table audit_formerread.\n"
        )
    segment_model.objects.update(lines=0, size=0, head="")


def _create(statement, name, fields):
    return migrations.SeparateDatabaseAndState(
        database_operations=[migrations.RunSQL(statement, f"DROP TABLE audit_{name.lower()}")],
        state_operations=[migrations.CreateModel(name=name, fields=fields)],
    )


def _facet():
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="audit.logfacet"
    )


def _segment():
    return models.ForeignKey(
        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="audit.accesslogsegment"
    )


_ID = ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"))
_SUMS = [
    ("entries", models.PositiveIntegerField()),
    ("values", models.PositiveBigIntegerField()),
    ("first", models.BigIntegerField()),
    ("last", models.BigIntegerField()),
]


class Migration(migrations.Migration):
    dependencies = [("audit", "0006_checkpoints")]

    operations = [
        migrations.AddField(
            model_name="accesslogsegment", name="sealed", field=models.BooleanField(default=False)
        ),
        migrations.CreateModel(
            name="LogFacet",
            fields=[
                _ID,
                ("holder", models.BigIntegerField(null=True)),
                ("reader", models.BigIntegerField(null=True)),
                ("reader_name", models.CharField(blank=True, max_length=200)),
                ("user", models.BigIntegerField(null=True)),
                ("user_name", models.CharField(blank=True, max_length=200)),
                ("application", models.CharField(blank=True, max_length=64)),
                ("kind", models.CharField(blank=True, max_length=20)),
                ("direction", models.CharField(blank=True, max_length=10)),
                ("channel", models.CharField(max_length=20)),
                ("outcome", models.CharField(max_length=30)),
                ("digest", models.CharField(max_length=32, unique=True)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["holder", "reader"], name="facets_of_a_holder"),
                    models.Index(
                        condition=models.Q(("user__isnull", False)), fields=["user"], name="facets_of_a_person"
                    ),
                ]
            },
        ),
        _create(
            _TABLES[0],
            "LogDay",
            [
                ("facet", _facet()),
                *_SUMS,
                ("day", models.DateField()),
                ("segment", _segment()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "facet_id", "day", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
            ],
        ),
        _create(
            _TABLES[1],
            "LogPointDay",
            [
                ("facet", _facet()),
                *_SUMS,
                ("day", models.DateField()),
                ("metering_point_id", models.CharField(blank=True, max_length=18)),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "facet_id",
                        "day",
                        "metering_point_id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
        ),
        _create(
            _TABLES[2],
            "LogPoint",
            [
                ("facet", _facet()),
                ("metering_point_id", models.CharField(blank=True, max_length=18)),
                ("permission", models.CharField(blank=True, max_length=36)),
                ("entries", models.PositiveIntegerField()),
                ("last", models.BigIntegerField()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "facet_id",
                        "metering_point_id",
                        "permission",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="LogStretch",
            fields=[
                _ID,
                ("holder", models.BigIntegerField(null=True)),
                ("first", models.BigIntegerField()),
                ("last", models.BigIntegerField()),
                ("columns", models.BinaryField()),
                ("segment", _segment()),
            ],
            options={"indexes": [models.Index(fields=["holder", "last"], name="stretches_of_a_holder")]},
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(_put_away)],
            state_operations=[migrations.DeleteModel(name="AccessLogEntry")],
        ),
    ]
