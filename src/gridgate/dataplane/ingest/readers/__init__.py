"""The formats. Each module here has one `READER`; nothing else registers it."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from gridgate.dataplane.ingest.port import MeasurementReader


@cache
def readers() -> dict[str, MeasurementReader]:
    """Every reader by name, in the order of their names. They recognise disjoint files, so the order does not
    matter."""
    formats: list[MeasurementReader] = [
        import_module(f"{__name__}.{m.name}").READER for m in iter_modules(__path__)
    ]
    return {reader.name: reader for reader in sorted(formats, key=lambda reader: reader.name)}
