"""Rights belonged to single members; now they belong to groups. Each member who had some gets a group of their own.

A service given to a group is that group's alone, so the company's other users get a group with what they had: the
meters and the measurements of all points.
"""

from typing import Any

from django.db import migrations

CONSULTING = ("meters", "measurements")
OTHERS = "Tous les points"


def to_groups(apps: Any, editor: Any) -> None:
    model = lambda name: apps.get_model("organisations", name)  # noqa: E731
    members = model("Membership").objects.filter(role="user", ended_at=None)
    restricted = members.filter(restricted=True)
    entitled = members.filter(pk__in=model("FormerEntitlement").objects.values("membership"))
    for member in (restricted | entitled).distinct().select_related("user"):
        group = _group(model, member, f"{member.user.full_name or member.user.email} ({member.pk})"[:80])
        own = model("FormerEntitlement").objects.filter(membership=member).values_list("code", flat=True)
        consulting = CONSULTING if member.restricted else ()
        points = model("FormerPerimeterPoint").objects.filter(membership=member)
        for code in (*consulting, *own):
            entitlement = model("Entitlement").objects.create(
                group=group, code=code, restricted=member.restricted
            )
            model("PerimeterPoint").objects.bulk_create(
                model("PerimeterPoint")(entitlement=entitlement, metering_point_id=point.metering_point_id)
                for point in points
            )
    for company in model("Organisation").objects.filter(memberships__in=restricted).distinct():
        others = members.filter(organisation=company, restricted=False)
        first = others.first()
        if first is None:
            continue
        group = _group(model, first, OTHERS)
        for member in others.exclude(pk=first.pk):
            model("GroupMember").objects.create(group=group, membership=member)
        for code in CONSULTING:
            model("Entitlement").objects.create(group=group, code=code, restricted=False)


def _group(model: Any, member: Any, name: str) -> Any:
    group = model("UserGroup").objects.create(
        organisation_id=member.organisation_id, name=name, created_at=member.created_at
    )
    model("GroupMember").objects.create(group=group, membership=member)
    return group


class Migration(migrations.Migration):

    dependencies = [("organisations", "0003_company_administration")]

    operations = [
        migrations.RunPython(to_groups, migrations.RunPython.noop),
        migrations.RemoveField("membership", "restricted"),
        migrations.DeleteModel("FormerEntitlement"),
        migrations.DeleteModel("FormerPerimeterPoint"),
    ]
