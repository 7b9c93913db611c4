"""The schema of a questionnaire: what an operator may write, and what is said of the rest."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from gridgate.kyc.form import (
    BUILT_IN,
    LARGEST_DOCUMENT,
    AnyField,
    Condition,
    FileField,
    FileType,
    Form,
    GroupField,
)
from gridgate.kyc.form_file import InvalidForm, read_form

WORDS = {"fr": "Libellé", "en": "Label"}


def field(name: str = "a", kind: str = "text", **more: Any) -> dict[str, Any]:
    return {"name": name, "kind": kind, "label": WORDS, **more}


def document(*fields: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"sections": [{"title": WORDS, "fields": list(fields)}], **more}).encode()


def faults(given: bytes) -> list[tuple[str, str]]:
    with pytest.raises(InvalidForm) as error:
        read_form(given)
    return [(fault.code, fault.place) for fault in error.value.faults]


class TestBuiltIn:
    form, given = read_form(BUILT_IN.read_bytes())

    def test_asks_for_what_the_field_set_names(self):
        """Reference of the transmission side, 1.3: the set is inferred, hence configuration."""
        kinds = {one.name: one.kind for one in self.form.fields()}
        assert {
            "legal_name": "text",
            "siren": "siren",
            "vat": "vat",
            "country": "country",
            "in_group": "yes_no",
            "owners": "group",
            "representatives": "group",
            "regulated": "yes_no",
            "activities": "choices",
            "iban": "iban",
            "bic": "bic",
            "acer_code": "text",
            "sanctions": "yes_no",
            "pep": "yes_no",
            "registration_extract": "file",
        }.items() <= kinds.items()
        owners = self.form.by_name["owners"]
        assert isinstance(owners, GroupField)
        assert [one.name for one in owners.fields] == ["name", "birth_date", "share", "country", "control"]
        activities = {choice.value for choice in self.form.by_name["activities"].choices}
        assert {"brp", "balancing", "capacity", "interconnection"} <= activities

    def test_is_well_set_in_french(self):
        from tools.messages import typeset

        texts = [text for text in strings(self.given, "fr") if typeset(text) != text]
        assert texts == []

    def test_says_something_else_in_english(self):
        same = {"SIREN", "IBAN", "BIC", "Capital", "Documents", "SA, SAS, GmbH, Ltd…"}
        pairs = zip(strings(self.given, "fr"), strings(self.given, "en"), strict=True)
        assert {fr for fr, en in pairs if fr == en} <= same

    def test_reads_the_same_from_the_registry(self):
        assert Form.of(json.loads(json.dumps(self.given["sections"])), months_valid=24) == self.form


def strings(part: Any, language: str) -> list[str]:
    if isinstance(part, dict) and set(part) == {"fr", "en"}:
        return [part[language]]
    inside = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [text for one in inside for text in strings(one, language)]


class TestReadForm:
    def test_has_defaults(self):
        form, _ = read_form(document(field(), field("b", "file")))
        assert form.months_valid == 24
        (only,) = form.files()
        assert (only.types, only.most, only.required) == (("pdf", "png", "jpeg"), 1, False)

    def test_accepts_a_byte_order_mark(self):
        read_form(b"\xef\xbb\xbf" + document(field()))

    @pytest.mark.parametrize(
        ("given", "code", "line"),
        [
            (b"", "not_json", 1),
            (b'{\n "sections": [\n  {,\n', "not_json", 3),
            (b'{\n"a": "caf\xe9"}', "not_utf8", 2),
            (b'{"a": 1, "a": 2}', "repeated_key", None),
            (b"[]", "not_an_object", None),
            (b"[" * 100_000, "too_deep", None),
            (b" " * (LARGEST_DOCUMENT + 1), "too_large", None),
        ],
    )
    def test_says_on_which_line_it_is_no_json(self, given, code, line):
        with pytest.raises(InvalidForm) as error:
            read_form(given)
        (fault,) = error.value.faults
        assert (fault.code, fault.line) == (code, line)

    @pytest.mark.parametrize(
        ("given", "fault"),
        [
            (b"{}", ("missing", "sections")),
            (b'{"sections": []}', ("too_short", "sections")),
            (b'{"sections": [3]}', ("model_type", "section 1")),
            (document(), ("too_short", "section 1, fields")),
            (document(field(), months_valid=0), ("greater_than_equal", "months_valid")),
            (document(field(), months_valid="x"), ("int_parsing", "months_valid")),
            (document({"name": "a", "label": WORDS}), ("union_tag_not_found", "section 1, a")),
            (document(field(kind="txt")), ("union_tag_invalid", "section 1, a")),
            (document(field("Nom")), ("string_pattern_mismatch", "section 1, Nom, name")),
            (document(field(longset=3)), ("extra_forbidden", "section 1, a, longset")),
            (document(field(longest="x")), ("int_parsing", "section 1, a, longest")),
            (document(field() | {"label": {"fr": "A"}}), ("missing", "section 1, a, label, en")),
            (
                document(field() | {"label": {"fr": "", "en": "A"}}),
                ("string_too_short", "section 1, a, label, fr"),
            ),
            (document(field(), field()), ("repeated_name", "section 1, a")),
            (document(field(kind="choice", choices=[])), ("too_short", "section 1, a, choices")),
            (
                document(field(kind="choices", choices=[{"value": "x", "label": WORDS}] * 2)),
                ("repeated_choice", "section 1, a"),
            ),
            (document(field(kind="number", least=3, most=2)), ("least_above_most", "section 1, a")),
            (
                document(field(kind="number", least="1e999999999")),
                ("decimal_max_digits", "section 1, a, least"),
            ),
            (document(field(kind="number", most="1e-9")), ("decimal_max_places", "section 1, a, most")),
            (document(field(kind="percentage", most="1e15")), ("decimal_whole_digits", "section 1, a, most")),
            (document(field(kind="file", types=["zip"])), ("literal_error", "section 1, a, types, 1")),
            (
                document(field(kind="group", row=WORDS, fields=[field("doc", "file")])),
                ("union_tag_invalid", "section 1, a, doc"),
            ),
            (
                document(field(kind="group", row=WORDS, fields=[field("b", "percentage", most="x")])),
                ("decimal_parsing", "section 1, a, b, most"),
            ),
            (
                document(field(kind="group", row=WORDS, fields=[field("b"), field("b")])),
                ("repeated_name", "section 1, a, b"),
            ),
            (
                document(field(kind="group", row=WORDS, fields=[field("b", prefill="legal_name")])),
                ("prefill_in_group", "section 1, a, b"),
            ),
        ],
    )
    def test_says_where_it_is_wrong(self, given, fault):
        assert faults(given) == [fault]

    @pytest.mark.parametrize(
        ("condition", "code"),
        [
            ({"field": "x", "is": True}, "unknown_field"),
            ({"field": "a", "is": True}, "unknown_field"),
            ({"field": "yes", "is": "FR"}, "never_so"),
            ({"field": "country", "is": True}, "never_so"),
            ({"field": "country", "is": "ZZ"}, "never_so"),
            ({"field": "text", "is": "b"}, "no_condition_on"),
            ({"field": "yes"}, "one_comparison"),
            ({"field": "yes", "is": True, "is_not": False}, "one_comparison"),
        ],
    )
    def test_holds_conditions_to_what_can_be(self, condition, code):
        given = document(
            field(required_if=condition), field("yes", "yes_no"), field("country", "country"), field("text")
        )
        assert faults(given) == [(code, "section 1, a, required_if")]

    def test_keeps_a_section_to_what_one_form_can_send(self):
        fields = [field(f"f{number}") for number in range(17)]
        given = document(field(kind="group", row=WORDS, most=50, fields=fields))
        assert faults(given) == [("too_many_controls", "section 1")]

    def test_shows_a_bound_without_an_exponent(self):
        form, _ = read_form(document(field(kind="number", least="0e-99999", most="1e3")))
        (one,) = form.fields()
        assert (str(one.least), str(one.most)) == ("0", "1000")

    def test_tells_every_fault_at_once(self):
        assert len(faults(document(field("A"), field("b", kind="x"), field("c", longest=0)))) == 3

    def test_says_each_in_a_sentence(self):
        with pytest.raises(InvalidForm) as error:
            read_form(document(field("owners", kind="txt"), field("b", longest=900)))
        said = str(error.value)
        assert "section 1, owners: txt is no kind of field here; the kinds are 'text', 'long_text'" in said
        assert "section 1, b, longest: 500 at most" in said
        assert "docs/1-running/kyc.md" in said


class TestCondition:
    @pytest.mark.parametrize(
        ("condition", "answers", "holds"),
        [
            ({"field": "a", "is": True}, {"a": True}, True),
            ({"field": "a", "is": True}, {"a": False}, False),
            ({"field": "a", "is": True}, {}, False),
            ({"field": "a", "is": False}, {"a": False}, True),
            ({"field": "a", "is": "x"}, {"a": ["y", "x"]}, True),
            ({"field": "a", "is": "x"}, {"a": ["y"]}, False),
            ({"field": "a", "is_not": "FR"}, {"a": "DE"}, True),
            ({"field": "a", "is_not": "FR"}, {"a": "FR"}, False),
            ({"field": "a", "is_not": "FR"}, {}, False),
        ],
    )
    def test_holds_by_the_other_answer(self, condition, answers, holds):
        assert Condition.model_validate(condition).holds(answers) is holds


def test_every_file_type_of_a_form_can_be_told_from_content():
    from gridgate.requests.attachments import TYPES

    assert set(get_args(FileType)) == set(TYPES)
    assert set(FileField.model_fields["types"].default) <= set(TYPES)


class TestDocumentation:
    """What docs/1-running/kyc.md says of the file."""

    text = (Path(__file__).parents[3] / "docs/1-running/kyc.md").read_text(encoding="utf-8")

    def test_lists_every_kind(self):
        kinds = self.text.partition("| kind | answers")[2].partition("\n\n")[0]
        documented = {
            kind for row in kinds.splitlines()[2:] for kind in re.findall(r"`(\w+)`", row.split("|")[1])
        }
        known = {kind for one in get_args(AnyField) for kind in get_args(one.model_fields["kind"].annotation)}
        assert documented == known

    def test_shows_a_file_that_is_good(self):
        example = self.text.partition("```json\n")[2].partition("```")[0]
        read_form(example.encode())

    def test_names_every_key(self):
        keys = {key for one in get_args(AnyField) for key in one.model_fields} - {"kind"}
        assert {key for key in keys if f"`{key}`" not in self.text} == set()
