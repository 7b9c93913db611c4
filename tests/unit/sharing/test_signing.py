"""Receipts are compact JWS that any JOSE library, and openssl, verify; and that nothing altered passes for."""

import base64
import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from joserfc import jwk, jws

from gridgate.core.errors import ErrorKind
from gridgate.sharing import signing
from gridgate.sharing.signing import Invalid, KeyUnusable, Valid
from tests.keys import public_pem

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PAYLOAD = {"number": "GG-20261125-000001", "holder": {"name": "Société « Énergie »"}}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_what_is_signed_verifies_and_says_the_same() -> None:
    token = signing.sign(PAYLOAD, KEY)
    assert signing.verify(token, [OTHER.public_key(), KEY.public_key()]) == Valid(
        PAYLOAD, signing.thumbprint(KEY.public_key())
    )
    assert signing.verify(f"\n{token}\n", [KEY.public_key()]) == signing.verify(token, [KEY.public_key()])


def test_the_header_names_algorithm_type_and_key() -> None:
    header = json.loads(unb64(signing.sign(PAYLOAD, KEY).partition(".")[0]))
    assert header == {
        "alg": "EdDSA",
        "kid": signing.thumbprint(KEY.public_key()),
        "typ": "gridgate-receipt+json",
    }


def test_the_key_is_named_by_its_rfc_7638_thumbprint() -> None:
    # The key and thumbprint of RFC 8037, appendix A.
    text = json.dumps({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    (key,) = signing.keys_of_jwks(text, where="rfc8037")
    assert signing.thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_a_jose_library_verifies_it_with_the_published_keys() -> None:
    token = signing.sign(PAYLOAD, KEY)
    keys = jwk.KeySet.import_key_set(
        json.loads(json.dumps(signing.jwks([OTHER.public_key(), KEY.public_key()])))
    )
    signed = jws.deserialize_compact(token, keys, algorithms=["EdDSA"])
    assert json.loads(signed.payload) == PAYLOAD


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl here")
def test_openssl_verifies_it_with_the_public_key(tmp_path: Path) -> None:
    signed, _, signature = signing.sign(PAYLOAD, KEY).rpartition(".")
    (tmp_path / "signed").write_text(signed)
    (tmp_path / "signature").write_bytes(unb64(signature))
    (tmp_path / "key.pem").write_bytes(public_pem(KEY.public_key()))
    command = "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in signed -sigfile signature"
    done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "Signature Verified Successfully")


def test_another_key_is_told() -> None:
    found = signing.verify(signing.sign(PAYLOAD, KEY), [OTHER.public_key()])
    assert isinstance(found, Invalid)
    assert "another key" in found.reason


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_change_in_any_part_shows(part: int) -> None:
    parts = signing.sign(PAYLOAD, KEY).split(".")
    for index in range(0, len(parts[part]), 7):
        letter = parts[part][index]
        changed = parts[part][:index] + ("A" if letter != "A" else "B") + parts[part][index + 1 :]
        token = ".".join([*parts[:part], changed, *parts[part + 1 :]])
        assert isinstance(signing.verify(token, [KEY.public_key()]), Invalid), (part, index)


def forged(**header: object) -> str:
    """A payload that nobody signed, under a header of the forger's."""
    kid = signing.thumbprint(KEY.public_key())
    head = b64(json.dumps({"alg": "EdDSA", "kid": kid, "typ": signing.TYPE, **header}).encode())
    return f"{head}.{b64(json.dumps(PAYLOAD).encode())}."


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES256", 7, None])
def test_no_other_algorithm_is_believed(algorithm: object) -> None:
    for token in (forged(alg=algorithm), forged(alg=algorithm) + b64(bytes(64))):
        assert isinstance(signing.verify(token, [KEY.public_key()]), Invalid)


@pytest.mark.parametrize(
    "header",
    [
        json.dumps({"alg": "EdDSA", "kid": ["a"], "typ": signing.TYPE}),
        json.dumps({"alg": "EdDSA", "kid": {"a": 1}, "typ": signing.TYPE}),
        json.dumps({"alg": ["EdDSA"], "kid": 1}),
        json.dumps({"alg": "EdDSA", "kid": "a", "crit": 7, "b64": []}),
        '["alg"]',
        '"alg"',
        "null",
        "[" * 100_000,
        '{"alg": "EdDSA", "kid": ' + "9" * 5000 + "}",
        '{"alg": "\\ud800", "kid": "\\ud800"}',
    ],
    ids=lambda header: header[:30],
)
def test_a_header_of_any_other_shape_names_no_key(header: str) -> None:
    assert isinstance(signing.verify(f"{b64(header.encode())}.e30.AAAA", [KEY.public_key()]), Invalid)


def test_the_public_key_is_no_shared_secret() -> None:
    """HS256 with the public key as secret: the classic confusion."""
    import hashlib
    import hmac

    signed = forged(alg="HS256").rstrip(".")
    for secret in (KEY.public_key().public_bytes_raw(), public_pem(KEY.public_key())):
        token = f"{signed}.{b64(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"
        assert isinstance(signing.verify(token, [KEY.public_key()]), Invalid)


def test_rfc_9864s_name_of_the_algorithm_is_read_too() -> None:
    signed = forged(alg="Ed25519").rstrip(".")
    token = f"{signed}.{b64(KEY.sign(signed.encode()))}"
    assert isinstance(signing.verify(token, [KEY.public_key()]), Valid)


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"kid": None}, {"crit": ["exp"], "exp": 1}])
def test_what_is_well_signed_but_not_a_receipt_is_not_taken_for_one(header: dict[str, object]) -> None:
    signed = forged(**header).rstrip(".")
    token = f"{signed}.{b64(KEY.sign(signed.encode()))}"
    assert isinstance(signing.verify(token, [KEY.public_key()]), Invalid)


def test_a_signed_list_is_not_a_receipt() -> None:
    signed = f"{forged().split('.')[0]}.{b64(b'[]')}"
    token = f"{signed}.{b64(KEY.sign(signed.encode()))}"
    found = signing.verify(token, [KEY.public_key()])
    assert isinstance(found, Invalid)
    assert "not a receipt" in found.reason


@pytest.mark.parametrize(
    "text", ["", "a", "a.b", "a.b.c", "é.é.é", "....", "{}", "e30.e30.e30", "x" * 100_000]
)
def test_what_is_no_jws_is_told(text: str) -> None:
    assert isinstance(signing.verify(text, [KEY.public_key()]), Invalid)


def test_a_receipt_of_many_points_verifies() -> None:
    payload = {"points": [f"{30_000_000_000_000 + number}" for number in range(50_000)]}
    assert signing.verify(signing.sign(payload, KEY), [KEY.public_key()]) == Valid(
        payload, signing.thumbprint(KEY.public_key())
    )


# --- keys


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "receipts.pem"
    signing.make_key(path)
    first = path.read_bytes()
    signing.make_key(path)
    assert path.read_bytes() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["receipts.pem"]
    assert signing.key_of_pem(first, where="") == signing.load_private_key(path).public_key()


def test_former_keys_still_verify(tmp_path: Path) -> None:
    path = tmp_path / "receipts.pem"
    signing.make_key(path)
    former = tmp_path / "former"
    former.mkdir()
    (former / "2025.pem").write_bytes(public_pem(OTHER.public_key()))
    present = signing.load_private_key(path).public_key()
    assert signing.load_public_keys(path) == [present, OTHER.public_key()]
    assert [key["kid"] for key in signing.jwks(signing.load_public_keys(path))["keys"]] == [
        signing.thumbprint(present),
        signing.thumbprint(OTHER.public_key()),
    ]


EC = ec.generate_private_key(ec.SECP256R1())


def test_keys_that_are_of_no_use_are_told_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(KeyUnusable, match="cannot be read") as caught:
        signing.load_private_key(tmp_path / "absent.pem")
    assert caught.value.kind is ErrorKind.UNAVAILABLE
    assert "backup" in caught.value.remedy
    path = tmp_path / "key.pem"
    path.write_bytes(b"-----BEGIN PRIVATE KEY-----\n")
    with pytest.raises(KeyUnusable, match="not a key in PEM"):
        signing.load_private_key(path)
    with pytest.raises(KeyUnusable, match="not a key in PEM"):
        signing.key_of_pem(path.read_bytes(), where="it")
    with pytest.raises(KeyUnusable, match="not a key in PEM"):
        signing.key_of_pem(b"?", where="it")
    path.write_bytes(EC.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(KeyUnusable, match="holds no Ed25519 key"):
        signing.load_private_key(path)
    public = EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(KeyUnusable, match="holds no Ed25519 key"):
        signing.key_of_pem(public, where="it")


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"keys": []}', '{"keys": 7}', '{"keys": [{"kty": "OKP", "crv": "Ed25519"}]}', "null"],
)
def test_what_holds_no_key_is_told(text: str) -> None:
    with pytest.raises(KeyUnusable):
        signing.keys_of_jwks(text, where="it")


def test_a_jwk_set_may_hold_other_keys_too() -> None:
    keys = signing.jwks([KEY.public_key()])
    keys["keys"].insert(0, {"kty": "EC", "crv": "P-256", "x": "", "y": ""})
    assert signing.keys_of_jwks(json.dumps(keys), where="it") == [KEY.public_key()]
