from tests.real_registry import _template, registry

__all__ = ["_template", "registry"]
