"""The forms in which measurements are answered, and which of them a caller prefers."""

from enum import StrEnum


class MediaType(StrEnum):
    """The forms in which measurements are answered."""

    JSON = "application/json"
    CSV = "text/csv"


def preferred(accept: str | None) -> MediaType | None:
    """Choose between the forms of an answer (RFC 9110, 12.5.1); JSON when equal, None when neither is
    accepted.
    """
    if not accept:
        return MediaType.JSON
    weights = dict.fromkeys(MediaType, 0.0)
    specificity = dict.fromkeys(MediaType, -1)
    for part in accept.split(","):
        pattern, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((_weight(p[2:]) for p in parameters if p.startswith("q=")), 1.0)
        for media_type in MediaType:
            level = _specificity(pattern, media_type)
            if level > specificity[media_type]:
                specificity[media_type], weights[media_type] = level, weight
    best = max(MediaType, key=lambda media_type: weights[media_type])
    return best if weights[best] > 0 else None


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def _specificity(pattern: str, media_type: MediaType) -> int:
    if pattern == media_type.value:
        return 2
    if pattern == media_type.value.partition("/")[0] + "/*":
        return 1
    return 0 if pattern == "*/*" else -1
