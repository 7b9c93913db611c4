"""Whatever is recorded in a company's history is said there in words."""

import ast
import re
from pathlib import Path

import gridgate
from gridgate.portal.screens.company.history_sentences import FAMILIES, SENTENCES
from gridgate.requests.models import RequestState

ROOT = Path(gridgate.__file__).parent
ACTION = re.compile(r"^[a-z_]+\.[a-z_]+$")


def recorded() -> set[str]:
    """The first words of every call of `record` and of the helpers around it."""
    found = set()
    for path in ROOT.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if "record" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            first = node.args[0]
            said = first.value if isinstance(first, ast.Constant) else None
            if name.lstrip("_").startswith("record") and isinstance(said, str) and ACTION.match(said):
                found.add(said)
    return found


def test_every_action_that_is_recorded_has_a_sentence() -> None:
    found = recorded()
    assert len(found) > 30
    assert sorted(found - set(SENTENCES)) == []


def test_every_step_of_a_request_has_a_sentence() -> None:
    steps = {"submitted", "taken", "returned", "accepted", "refused", "withdrawn"}
    assert {f"{kind}.{step}" for kind in ("eic", "kyc") for step in steps} <= set(SENTENCES)
    assert len(RequestState) == len(steps) + 1  # a draft is nobody's step


def test_every_action_can_be_filtered_for() -> None:
    families = {beginning for _, beginnings in FAMILIES.values() for beginning in beginnings}
    assert {action.partition(".")[0] for action in SENTENCES} <= families
