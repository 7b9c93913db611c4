"""G: what rights cost: 10,000 users and 50,000 points of one company, beside django-guardian in the same run.

The same company is built twice, in two SQLite files: with our groups, services and perimeters, and with guardian's group
permissions on objects. Each group has a tenth of the points; each user is in two groups. Both answer the same three
questions for the same users, in turns: may this user see this point, which are their first 50 points by name, how many
are they. Ours answers more: whether the company holds the point, and since when, is part of each of its statements.
"""

import argparse
import atexit
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.lines import Line, Scale

QUESTIONS = ("check one point", "first page of 50", "count")
ASKED = 40
"""Users asked in a round, each a different one."""


def measure(scale: Scale, folder: Path) -> Iterator[Line]:
    """Build both, and ask in turns. Each makes a folder of its own."""
    groups = 20
    size = ["--users", str(scale.users), "--points", str(5 * scale.users), "--groups", str(groups)]
    sides = {name: Side(name, size) for name in SIDES}
    taken: dict[tuple[str, str], list[float]] = {}
    for round_ in range(scale.rounds):
        for name, side in sides.items():
            answer = side.ask(round_)
            for question in QUESTIONS:
                taken.setdefault((name, question), []).append(answer[question])
            assert answer["counts"] == sides["gridgate"].last["counts"], "both must see the same points"
    for question in QUESTIONS:
        yield Line(
            f"G {question}, {scale.users:,} users",
            "ms",
            taken["gridgate", question],
            {"django-guardian": taken["guardian", question]},
        )
    for side in sides.values():
        side.stop()


def main() -> None:
    """One of the two sides."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int)
    parser.add_argument("--points", type=int)
    parser.add_argument("--groups", type=int)
    parser.add_argument("--side", choices=list(SIDES))
    asked = parser.parse_args()
    serve(SIDES[asked.side](asked.users, asked.points, asked.groups))


class Side:
    """One of the two, in a process of its own: Django has one configuration a process."""

    def __init__(self, name: str, size: list[str]) -> None:
        command = [sys.executable, "-m", "benchmarks.rights", "--side", name, *size]
        self.last: dict[str, Any] = {}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._read()

    def ask(self, round_: int) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{round_}\n")
        self._process.stdin.flush()
        self.last = self._read()
        return self.last

    def stop(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the other side stopped"
        found: dict[str, Any] = json.loads(line)
        return found


Questions = dict[str, Callable[[int, str], object]]
"""By question, from a user's place and a point's identifier to the answer."""


def serve(questions: Questions) -> None:
    """Say that it is built, then answer a round for each line read."""
    users, points = int(os.environ["BENCH_USERS"]), int(os.environ["BENCH_POINTS"])
    print("{}", flush=True)
    for line in sys.stdin:
        dice = random.Random(int(line))  # the same users and points on both sides
        asked = [(dice.randrange(users), point_id(dice.randrange(points))) for _ in range(ASKED)]
        said: dict[str, Any] = {"counts": [questions["count"](user, point) for user, point in asked]}
        for question in QUESTIONS:
            begun = time.process_time()
            for user, point in asked:
                questions[question](user, point)
            said[question] = (time.process_time() - begun) / len(asked) * 1000
        print(json.dumps(said), flush=True)


def point_id(place: int) -> str:
    return f"3{place:013}"


def group_points(group: int, points: int, groups: int) -> Iterator[int]:
    """A tenth of all points; neighbours overlap."""
    size = points // 10
    first = group * points // groups
    return ((first + place) % points for place in range(size))


def groups_of(user: int, groups: int) -> set[int]:
    return {user % groups, (user * 7 + 3) % groups}


def gridgate(users: int, points: int, groups: int) -> Questions:
    os.environ.update(BENCH_USERS=str(users), BENCH_POINTS=str(points))
    os.environ["GRIDGATE_DATA"] = str(_folder())
    os.environ["DJANGO_SETTINGS_MODULE"] = "gridgate.config.settings"
    import django

    django.setup()
    from datetime import UTC, date, datetime

    from gridgate.config.instance import migrate
    from gridgate.metering import as_held
    from gridgate.metering.models import MeteringPoint, PointVersion, TitleHolding
    from gridgate.metering.queries.points import points_readable_by
    from gridgate.organisations import models

    migrate()
    now = datetime(2026, 1, 1, tzinfo=UTC)
    company = models.Organisation.objects.create(legal_name="Banc", siren="111222337", created_at=now)
    models.User.objects.bulk_create(
        [models.User(email=f"{n}@banc.example", password="!", created_at=now) for n in range(users)]
    )
    people = list(models.User.objects.order_by("pk").values_list("pk", flat=True))
    models.Membership.objects.bulk_create(
        [models.Membership(user_id=pk, organisation=company, created_at=now) for pk in people]
    )
    members = list(models.Membership.objects.order_by("pk").values_list("pk", flat=True))
    MeteringPoint.objects.bulk_create(
        [MeteringPoint(id=point_id(n), activated_on=date(2020, 1, 1)) for n in range(points)],
        batch_size=5000,
    )
    PointVersion.objects.bulk_create(
        [
            PointVersion(
                metering_point_id=point_id(n),
                valid_from=date(2020, 1, 1),
                segment="C5",
                directions=1,
                label=f"Site {n:05}",
            )
            for n in range(points)
        ],
        batch_size=5000,
    )
    TitleHolding.objects.bulk_create(
        [
            TitleHolding(metering_point_id=point_id(n), holder=company, valid_from=date(2020, 1, 1))
            for n in range(points)
        ],
        batch_size=5000,
    )
    as_held.rebuild()
    for number in range(groups):
        group = models.UserGroup.objects.create(organisation=company, name=f"G{number}", created_at=now)
        given = models.Entitlement.objects.create(group=group, code="measurements", restricted=True)
        models.PerimeterPoint.objects.bulk_create(
            [
                models.PerimeterPoint(entitlement=given, metering_point_id=point_id(n))
                for n in group_points(number, points, groups)
            ],
            batch_size=5000,
        )
        models.GroupMember.objects.bulk_create(
            [
                models.GroupMember(group=group, membership_id=members[user])
                for user in range(users)
                if number in groups_of(user, groups)
            ],
            batch_size=5000,
        )
    _analyse()

    def visible(user: int, point: str | None = None) -> Any:
        # As a request does: the membership is read, then its rights, then the list.
        actor = models.Membership.objects.select_related("user", "organisation").get(pk=members[user])
        return points_readable_by(actor=actor, service="measurements", today=now.date(), point=point)

    return {
        "check one point": lambda user, point: visible(user, point=point).exists(),
        "first page of 50": lambda user, _: list(visible(user).order_by("label", "pk")[:50]),
        "count": lambda user, _: visible(user).count(),
    }


def guardian(users: int, points: int, groups: int) -> Questions:
    os.environ.update(BENCH_USERS=str(users), BENCH_POINTS=str(points))
    from django.conf import settings

    folder = _folder()
    settings.configure(
        SECRET_KEY="bench",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "guardian"],
        AUTHENTICATION_BACKENDS=["guardian.backends.ObjectPermissionBackend"],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": folder / "guardian.sqlite3",
                "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA cache_size=-16000;"},
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    import django

    django.setup()
    from django.contrib.auth.models import Group, Permission, User
    from django.contrib.contenttypes.models import ContentType
    from django.core.management import call_command
    from django.db import connection, models
    from guardian.models import GroupObjectPermission
    from guardian.shortcuts import get_objects_for_user

    class Point(models.Model):
        id = models.CharField(primary_key=True, max_length=18)
        label = models.CharField(max_length=80, db_index=True)

        class Meta:
            app_label = "auth"
            default_permissions = ()

    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(Point)
    content = ContentType.objects.get_for_model(Point)
    may = Permission.objects.create(codename="see_point", name="see", content_type=content)
    User.objects.bulk_create([User(username=str(n), password="!") for n in range(users)])
    people = list(User.objects.exclude(username="AnonymousUser").order_by("pk").values_list("pk", flat=True))
    Point.objects.bulk_create(
        [Point(id=point_id(n), label=f"Site {n:05}") for n in range(points)], batch_size=5000
    )
    for number in range(groups):
        group = Group.objects.create(name=f"G{number}")
        GroupObjectPermission.objects.bulk_create(
            [
                GroupObjectPermission(
                    group=group, permission=may, content_type=content, object_pk=point_id(n)
                )
                for n in group_points(number, points, groups)
            ],
            batch_size=5000,
        )
        User.groups.through.objects.bulk_create(
            [
                User.groups.through(user_id=people[user], group_id=group.pk)
                for user in range(users)
                if number in groups_of(user, groups)
            ],
            batch_size=5000,
        )
    _analyse()

    def visible(user: int) -> Any:
        return get_objects_for_user(User.objects.get(pk=people[user]), "auth.see_point", Point)

    def check(user: int, point: str) -> bool:
        return bool(User.objects.get(pk=people[user]).has_perm("auth.see_point", Point(id=point)))

    return {
        "check one point": check,
        "first page of 50": lambda user, _: list(visible(user).order_by("label", "pk")[:50]),
        "count": lambda user, _: visible(user).count(),
    }


def _folder() -> Path:
    """For the registry; gone when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="rights-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _analyse() -> None:
    """Both with the statistics that a database in use has."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


SIDES: dict[str, Callable[[int, int, int], Questions]] = {"gridgate": gridgate, "guardian": guardian}

if __name__ == "__main__":
    main()
