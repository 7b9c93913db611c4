"""The screens, one folder each.

A folder with a `urls.py` is a screen: its `urlpatterns` are found because they are there.
"""

from importlib import import_module
from pathlib import Path

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver]


def __getattr__(name: str) -> list[URLPattern | URLResolver]:
    """`urlpatterns` is gathered when asked for: what the screens share may import one of them without all."""
    if name != "urlpatterns":
        raise AttributeError(name)
    return [
        pattern
        for urls in sorted(Path(__file__).parent.glob("*/urls.py"))
        for pattern in import_module(f"{__name__}.{urls.parent.name}.urls").urlpatterns
    ]
