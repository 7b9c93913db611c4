from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from gridgate.core.errors import ErrorKind, GridgateError
from gridgate.core.quantities import FlowDirection, Kind, bits
from gridgate.core.time import civil_day_of
from gridgate.dataplane.client import Reader, SeriesInfo
from gridgate.dataplane.query.answer import Answer
from gridgate.metering.models import MeteringPoint
from gridgate.metering.queries.points import Points, points_readable_by
from gridgate.metering.queries.titles import HeldTime, held_times, still_held
from gridgate.organisations.catalogue import EntitlementCode
from gridgate.organisations.models import Membership
from gridgate.portal import measurements
from gridgate.portal.guards.access import MemberRequest, entitlement_required
from gridgate.portal.kit.charts.load_curve.series import series_data
from gridgate.portal.screens.measurements.drawing import picture
from gridgate.portal.screens.measurements.kinds.load_curve import curves_of
from gridgate.portal.screens.measurements.period import Shown, Span, read_choice
from gridgate.portal.screens.measurements.picture import Picture
from gridgate.portal.screens.measurements.subscribed_power import Meter
from gridgate.portal.screens.measurements.table import value_rows
from gridgate.portal.shell.time_zone import network_time
from gridgate.tables.out import XLSX_TYPE

ROWS_A_PAGE = 96


@require_safe
@entitlement_required(EntitlementCode.MEASUREMENTS)
def index(request: MemberRequest) -> HttpResponse:
    """The first of the person's metering points, of those still held if any; or what to do when there is none."""
    mine = _points(request.membership).order_by("search_text", "pk")
    first = mine.filter(still_held(_today())).first() or mine.first()
    if first is None:
        return render(request, "measurements/none.html")
    return redirect("measurements_point", first.pk)


@require_safe
@entitlement_required(EntitlementCode.MEASUREMENTS)
@network_time
def point(request: MemberRequest, point_id: str) -> HttpResponse:
    shown_point, shown, times = _asked(request, point_id)
    now = datetime.now(UTC)
    meter = Meter.of(str(shown_point), times, shown, _zone(), today=_today())
    shows: Picture = picture(_Reading(request.membership, shown_point, now), shown, meter, now)
    return render(
        request,
        "measurements/point.html",
        {
            "point": shown_point,
            "shown": shown,
            "picture": shows,
            "api_request": _api_request(shown_point, shown),
            "others": _points(request.membership)
            .exclude(pk=shown_point.pk)
            .order_by("search_text", "pk")[:20],
        },
    )


@require_safe
@entitlement_required(EntitlementCode.MEASUREMENTS)
@network_time
def values(request: MemberRequest, point_id: str) -> HttpResponse:
    """Every value of the period, in pages."""
    point, shown, _times = _asked(request, point_id)
    now = datetime.now(UTC)
    answer = _Reading(request.membership, point, now)(shown.kind, shown, "screen")
    rows = value_rows(answer, _zone()) if answer else []
    page = Paginator(rows, ROWS_A_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "measurements/values.html",
        {"point": point, "shown": shown, "page_obj": page, "answer": answer},
    )


@require_safe
@entitlement_required(EntitlementCode.MEASUREMENTS)
def export(request: MemberRequest, point_id: str) -> HttpResponseBase:
    """The period as a file: `format=xlsx` a workbook, `excel` CSV with semicolons and decimal commas, else RFC 4180."""
    point, shown, _times = _asked(request, point_id)
    answer = _Reading(request.membership, point, datetime.now(UTC))(shown.kind, shown, "export")
    if answer is None:
        raise Http404
    dialect = "excel" if request.GET.get("format") == "excel" else "rfc4180"
    name = f"{point.pk}-{shown.quantity}-{shown.direction}-{shown.first}-{shown.last}.csv"
    if request.GET.get("format") == "xlsx":
        return FileResponse(
            measurements.workbook(answer, zone=_zone()),
            as_attachment=True,
            filename=f"{name.removesuffix('.csv')}.xlsx",
            content_type=XLSX_TYPE,
        )
    return StreamingHttpResponse(
        measurements.csv(answer, dialect=dialect, zone=_zone()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_safe
@entitlement_required(EntitlementCode.MEASUREMENTS)
def series(request: MemberRequest, point_id: str) -> JsonResponse:
    """The values of a dense chart, fetched by its script."""
    point, shown, _times = _asked(request, point_id)
    answer = _Reading(request.membership, point, datetime.now(UTC))(Kind.LOAD_CURVE, shown, "screen")
    return JsonResponse({"segments": series_data(curves_of(answer.segments)) if answer else []})


def _asked(request: MemberRequest, point_id: str) -> tuple[MeteringPoint, Shown, list[HeldTime]]:
    """The point, if the person may read it (404 otherwise), what the address asks to see of it, and the company's times
    on it.
    """
    point = _points(request.membership, point_id).first()
    if point is None:
        raise Http404
    times = held_times(actor=request.membership, point_id=point.pk)
    series = measurements.client().series([point.pk])
    shown = read_choice(
        request.GET, directions=point.directions or _received(series, times), span=_span(series, times)
    )
    return point, shown, times


def _received(series: Sequence[SeriesInfo], times: Sequence[HeldTime]) -> int:
    """The directions in which values came in the company's own times, for a point of which nothing else says which it
    has; 0 when none did.
    """
    return bits(
        {
            info.key.direction
            for info in series
            for time in times
            if info.first < (time.after or date.max) and time.first <= info.last
        }
    )


def _points(actor: Membership, point_id: str | None = None) -> Points:
    """Those that the person may read, of which the company's title has begun: before, there is nothing of its own."""
    today = _today()
    mine = points_readable_by(actor=actor, service=EntitlementCode.MEASUREMENTS, today=today, point=point_id)
    return mine.filter(held_from__lte=today)


def _span(series: Sequence[SeriesInfo], times: Sequence[HeldTime]) -> Span:
    """The first and last day with data in the company's own times: nothing is said of anybody else's. Without data it
    is empty, and ends on the last day of which some could have come.
    """
    today = _today()
    yesterday = today - timedelta(days=1)

    def span(kind: Kind, flow: FlowDirection) -> tuple[date, date]:
        told = {kind, Kind.LOAD_CURVE} if kind is Kind.DAILY_ENERGY else {kind}
        within = [
            (max(info.first, time.first), min(info.last, today, (time.after or date.max) - timedelta(days=1)))
            for info in series
            if info.key.kind in told and info.key.direction is flow
            for time in times
        ]
        days = [(first, last) for first, last in within if first <= last]
        if days:
            return min(first for first, _last in days), max(last for _first, last in days)
        ends = [time.after - timedelta(days=1) for time in times[-1:] if time.after]
        last = max([min([yesterday, *ends]), *(time.first for time in times[-1:])])
        return last + timedelta(days=1), last

    return span


class _Reading:
    """Reads of one point by one member: decided, logged, then answered. None when nothing of the period is theirs."""

    def __init__(self, actor: Membership, point: MeteringPoint, now: datetime) -> None:
        self._reader = Reader(
            organisation=actor.organisation_id,
            organisation_name=actor.organisation.legal_name,
            user=actor.user_id,
            user_name=actor.user.full_name,
        )
        self._point = point.pk
        self._now = now

    def __call__(self, kind: Kind, shown: Shown, channel: str, *, since: date | None = None) -> Answer | None:
        period = shown.interval(_zone())
        start = (
            period.start if since is None else datetime(since.year, since.month, since.day, tzinfo=_zone())
        )
        assert period.end is not None
        try:
            return measurements.client().read(
                self._reader, self._point, kind, shown.flow, start, period.end, at=self._now, channel=channel
            )
        except GridgateError as error:
            if error.kind in (ErrorKind.FORBIDDEN, ErrorKind.NOT_FOUND):
                return None
            raise


def _api_request(found: MeteringPoint, shown: Shown) -> str:
    query = f"kind={shown.kind.value}&direction={shown.flow.value}&start={shown.first}&end={shown.after}"
    return f"{settings.BASE_URL}/api/v1/metering-points/{found.pk}/measurements?{query}"


def _today() -> date:
    return civil_day_of(datetime.now(UTC), _zone())


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.TIME_ZONE)
