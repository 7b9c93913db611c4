"""What an engineer writes in an afternoon in place of the portal: Django, a row a read, a row a value, counts by SQL.

A project in one file, on SQLite as Gridgate is, with sign-in, sessions and tokens against forgery as Django has them; it
imports nothing of Gridgate. It logs nothing, decides nothing but who sees which points, signs nothing. `ask` runs it in a
process of its own, which measures itself as Gridgate's pages are measured: the processor time of an answer.
"""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import django
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from benchmarks.spent import locked, worked

NAME = "plain Django rows"
HERE = Path(__file__).resolve().parent.parent.parent
PARIS = ZoneInfo("Europe/Paris")
MONTH = timedelta(days=30)
HOLDER = 1


def ask(folder: Path, question: str, **told: Any) -> dict[str, list[float]]:
    """What one of `QUESTIONS` is answered, in a process of its own: milliseconds of each round, by name."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.peers.plain_django", str(folder), question],
        cwd=HERE,
        input=json.dumps(told),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


# --- the project --------------------------------------------------------------------------------------------

TEMPLATES = {
    "page.html": """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>Portail</title></head>
<body><nav><a href="/">Accueil</a> <a href="/partage/">Partage</a> <a href="/journal/">Journal</a></nav>
<p>{{ user.username }}</p>
{% for message in messages %}<p>{{ message }}</p>{% endfor %}{% block content %}{% endblock %}
</body></html>""",
    "home.html": """{% extends "page.html" %}{% block content %}<h1>{{ points }} compteurs</h1>
<table>{% for one in readers %}
<tr><td>{{ one.reader_name }}</td><td>{{ one.reads }}</td></tr>
{% endfor %}</table>{% endblock %}""",
    "sharing.html": """{% extends "page.html" %}{% block content %}
<table>{% for one in readers %}
<tr><td>{{ one.reader_name }}</td><td>{{ one.points }}</td><td>{{ one.reads }}</td>
<td>{{ one.last|date:"d/m/Y H:i:s" }}</td></tr>
{% endfor %}</table>{% endblock %}""",
    "journal.html": """{% extends "page.html" %}{% block content %}<p>{{ page.paginator.count }} lectures</p>
<form><input name="compteur"><select name="reponse"><option value="">Toutes</option><option>refused</option></select>
<button>Filtrer</button></form>
<table>{% for one in page %}
<tr><td>{{ one.at|date:"d/m/Y H:i:s" }}</td><td>{{ one.reader_name }}</td><td>{{ one.point }}</td>
<td>{{ one.kind }}</td><td>{{ one.outcome }}</td><td>{{ one.application }}</td></tr>
{% endfor %}</table>
{% if page.has_next %}<a href="?page={{ page.next_page_number }}">Suite</a>{% endif %}{% endblock %}""",
    "measurements.html": """{% extends "page.html" %}{% block content %}<h1>{{ point }}</h1>
<canvas id="courbe"></canvas>{{ chart|json_script:"valeurs" }}
<table>{% for one in rows %}
<tr><td>{{ one.at|date:"d/m/Y H:i" }}</td><td>{{ one.watts|floatformat:0 }}</td><td>{{ one.quality }}</td></tr>
{% endfor %}</table>{% endblock %}""",
    "consent.html": """{% extends "page.html" %}{% block content %}<p>{{ consent.reader_name }}</p>
<form method="post">{% csrf_token %}<button>Résilier</button></form>{% endblock %}""",
    "ended.txt": "Le partage du compteur {{ consent.point }} avec {{ consent.reader_name }} a pris fin le {{ now }}.",
}


def set_up(folder: Path) -> None:
    settings.configure(
        SECRET_KEY="an afternoon's key",
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        USE_TZ=True,
        TIME_ZONE="Europe/Paris",
        LANGUAGE_CODE="fr",
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
        ],
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": folder / "plain.sqlite3",
                "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode = wal"},
            }
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [
                        (
                            "django.template.loaders.cached.Loader",
                            [("django.template.loaders.locmem.Loader", TEMPLATES)],
                        )
                    ],
                    "context_processors": [
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ],
                },
            }
        ],
    )
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        for model in _models().values():
            editor.create_model(model)


def _models() -> dict[str, Any]:
    """By name. They can be made once Django is set up, and once alone."""
    if _MADE:
        return _MADE
    from django.contrib.auth.models import User
    from django.db import models

    def of(model: str, /, *indexes: tuple[str, ...], **columns: Any) -> None:
        kept = [
            models.Index(fields=list(index), name=f"{model}_{number}") for number, index in enumerate(indexes)
        ]
        meta = type("Meta", (), {"app_label": "plain", "db_table": model, "indexes": kept})
        _MADE[model] = type(model.title(), (models.Model,), {"__module__": __name__, "Meta": meta, **columns})

    text = models.CharField
    of(
        "member",
        user=models.OneToOneField(User, models.CASCADE),
        holder=models.IntegerField(),
        sees_all=models.BooleanField(),
    )
    of("point", ("holder",), name=text(max_length=14, unique=True), holder=models.IntegerField())
    of(
        "memberpoint",
        member=models.ForeignKey(_MADE["member"], models.CASCADE),
        point=text(max_length=14, db_index=True),
    )
    of(
        "read",
        ("holder", "at"),
        ("point", "at"),
        at=models.DateTimeField(),
        reader=models.IntegerField(),
        reader_name=text(max_length=100),
        holder=models.IntegerField(),
        point=text(max_length=14),
        kind=text(max_length=20),
        outcome=text(max_length=20),
        application=text(max_length=50, null=True),
    )
    of(
        "reading",
        ("point", "at"),
        point=text(max_length=14),
        at=models.DateTimeField(),
        watts=models.IntegerField(),
        quality=text(max_length=10),
    )
    of(
        "consent",
        holder=models.IntegerField(),
        point=text(max_length=14),
        reader_name=text(max_length=100),
        ended_at=models.DateTimeField(null=True),
    )
    of(
        "event",
        consent=models.ForeignKey(_MADE["consent"], models.CASCADE),
        what=text(max_length=20),
        at=models.DateTimeField(),
    )
    of("mail", to=text(max_length=100), body=models.TextField(), sent_at=models.DateTimeField(null=True))
    return _MADE


_MADE: dict[str, Any] = {}


def _seen(request: HttpRequest, rows: Any, column: str = "point") -> Any:
    """Of the rows, those about points that the member sees."""
    made = _models()
    me = made["member"].objects.get(user=request.user)
    rows = rows.filter(holder=me.holder)
    if me.sees_all:
        return rows
    return rows.filter(**{f"{column}__in": made["memberpoint"].objects.filter(member=me).values("point")})


def home(request: HttpRequest) -> HttpResponse:
    from django.db.models import Count
    from django.shortcuts import render

    made = _models()
    recent = _seen(request, made["read"].objects.filter(outcome="granted", at__gte=datetime.now(UTC) - MONTH))
    readers = recent.values("reader_name").annotate(reads=Count("pk")).order_by("-reads")
    points = _seen(request, made["point"].objects.all(), "name").count()
    return render(request, "home.html", {"points": points, "readers": readers})


def sharing(request: HttpRequest) -> HttpResponse:
    from django.db.models import Count, Max
    from django.shortcuts import render

    readers = (
        _seen(request, _models()["read"].objects.all())
        .values("reader_name")
        .annotate(points=Count("point", distinct=True), reads=Count("pk"), last=Max("at"))
        .order_by("reader_name")
    )
    return render(request, "sharing.html", {"readers": readers})


def journal(request: HttpRequest) -> HttpResponse:
    from django.core.paginator import Paginator
    from django.shortcuts import render

    rows = _seen(request, _models()["read"].objects.order_by("-at"))
    if point := request.GET.get("compteur"):
        rows = rows.filter(point=point)
    if request.GET.get("reponse") == "refused":
        rows = rows.exclude(outcome="granted")
    own = request.GET.get("lectures") == "vous"
    rows = rows.filter(reader=HOLDER) if own else rows.exclude(reader=HOLDER)
    page = Paginator(rows, 50).get_page(request.GET.get("page"))
    return render(request, "journal.html", {"page": page})


def measurements(request: HttpRequest, point: str) -> HttpResponse:
    """A curve of all values and, of a day, a row for each; else a row a day. A year has the days alone."""
    from django.db.models import Avg, Max
    from django.db.models.functions import TruncDay
    from django.http import Http404
    from django.shortcuts import render

    made = _models()
    if not _seen(request, made["point"].objects.filter(name=point), "name").exists():
        raise Http404
    view, last = request.GET["vue"], date.fromisoformat(request.GET["le"])
    first = last - timedelta(days={"jour": 1, "semaine": 7, "mois": 30, "annee": 365}[view] - 1)
    start, end = (
        datetime(day.year, day.month, day.day, tzinfo=PARIS) for day in (first, last + timedelta(days=1))
    )
    values = made["reading"].objects.filter(point=point, at__gte=start, at__lt=end).order_by("at")
    days = (
        values.annotate(day=TruncDay("at", tzinfo=PARIS))
        .values("day")
        .annotate(mean=Avg("watts"), worst=Max("quality"))
        .order_by("day")
    )
    if view == "jour":
        rows = list(values.values("at", "watts", "quality"))
    else:
        rows = [{"at": one["day"], "watts": one["mean"], "quality": one["worst"]} for one in days]
    drawn = rows if view in ("jour", "annee") else values.values("at", "watts")
    chart = [[one["at"].isoformat(), one["watts"]] for one in drawn]
    return render(request, "measurements.html", {"point": point, "rows": rows, "chart": chart})


def consent(request: HttpRequest, number: int) -> HttpResponse:
    """Ended when its form is sent: the row, an event, and letters to both sides, in one transaction."""
    from django.contrib import messages
    from django.db import transaction
    from django.shortcuts import get_object_or_404, redirect, render
    from django.template.loader import render_to_string

    made = _models()
    ours = _seen(request, made["consent"].objects.all())
    if request.method != "POST":
        return render(request, "consent.html", {"consent": get_object_or_404(ours, pk=number)})
    now = datetime.now(UTC)
    with transaction.atomic():
        ended = get_object_or_404(ours.select_for_update(), pk=number, ended_at=None)
        ended.ended_at = now
        ended.save(update_fields=["ended_at"])
        made["event"].objects.create(consent=ended, what="revoked", at=now)
        body = render_to_string("ended.txt", {"consent": ended, "now": now})
        made["mail"].objects.bulk_create(made["mail"](to=f"{who}@example.org", body=body) for who in "abc")
    messages.success(request, "Le partage a pris fin.")
    return redirect("/partage/")


def _urls() -> list[Any]:
    from django.contrib.auth.decorators import login_required
    from django.urls import path

    return [
        path("", login_required(home)),
        path("partage/", login_required(sharing)),
        path("journal/", login_required(journal)),
        path("mesures/<point>/", login_required(measurements)),
        path("partages/<int:number>/", login_required(consent)),
    ]


class _Later(list[Any]):
    """Addresses, once Django is set up."""

    def __iter__(self) -> Iterator[Any]:
        if not len(self):
            self.extend(_urls())
        return super().__iter__()


urlpatterns = _Later()


# --- what is measured ---------------------------------------------------------------------------------------


def _signed_in(points: list[str], *, sees_all: bool) -> Any:
    from django.contrib.auth.models import User
    from django.test import Client

    made = _models()
    user = User.objects.create_user(f"{len(points)}-{sees_all}")
    member = made["member"].objects.create(user=user, holder=HOLDER, sees_all=sees_all)
    if not sees_all:
        made["memberpoint"].objects.bulk_create(
            made["memberpoint"](member=member, point=one) for one in points
        )
    browser = Client()
    browser.force_login(user)
    return browser


def _taken(browser: Any, address: str, rounds: int) -> list[float]:
    """Milliseconds of CPU, each round; one before them is for nothing."""
    taken = []
    for _ in range(rounds + 1):
        with worked() as cpu:
            answer = browser.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        taken.append(cpu())
    return taken[1:]


def pages(
    folder: Path,
    log: str,
    pattern: str,
    points: list[str],
    some: int,
    holder: int,
    rounds: int,
    addresses: list[str],
) -> dict[str, list[float]]:
    """Of the pages, of who sees all points and of who sees some: `ADDRESS who`."""
    made = _models()
    made["point"].objects.bulk_create(made["point"](name=one, holder=HOLDER) for one in points)
    with closing(sqlite3.connect(folder / "plain.sqlite3")) as file, file:
        file.executemany(
            "insert into read (at, reader, reader_name, holder, point, kind, outcome, application)"
            " values (?, ?, ?, ?, ?, ?, ?, ?)",
            _reads(Path(log), pattern, holder),
        )
        file.execute("analyze")
    browsers = {
        "all": _signed_in(points, sees_all=True),
        str(some): _signed_in(points[:some], sees_all=False),
    }
    return {
        f"{address} {who}": _taken(browser, address, rounds)
        for who, browser in browsers.items()
        for address in addresses
    }


def _reads(log: Path, pattern: str, holder: int) -> Iterator[tuple[Any, ...]]:
    for path in sorted(log.glob(pattern)):
        for line in path.read_bytes().splitlines():
            entry = json.loads(line)
            if "at" in entry:
                yield (
                    entry["at"].replace("T", " ").removesuffix("Z"),
                    HOLDER if entry["reader"] == holder else -entry["reader"],
                    entry["reader_name"],
                    HOLDER,
                    entry["metering_point"],
                    entry["kind"],
                    entry["outcome"],
                    entry.get("application"),
                )


def curves(folder: Path, point: str, until: str, addresses: list[str], rounds: int) -> dict[str, list[float]]:
    """Of the measurements of a point that has a year of ten minutes."""
    made = _models()
    made["point"].objects.create(name=point, holder=HOLDER)
    end = datetime.combine(date.fromisoformat(until), datetime.min.time(), PARIS).astimezone(UTC)
    made["reading"].objects.bulk_create(
        (
            made["reading"](
                point=point, at=end - timedelta(minutes=10 * number), watts=number % 9000, quality="measured"
            )
            for number in range(1, 144 * 380)
        ),
        batch_size=5000,
    )
    browser = _signed_in([point], sees_all=True)
    return {address: _taken(browser, address, rounds) for address in addresses}


def ends(folder: Path, count: int) -> dict[str, list[float]]:
    """Of consents that are ended by the form: CPU, and how long the database was locked."""
    made = _models()
    points = [f"{number:014d}" for number in range(count + 1)]
    given = made["consent"].objects.bulk_create(
        made["consent"](holder=HOLDER, point=point, reader_name="Tiers 1") for point in points
    )
    browser = _signed_in(points, sees_all=True)
    browser.handler.enforce_csrf_checks = True
    found: dict[str, list[float]] = {"cpu": [], "locked": []}
    for one in given:
        address = f"/partages/{one.pk}/"
        page = browser.get(address)
        token = page.content.decode().partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        with locked() as held, worked() as cpu:
            answer = browser.post(address, {"csrfmiddlewaretoken": token})
        assert answer.status_code == 302, answer.status_code
        found["cpu"].append(cpu())
        found["locked"].append(held())
    return {name: rounds[1:] for name, rounds in found.items()}  # the first is for nothing


QUESTIONS: dict[str, Callable[..., dict[str, list[float]]]] = {"pages": pages, "curves": curves, "ends": ends}


def main() -> int:
    folder, question, told = Path(sys.argv[1]), sys.argv[2], json.load(sys.stdin)
    set_up(folder)
    print(json.dumps(QUESTIONS[question](folder, **told)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
