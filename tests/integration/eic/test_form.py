"""What a request for a code asks is the operator's file: read at start, refused with what to mend."""

import json
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import translation

from gridgate.core.errors import GridgateError
from gridgate.eic.asked import faults_of
from gridgate.eic.form import (
    DEFAULT,
    EicForm,
    eic_form,
    read_eic_form,
)
from tests.factories.eic import make_asked
from tests.instance import run_gridgate
from tests.world import World


def read(tmp_path: Path, content: object) -> EicForm:
    file = tmp_path / f"form-{len(list(tmp_path.iterdir()))}.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return read_eic_form(file)


class TestTheFormThatIsBuiltIn:
    def test_asks_what_the_scheme_says_of_each_type(self) -> None:
        form = read_eic_form(None)
        assert (form.display_name.longest, form.long_name.longest, form.types) == (16, 70, "XYZWTVA")
        assert {letter for letter in form.types if letter in form.responsible_party.required} == set("YZWTA")
        assert "Z" not in form.published

    def test_says_everything_in_both_languages(self) -> None:
        for field in read_eic_form(None).fields:
            for words in (
                field.label,
                *filter(None, [field.help]),
                *(choice.label for choice in field.choices),
            ):
                assert words.fr
                assert words.en
                with translation.override("en"):
                    assert str(words) == words.en


class TestAFileOfTheOperators:
    def test_says_only_what_differs(self, tmp_path: Path) -> None:
        form = read(tmp_path, {"types": "XW", "fields": []})
        assert (form.types, form.fields) == ("XW", ())
        assert form.long_name.longest == 70

    def test_changes_what_a_request_must_say(
        self, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "form.json"
        vat = {
            "name": "vat",
            "label": {"fr": "TVA"},
            "required": True,
            "types": "X",
            "pattern": "FR[0-9]{11}",
        }
        file.write_text(
            json.dumps({"types": "XY", "responsible_party": {"asked": "X", "required": "X"}, "fields": [vat]})
        )
        monkeypatch.setattr(settings.ENVIRONMENT, "eic_form", file)
        assert [field.name for field in eic_form().fields] == ["vat"]
        assert [(wrong.where, wrong.fault) for wrong in faults_of(make_asked())] == [
            ("responsible_party", "missing"),
            ("details.vat", "missing"),
        ]
        wrong = make_asked(type="Z", responsible_party="10XFR-RTE------Q", details={"vat": "FR1"})
        assert ("type", "not_offered") in [(one.where, one.fault) for one in faults_of(wrong)]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            ("{", "line 1, column 2"),
            ("[]", "it holds no JSON object"),
            ({"types": "XB"}, "types: give letters among XYZWTVA, not 'XB'"),
            ({"colour": 1}, "colour: there is nothing of this name to set"),
            ({"long_name": {"longest": 80}}, "“long_name” cannot be longer than 70 characters"),
            ({"parent": {"asked": "", "required": "X"}}, "parent: what is required must be asked too"),
            ({"fields": [{"name": "vat", "kind": "number", "label": {"fr": "TVA"}}]}, "fields, vat, kind:"),
            ({"fields": [{"name": "vat"}]}, "fields, vat, label: this is missing"),
            (
                {"fields": [{"name": "a", "kind": "choice", "label": {"fr": "A"}}]},
                "fields, a: “choices” goes",
            ),
            (
                {"fields": [{"name": "a", "label": {"fr": "A"}, "pattern": "["}]},
                "is not a regular expression",
            ),
            ({"fields": [{"name": "a", "label": {"fr": "A"}}] * 2}, "two fields are called a"),
        ],
    )
    def test_that_will_not_do_is_refused_with_what_and_where(
        self, tmp_path: Path, content: object, said: str
    ) -> None:
        with pytest.raises(GridgateError) as refused:
            read(tmp_path, content)
        assert said in refused.value.message
        assert str(tmp_path) in refused.value.message
        assert "docs/1-running/eic.md" in refused.value.remedy

    def test_that_is_not_there_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(GridgateError, match="cannot be read: No such file"):
            read_eic_form(tmp_path / "absent.json")

    @pytest.mark.processes
    def test_is_read_at_start(self, tmp_path: Path) -> None:
        """Nothing starts with a form that will not do: whoever starts it reads why."""
        file = tmp_path / "form.json"
        file.write_text('{"types": "XB"}')
        done = run_gridgate(
            "init", "--operator", "Réseau", data=tmp_path, check=False, GRIDGATE_EIC_FORM=str(file)
        )
        assert done.returncode == 2
        assert "give letters among XYZWTVA" in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr


def test_the_guide_says_what_is_built_in(world: World) -> None:
    """The table of docs/1-running/eic.md, line by line."""
    guide = Path(__file__).parents[3].joinpath("docs", "1-running", "eic.md").read_text(encoding="utf-8")
    built_in = json.loads(DEFAULT.read_text(encoding="utf-8"))
    for key, value in built_in.items():
        if key != "fields":
            assert f"| `{key}` | `{json.dumps(value)}` |" in guide
    example = re.search(r"```json\n(.*?)```", guide, re.DOTALL)
    assert example
    assert EicForm.model_validate(built_in | json.loads(example.group(1))).types == "XW"
