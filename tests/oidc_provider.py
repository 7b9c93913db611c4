"""A real OpenID Connect provider, in a process of its own."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

READY_SECONDS = 120


@dataclass
class Provider:
    """Where it listens; its people are those whom a test tells it of."""

    port: int

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What tells an instance of it."""
        return {
            "GRIDGATE_OIDC_ISSUER": self.issuer,
            "GRIDGATE_OIDC_CLIENT_ID": "gridgate",
            "GRIDGATE_OIDC_CLIENT_SECRET": "a secret of the client",
            "GRIDGATE_OIDC_NAME": "Identité Démo",
        }

    def knows(self, subject: str, **claims: object) -> None:
        """Let the person exist there, with these claims."""
        httpx.put(f"{self.issuer}/users/{subject}", json=claims, timeout=READY_SECONDS).raise_for_status()

    def agrees(self, address: str, subject: str) -> str:
        """What a person does on the provider's page; returns where it leads back to."""
        answer = httpx.post(address, data={"sub": subject}, timeout=READY_SECONDS)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def refuses(self, address: str) -> str:
        answer = httpx.post(address, data={"action": "deny"}, timeout=READY_SECONDS)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]


@contextmanager
def running_provider(log: Path) -> Iterator[Provider]:
    """The provider for the time of a `with` block; it asks for a nonce."""
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", "0", "--require-nonce", "true"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"},
        )
    try:
        yield Provider(_port_of(process, log))
    finally:
        process.terminate()
        process.wait()


def _port_of(process: "subprocess.Popen[bytes]", log: Path) -> int:
    """The port that it was given, which it says when it answers there."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := re.search(r"running on http://127\.0\.0\.1:(\d+)", log.read_text(errors="replace")):
            return int(found[1])
        time.sleep(0.05)
    raise AssertionError(f"the provider was not ready:\n{log.read_text(errors='replace')}")
