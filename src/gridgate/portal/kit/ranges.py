"""A file that lasts, given whole or from where a download broke off (RFC 9110, sections 13 and 14)."""

import os
import re
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, http_date, parse_http_date_safe

_PIECE: Final = 64 * 1024
_ONE_RANGE: Final = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


def file_response(
    request: HttpRequest, file: IO[bytes], *, etag: str, modified: datetime, name: str, content_type: str
) -> HttpResponseBase:
    """The answer to a request for a file, which is closed with it. `etag` is strong: quoted, and never of other bytes."""
    size, since = os.fstat(file.fileno()).st_size, int(modified.timestamp())
    answer: HttpResponseBase | None = get_conditional_response(request, etag=etag, last_modified=since)
    wanted = None if answer else _asked(request, size, etag, since)
    if answer is None and wanted is not None and wanted.start >= wanted.stop:
        answer = HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    if answer is not None or request.method == "HEAD":
        file.close()
    if answer is None:
        part = range(size) if wanted is None else wanted
        content = () if file.closed else _Part(file, part)
        answer = StreamingHttpResponse(
            content, status=200 if wanted is None else 206, content_type=content_type
        )
        answer["Content-Length"] = str(len(part))
        answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
        if wanted is not None:
            answer["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    answer["Accept-Ranges"] = "bytes"
    answer["ETag"] = etag
    answer["Last-Modified"] = http_date(since)
    return answer


def _asked(request: HttpRequest, size: int, etag: str, since: int) -> range | None:
    """The part that is asked for, empty when the file has none of it; None for the whole: no part is asked for, several
    are, in words that are not understood, or of a file that was another.
    """
    named = _ONE_RANGE.fullmatch(request.headers.get("Range", ""))
    if request.method != "GET" or named is None or not any(named.groups()):
        return None
    condition = request.headers.get("If-Range", "").strip()
    if condition and condition != etag and parse_http_date_safe(condition) != since:
        return None
    first, last = named.groups()
    if not first:
        return range(max(0, size - int(last)), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(size, int(last) + 1) if last else size)


class _Part:
    """Some bytes of a file, a piece at a time."""

    def __init__(self, file: IO[bytes], part: range) -> None:
        self._file, self._left = file, len(part)
        file.seek(part.start)

    def __iter__(self) -> Iterator[bytes]:
        while self._left and (piece := self._file.read(min(_PIECE, self._left))):
            self._left -= len(piece)
            yield piece

    def close(self) -> None:
        self._file.close()
