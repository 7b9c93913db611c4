"""Lists as files that a spreadsheet opens as they are: CSV, streamed, or a workbook, the same columns in both."""

from collections.abc import Iterable, Sequence

from django.http import FileResponse, HttpRequest, StreamingHttpResponse

from gridgate.portal.kit.formats import decimal_mark
from gridgate.tables.out import XLSX_TYPE, csv_lines, workbook


def table_response(
    request: HttpRequest,
    name: str,
    header: Sequence[object],
    rows: Iterable[Sequence[object]],
    *,
    sheet: str,
) -> StreamingHttpResponse:
    """A file to download, a workbook when `?fichier=xlsx` asks for it, posted or not. `name` ends with `.csv`; `sheet`
    says what the rows are, in a word or two.
    """
    if request.GET.get("fichier") == "xlsx":
        return FileResponse(
            workbook(header, rows, sheet=sheet),
            as_attachment=True,
            filename=f"{name.removesuffix('.csv')}.xlsx",
            content_type=XLSX_TYPE,
        )
    return csv_response(name, header, rows)


def csv_response(
    name: str, header: Sequence[object], rows: Iterable[Sequence[object]]
) -> StreamingHttpResponse:
    """A file to download, written as its rows come, its numbers as the reader's language writes them.

    Text that a spreadsheet would take for a formula begins with an apostrophe: names come from other
    companies.
    """
    response = StreamingHttpResponse(
        csv_lines(header, rows, decimal_mark=decimal_mark()), content_type="text/csv; charset=utf-8"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
