"""`docs/2-integrating/permissions.md` says what the code does."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gridgate.core.sharing import PermissionState
from gridgate.sharing import signing
from gridgate.sharing.history import Reason
from gridgate.sharing.operations.durations import LONGEST_MONTHS
from gridgate.sharing.operations.requesting import DAYS_TO_ANSWER

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "2-integrating" / "permissions.md").read_text(
    encoding="utf-8"
)


@pytest.mark.parametrize("state", PermissionState)
def test_every_state_has_its_paragraph(state: PermissionState) -> None:
    assert f"\n**{state}.** " in PAGE


def test_durations_and_reasons_are_those_of_the_code() -> None:
    assert f"{LONGEST_MONTHS} months" in PAGE
    assert f"{DAYS_TO_ANSWER} days" in PAGE
    assert f"`{Reason.MOVE_OUT}`" in PAGE
    assert f"`{Reason.OPPOSITION}`" in PAGE


@pytest.mark.skipif(
    not all(map(shutil.which, ("openssl", "jq", "base64"))), reason="needs openssl, jq and base64"
)
def test_the_commands_verify_a_receipt_and_refuse_a_changed_one(tmp_path: Path) -> None:
    (commands,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    receipt = signing.sign({"number": "GG-20261125-K7Q4M2"}, key)
    (tmp_path / "keys.json").write_text(json.dumps(signing.jwks([other.public_key(), key.public_key()])))

    def run(token: str) -> "subprocess.CompletedProcess[str]":
        (tmp_path / "receipt.jws").write_text(token)
        return subprocess.run(
            ["sh", "-c", f"set -e\n{commands}"], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    done = run(receipt)
    assert done.returncode == 0, done.stderr
    assert "Signature Verified Successfully" in done.stdout
    assert '"number": "GG-20261125-K7Q4M2"' in done.stdout
    header, payload, signature = receipt.split(".")
    assert run(f"{header}.{payload[::-1]}.{signature}").returncode != 0
