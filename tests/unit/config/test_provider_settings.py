"""The four variables of the OpenID Connect provider: all or none, and safe."""

import pytest

from gridgate.config.environment import read_environment
from gridgate.core.errors import GridgateError

WHOLE = {
    "GRIDGATE_OIDC_ISSUER": "https://login.example/realm/",
    "GRIDGATE_OIDC_CLIENT_ID": "gridgate",
    "GRIDGATE_OIDC_CLIENT_SECRET": "secret",
    "GRIDGATE_OIDC_NAME": "Identité Démo",
}


@pytest.fixture
def environment(monkeypatch):
    def set_to(**values):
        for name in WHOLE:
            monkeypatch.delenv(name, raising=False)
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return read_environment()

    return set_to


def test_none_is_a_choice(environment):
    assert environment().oidc_issuer == ""


def test_all_four_are_read(environment):
    found = environment(**WHOLE)
    assert found.oidc_issuer == "https://login.example/realm"
    assert found.oidc_name == "Identité Démo"


@pytest.mark.parametrize("missing", WHOLE)
def test_the_one_that_is_missing_is_named(environment, missing):
    rest = {name: value for name, value in WHOLE.items() if name != missing}
    with pytest.raises(GridgateError) as error:
        environment(**rest)
    assert missing in error.value.message
    assert "all four of them, or none" in error.value.message
    assert "GRIDGATE_:" not in error.value.message


@pytest.mark.parametrize(
    ("issuer", "said"),
    [
        ("http://login.example", "https"),
        ("login.example", "issuer"),
        ("https://", "issuer"),
        ("https://login.example/?x=1", "issuer"),
        ("https://login.example/" + "x" * 200, "200"),
    ],
)
def test_an_issuer_that_is_not_safe_is_refused(environment, issuer, said):
    with pytest.raises(GridgateError) as error:
        environment(**{**WHOLE, "GRIDGATE_OIDC_ISSUER": issuer})
    assert error.value.message.startswith("GRIDGATE_OIDC_ISSUER: ")
    assert said in error.value.message


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9400", "[::1]:9400"])
def test_this_machine_may_be_spoken_to_without_https(environment, host):
    found = environment(**{**WHOLE, "GRIDGATE_OIDC_ISSUER": f"http://{host}"})
    assert found.oidc_issuer == f"http://{host}"
