"""The files of several meters that a person has had prepared: asked for, followed, downloaded, taken away."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from gridgate.delivery.folder import folder
from gridgate.delivery.models import PreparedFile
from gridgate.delivery.operations import prepared_files
from gridgate.delivery.operations.prepared_files import MOST_FILES, FileAsked, NoRoomForFiles, TooManyFiles
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.ranges import file_response
from gridgate.portal.screens.measurements.export_of_several import FORMATS
from gridgate.portal.screens.measurements.preparing import most_bytes, shown_of, still_readable
from gridgate.portal.screens.measurements.together import FORM_NAMES, asked_for, file_name
from gridgate.portal.shell.time_zone import network_time

_WHAT = {
    ("energie", "soutirage"): gettext_lazy("Énergie soutirée"),
    ("energie", "injection"): gettext_lazy("Énergie injectée"),
    ("puissance", "soutirage"): gettext_lazy("Puissance soutirée"),
    ("puissance", "injection"): gettext_lazy("Puissance injectée"),
}
NAMED = 5
"""Meters left out that are named one by one."""

_NO_ROOM = gettext_lazy(
    "La place réservée à ces fichiers ne suffit pas en ce moment. Supprimez un fichier dont vous n’avez plus besoin,"
    " demandez moins de compteurs ou de jours, ou réessayez plus tard."
)
_WHY = {
    PreparedFile.Failure.NO_ROOM: _NO_ROOM,
    PreparedFile.Failure.UNAVAILABLE: gettext_lazy(
        "Les mesures n’ont pas répondu. Préparez-le à nouveau dans quelques minutes."
    ),
    PreparedFile.Failure.INTERRUPTED: gettext_lazy(
        "La préparation a été interrompue plusieurs fois. Préparez-le à nouveau ; si cela se répète, demandez moins de"
        " compteurs ou de jours."
    ),
    PreparedFile.Failure.NOTHING_LEFT: gettext_lazy(
        "Aucun de ces compteurs ne pouvait plus être lu. Choisissez d’autres compteurs ou d’autres jours."
    ),
}
"""Why a file was not prepared, and what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """A file in the list."""

    file: PreparedFile
    title: str
    days: str
    form: str
    size: str
    left_out: str
    why: str


@require_http_methods(["GET", "HEAD", "POST"])
@entitlement_required(EntitlementCode.MEASUREMENTS)
@network_time
def index(request: MemberRequest) -> HttpResponse:
    """The person's files for the company; a form sent here asks for one, of what the address says."""
    if request.method == "POST":
        return _ask(request)
    return _page(request)


@require_safe
@entitlement_required(EntitlementCode.MEASUREMENTS)
@network_time
def download(request: MemberRequest, file_id: int) -> HttpResponseBase:
    """The file, or a part of it; gone for good once something of it may be read no more."""
    now = datetime.now(UTC)
    mine = _mine(request.membership, now).filter(pk=file_id, state=PreparedFile.State.READY)
    file = mine.defer(None).first()
    if file is None:
        raise Http404
    if not still_readable(file, request.membership, now=now):
        return _gone(
            request,
            mine,
            _("Vous ne pouvez plus lire tout ce que contenait ce fichier. Il a été supprimé."),
        )
    try:
        content = folder().open(file.name)
    except FileNotFoundError:
        return _gone(request, mine, _("Ce fichier n’est plus là. Faites-le préparer à nouveau."))
    assert file.ready_at is not None
    return file_response(
        request,
        content,
        etag=f'"{file.name}"',
        modified=file.ready_at,
        name=file_name(shown_of(file), file.format),
        content_type=FORMATS[file.format].content_type,
    )


@require_POST
@entitlement_required(EntitlementCode.MEASUREMENTS)
def remove(request: MemberRequest, file_id: int) -> HttpResponse:
    """Take a file away, or stop its preparation."""
    if not prepared_files.discard(_mine(request.membership, datetime.now(UTC)).filter(pk=file_id)):
        raise Http404
    messages.success(request, _("Le fichier est supprimé."))
    return redirect("prepared_files")


def _ask(request: MemberRequest) -> HttpResponse:
    form = request.POST.get("format", "")
    shown, meters = asked_for(request, form)
    wanted = FileAsked(
        shown.quantity,
        shown.direction,
        shown.first,
        shown.after,
        [meter.point for meter in meters],
        shown.query(),
        form,
        get_language() or "fr",
    )
    try:
        prepared_files.ask_for_file(
            actor=request.membership, asked=wanted, most_bytes=most_bytes(), now=datetime.now(UTC)
        )
    except TooManyFiles:
        messages.error(
            request,
            _("Trop de fichiers : %(most)s au plus, toutes entreprises confondues. Supprimez-en un.")
            % {"most": MOST_FILES},
        )
    except NoRoomForFiles:
        messages.error(request, _NO_ROOM)
    return redirect("prepared_files")


def _page(request: MemberRequest, *, gone: str = "", status: int = 200) -> HttpResponse:
    lines = [_line(file) for file in _mine(request.membership, datetime.now(UTC))]
    return render(
        request,
        "measurements/prepared.html",
        {
            "lines": lines,
            "waits": any(line.file.state == PreparedFile.State.WAITING for line in lines),
            "gone": gone,
        },
        status=status,
    )


def _gone(request: MemberRequest, files: QuerySet[PreparedFile], why: str) -> HttpResponse:
    prepared_files.discard(files)
    return _page(request, gone=why, status=410)


def _mine(actor: Membership, now: datetime) -> QuerySet[PreparedFile]:
    return prepared_files.files_of(actor=actor, now=now)


def _line(file: PreparedFile) -> Line:
    shown = shown_of(file)
    return Line(
        file,
        str(_WHAT[file.quantity, file.direction]),
        formats.period(shown.first, shown.last),
        str(FORM_NAMES[file.format]),
        formats.weight(file.size),
        _left_out(file.left_out),
        str(_WHY[PreparedFile.Failure(file.failure)]) if file.failure else "",
    )


def _left_out(points: list[str]) -> str:
    """Which meters are not in it."""
    if not points:
        return ""
    named = ", ".join(points[:NAMED])
    if len(points) > NAMED:
        more = len(points) - NAMED
        named += ngettext(" et %(count)s autre", " et %(count)s autres", more) % {
            "count": formats.number(more)
        }
    return ngettext(
        "Un compteur ne pouvait plus être lu et n’y est pas : %(named)s.",
        "%(count)s compteurs ne pouvaient plus être lus et n’y sont pas : %(named)s.",
        len(points),
    ) % {"count": formats.number(len(points)), "named": named}
