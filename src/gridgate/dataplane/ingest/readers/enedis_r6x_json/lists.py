"""Objects and points of the lists of a document, each with its place; what is none is rejected."""

from collections.abc import Iterator, Sequence
from typing import Any

from gridgate.dataplane.ingest.port import Notes

Json = dict[str, Any]


def items_of(
    parent: Json, name: str, place: str, notes: Notes, *, meter: str = "", required: bool = True
) -> Iterator[tuple[str, Json]]:
    """The objects of a list with their places. What is no object is rejected; so is a list that is absent."""
    path = f"{place}.{name}" if place else name
    items = parent.get(name)
    named = [meter] if meter else []
    if not isinstance(items, list):
        if required or items is not None:
            reason = f"« {name} » is not the list that the schema of the flow requires"
            notes.reject(path, reason, str(items or ""), meter=named)
        return
    yield from objects(items, path, notes, meter=meter)


def objects(
    items: Sequence[Any], path: str, notes: Notes, *, meter: str = "", first: int = 0
) -> Iterator[tuple[str, Json]]:
    """Those of a list, or of a piece of it, whose first item is the one of that number."""
    for index, item in enumerate(items, first):
        if isinstance(item, dict):
            yield f"{path}[{index}]", item
        else:
            reason = "not an object, which the schema of the flow requires"
            notes.reject(f"{path}[{index}]", reason, str(item), meter=[meter] if meter else [])


def points_of(parent: Json, name: str, place: str, notes: Notes, meter: str) -> list[Json]:
    """Those of a list. In the place of what is no object stands one without a value: the others keep theirs."""
    items = parent.get(name)
    if isinstance(items, list) and set(map(type, items)) <= {dict}:
        return items
    for _object in items_of(parent, name, place, notes, meter=meter):
        pass  # the others are told
    return [item if isinstance(item, dict) else {} for item in items] if isinstance(items, list) else []


def reject_all(points: Sequence[Json], place: str, reason: str, notes: Notes, meter: str) -> None:
    for index, point in enumerate(points):
        if text_of(point.get("v")):
            notes.reject(f"{place}[{index}]", reason, text_of(point.get("v")) or "", meter=[meter])


def text_of(value: Any) -> str | None:
    return None if value is None else str(value)
