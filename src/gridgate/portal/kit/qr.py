"""A QR code as the path of an inline SVG: no image to fetch, no style of its own."""

from dataclasses import dataclass
from itertools import groupby

import qrcode
from qrcode.constants import ERROR_CORRECT_M


@dataclass(frozen=True, slots=True)
class QrCode:
    path: str
    size: int
    """Modules across, the quiet zone included."""


def qr_code(text: str) -> QrCode:
    """The code of an address. Draw it dark on white, whatever the colours of the page: cameras read it no other way."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=4)
    code.add_data(text)
    rows = code.get_matrix()
    return QrCode("".join(_runs(y, row) for y, row in enumerate(rows)), len(rows))


def _runs(y: int, row: list[bool]) -> str:
    """The dark modules of a row, as rectangles."""
    drawn, x = [], 0
    for dark, run in groupby(row):
        length = len(list(run))
        if dark:
            drawn.append(f"M{x} {y}h{length}v1h-{length}z")
        x += length
    return "".join(drawn)
