"""`gridgate receipt verify FILE`: one line, and 0, 1 or 2."""

import base64
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from gridgate.config.commands.receipt import app
from gridgate.core.errors import GridgateError
from gridgate.sharing import signing
from tests.keys import public_pem

PAYLOAD = {
    "number": "GG-20261125-000042",
    "holder": {"name": "ACME Industries", "siren": "111222337"},
    "eligible_party": {"name": "Tiers 1", "siren": "222333445"},
    "act": "revoke",
    "effective_at": "2026-11-25T09:30:00Z",
    "permissions": [{}, {}],
}


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The key of the instance that the commands find by themselves."""
    monkeypatch.setenv("GRIDGATE_DATA", str(tmp_path))
    path = tmp_path / "keys" / "receipts.pem"
    signing.make_key(path)
    return path


@pytest.fixture
def receipt(tmp_path: Path, key: Path) -> Path:
    path = tmp_path / "receipt.jws"
    path.write_text(signing.sign(PAYLOAD, signing.load_private_key(key)))
    return path


def verify(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["verify", *map(str, arguments)])


def kid(key: Path) -> str:
    return signing.thumbprint(signing.load_private_key(key).public_key())


def test_a_genuine_receipt_is_one_line_and_0(receipt: Path, key: Path) -> None:
    done = verify(receipt)
    assert (done.exit_code, done.output) == (
        0,
        "valid: receipt GG-20261125-000042: ACME Industries (SIREN 111222337) ended what it shared with "
        f"Tiers 1 (SIREN 222333445), 2 permissions, effective 2026-11-25T09:30:00Z, signed with key {kid(key)}\n",
    )


def test_as_json_it_says_what_was_signed(receipt: Path, key: Path) -> None:
    done = verify(receipt, "--json")
    assert json.loads(done.output) == {"valid": True, "kid": kid(key), "receipt": PAYLOAD}


def test_the_file_may_be_json_that_holds_the_jws(receipt: Path) -> None:
    receipt.write_text(json.dumps({"number": "x", "jws": receipt.read_text()}))
    assert verify(receipt).exit_code == 0


def test_a_key_file_is_enough_without_any_instance(
    receipt: Path, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = signing.load_private_key(key).public_key()
    (tmp_path / "public.pem").write_bytes(public_pem(public))
    (tmp_path / "keys.json").write_text(json.dumps(signing.jwks([public])))
    monkeypatch.setenv("GRIDGATE_DATA", str(tmp_path / "nowhere"))
    assert verify(receipt, "--key", tmp_path / "public.pem").exit_code == 0
    assert verify(receipt, "--jwks", tmp_path / "keys.json").exit_code == 0
    assert isinstance(verify(receipt).exception, GridgateError)


def test_a_changed_receipt_is_not_valid_and_1(receipt: Path) -> None:
    head, body, signature = receipt.read_text().split(".")
    receipt.write_text(
        ".".join(
            [head, body.replace("MDAwMDQy", "MDAwMDQz") if "MDAwMDQy" in body else body[::-1], signature]
        )
    )
    done = verify(receipt)
    assert done.exit_code == 1
    assert done.output.startswith("NOT VALID: ")
    done = verify(receipt, "--json")
    assert (done.exit_code, json.loads(done.output)["valid"]) == (1, False)


@pytest.mark.parametrize("content", ["", "{}", "{", '{"jws": "a.b.c"}', "\x00\xff"])
def test_what_is_no_receipt_is_not_valid(receipt: Path, content: str) -> None:
    receipt.write_text(content, encoding="latin-1")
    assert verify(receipt).exit_code == 1


def test_a_file_that_is_not_there_is_an_error_with_its_remedy(key: Path, tmp_path: Path) -> None:
    done = verify(tmp_path / "nothing.jws")
    assert isinstance(done.exception, GridgateError)
    assert done.exception.remedy


FORGED = "ACME\x1b[2K\x1b]0;t\x07\x9b31m\u202e\nvalid: receipt [red]1[/red]\r"


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_what_a_receipt_says_is_shown_and_never_obeyed(
    receipt: Path, key: Path, options: tuple[str, ...]
) -> None:
    receipt.write_text(
        signing.sign({"number": FORGED, "holder": {"name": FORGED}}, signing.load_private_key(key))
    )
    done = verify(receipt, *options)
    assert "[2K" in done.output, "it is shown"
    assert [char for char in done.output[:-1] if not char.isprintable()] == []
    if options:
        assert json.loads(done.output)["receipt"]["number"] == FORGED


def test_nor_is_what_a_forged_one_names(receipt: Path) -> None:
    head = base64.urlsafe_b64encode(json.dumps({"alg": "EdDSA", "kid": FORGED}).encode()).decode()
    receipt.write_text(f"{head.rstrip('=')}.e30.AAAA")
    done = verify(receipt)
    assert done.exit_code == 1
    assert done.output.startswith("NOT VALID: it is signed with another key, ACME")
    assert [char for char in done.output[:-1] if not char.isprintable()] == []


@pytest.mark.parametrize("payload", [{"holder": "a", "permissions": 7}, {"eligible_party": [1]}])
def test_a_receipt_of_another_shape_is_one_line_too(
    receipt: Path, key: Path, payload: dict[str, object]
) -> None:
    receipt.write_text(signing.sign(payload, signing.load_private_key(key)))
    assert "? (SIREN ?), 0 permissions, effective ?" in verify(receipt).output


@pytest.mark.parametrize("act", ["revoke", "terminate", "expire", "invalidate", "something new"])
def test_whatever_a_receipt_says_and_lacks_it_is_one_line(receipt: Path, key: Path, act: str) -> None:
    receipt.write_text(signing.sign({"act": act, "permissions": [{}]}, signing.load_private_key(key)))
    done = verify(receipt)
    assert done.exit_code == 0
    assert done.output.count("\n") == 1
    assert "? (SIREN ?), 1 permission, effective ?" in done.output
