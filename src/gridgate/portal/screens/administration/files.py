"""Importing a file in two steps: it is checked and kept; once the report is read, imported or forgotten."""

from datetime import UTC, datetime

from django.contrib import messages
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from gridgate.metering.imports.journal import check_file, discard_checked, findings_of, import_checked
from gridgate.metering.models import RegisterImport
from gridgate.metering.operator_queries import import_made, imports_made
from gridgate.portal.guards.access import MemberRequest, operator_required
from gridgate.portal.kit import formats
from gridgate.portal.kit.paging import page_of
from gridgate.portal.kit.shapes import Figure
from gridgate.portal.kit.spreadsheet import table_response
from gridgate.portal.screens.administration.findings import said
from gridgate.portal.screens.administration.forms import UploadForm
from gridgate.portal.screens.administration.samples import SAMPLES


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
def upload(request: MemberRequest) -> HttpResponse:
    """Send a file: it is checked at once, and nothing is imported."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if form.is_valid():
        sent = form.cleaned_data["file"]
        kept = check_file(
            kind=form.cleaned_data["kind"],
            name=sent.name,
            content=sent.read(),
            user=request.membership.user,
            now=datetime.now(UTC),
        )
        return redirect("operator_import_report", kept.pk)
    context = {"form": form, "page_obj": page_of(request, imports_made(actor=request.membership))}
    return render(request, "administration/import.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@operator_required
def report(request: MemberRequest, number: int) -> HttpResponse:
    """What was found in a file; posted with `decision`, the file is imported or forgotten."""
    made = import_made(actor=request.membership, number=number)
    match request.POST.get("decision"):
        case "import":
            now = datetime.now(UTC)
            done = import_checked(number=number, actor=request.membership, now=now)
            if made.state == RegisterImport.State.DONE or done.imported_at != now:
                messages.info(request, _imported_before(done))
            else:
                messages.success(request, _imported(done))
            return redirect("operator_import_report", number)
        case "discard":
            discard_checked(number=number)
            messages.success(request, _("Le fichier est oublié ; rien n’a été importé."))
            return redirect("operator_import")
    findings = findings_of(made)
    spoken = said(findings, kind=made.kind)
    context = {
        "made": made,
        "refused": any(found.level == "refused" for found in findings),
        "waits": made.state == RegisterImport.State.CHECKED,
        "to_do": made.created + made.changed,
        "figures": _figures(made),
        "problems": page_of(request, [one for one in spoken if one.left_out]),
        "notes": page_of(request, [one for one in spoken if not one.left_out], name="a_savoir"),
    }
    return render(request, "administration/report.html", context)


@require_safe
@operator_required
def export(request: MemberRequest, number: int) -> StreamingHttpResponse:
    """Everything found in a file, as a list to work through."""
    made = import_made(actor=request.membership, number=number)
    header = (_("Ligne"), _("Colonne"), _("Valeur"), _("Importée"), _("Constat"), _("Remède"))
    yes, no = _("oui"), _("non")
    rows = (
        (
            finding.line,
            finding.column,
            finding.value,
            no if finding.left_out else yes,
            finding.reason,
            finding.remedy,
        )
        for finding in said(findings_of(made), kind=made.kind)
    )
    return table_response(request, f"import-{made.pk}.csv", header, rows, sheet=_("Rapport d’import"))


@require_safe
@operator_required
def sample(request: MemberRequest, kind: str) -> HttpResponse:
    """An example to fill, with the right columns."""
    if kind not in SAMPLES:
        raise Http404
    answer = HttpResponse(SAMPLES[kind], content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{kind}.csv"'
    return answer


def _imported(done: RegisterImport) -> str:
    written = done.created + done.changed
    if not written:
        return _("Rien n’était à changer : tout est déjà ainsi au registre.")
    text = ngettext("%(count)s ligne est importée.", "%(count)s lignes sont importées.", written)
    imported = text % {"count": formats.number(written)}
    if not done.unchanged:
        return imported
    already = ngettext(
        "%(count)s était déjà ainsi au registre.", "%(count)s étaient déjà ainsi au registre.", done.unchanged
    )
    return f"{imported} {already % {'count': formats.number(done.unchanged)}}"


def _imported_before(done: RegisterImport) -> str:
    """Of a file that a colleague imported, or one oneself, since its report was opened."""
    if done.made_by is None:
        return _("Ce fichier était déjà importé : rien ne l’a été de nouveau.")
    said = _("%(name)s avait déjà importé ce fichier : rien ne l’a été de nouveau.")
    return said % {"name": done.made_by}


def _figures(made: RegisterImport) -> list[Figure]:
    waits = made.state == RegisterImport.State.CHECKED
    return [
        Figure(_("À créer") if waits else _("Créées"), formats.number(made.created)),
        Figure(_("À modifier") if waits else _("Modifiées"), formats.number(made.changed)),
        Figure(_("Inchangées"), formats.number(made.unchanged)),
        Figure(_("Laissées de côté"), formats.number(made.rejected), tone="bad" if made.rejected else ""),
    ]
