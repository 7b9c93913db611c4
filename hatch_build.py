"""Compiles the translations into the wheel: `.mo` files are made, never kept in the repository."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CompileMessages(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        sys.path[:0] = [self.root, str(Path(self.root) / "src")]
        from tools.messages import compile_all

        compile_all()
        build_data["artifacts"].append("*.mo")
