"""The settings of an instance, read from `GRIDGATE_*` variables and validated at start.

Each variable also exists as `GRIDGATE_…_FILE`, naming a file that holds the value (for secrets mounted by systemd or
a container). Giving both is an error, and so is a file that cannot be read.
"""

import os
import re
import secrets
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from gridgate.core.errors import ErrorKind, GridgateError

PREFIX = "GRIDGATE_"
HOW_TO_RESTORE = (
    "Put it back from the backup of keys/. Without it, code applications, recovery codes, activation links and the"
    " addresses of people and groups open no more: docs/1-running/operate.md says how to go on with a new one."
)


class FromFiles(PydanticBaseSettingsSource):
    """Values from the files that `GRIDGATE_…_FILE` variables name."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        variable = f"{PREFIX}{field_name.upper()}"
        path = os.environ.get(f"{variable}_FILE")
        if path is None:
            return None, field_name, False
        if variable in os.environ:
            raise GridgateError(
                ErrorKind.INVALID,
                f"both {variable} and {variable}_FILE are set",
                remedy="Remove one of them.",
            )
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except OSError as error:
            raise GridgateError(
                ErrorKind.INVALID,
                f"{variable}_FILE names {path}, which cannot be read: {error.strerror}",
                remedy="Mend the path or its permissions.",
            ) from None

    def __call__(self) -> dict[str, Any]:
        values = {}
        for name, field in self.settings_cls.model_fields.items():
            value, key, _ = self.get_field_value(field, name)
            if value is not None:
                values[key] = value
        return values


class Environment(BaseSettings):
    """Every setting, with its default. `docs/1-running/settings.md` is checked against this model."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

    data: Path = Field(
        default=Path("var"), description="where the instance lives: registry, measurements, keys, access log"
    )
    base_url: str = Field(
        default="http://127.0.0.1:8000", description="the address people and programs reach the portal at"
    )
    time_zone: str = Field(default="Europe/Paris", description="the zone whose midnights bound civil days")
    secret_key: str = Field(
        default="", description="signs sessions and links; made and kept in the data directory when empty"
    )
    allowed_hosts: str = Field(default="", description="further host names, separated by commas")
    smtp_host: str = Field(
        default="", description="mail server; without one, e-mails are written to DATA/mail"
    )
    smtp_port: int = Field(default=25, ge=1, le=65535, description="its port")
    smtp_user: str = Field(default="", description="account on the mail server")
    smtp_password: str = Field(default="", description="its password")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        default="none", description="how the connection is protected"
    )
    mail_from: str = Field(
        default="", description="sender of e-mails; no-reply@ the host of base_url when empty"
    )
    checkpoint_copies: str = Field(
        default="",
        description="e-mail addresses, separated by commas, that each signed checkpoint of the access log is sent to",
    )
    workers: int = Field(default=2, ge=1, le=64, description="web processes that `serve` starts")
    plane: Literal["all", "portal", "data"] = Field(
        default="all", description="what the web processes serve; `serve --plane` sets it"
    )
    quotas: Literal["on", "off"] = Field(
        default="on", description="limits on sign-in attempts; off only for benchmarks"
    )
    account_attempts: int = Field(
        default=5, ge=1, le=100, description="how often an account is tried before the next try has to wait"
    )
    account_wait_minutes: int = Field(
        default=15, ge=1, le=1440, description="the longest that a try at one account has to wait"
    )
    address_attempts: int = Field(
        default=20,
        ge=1,
        le=100_000,
        description="how often one address fails before its next try has to wait",
    )
    address_wait_seconds: int = Field(
        default=30, ge=1, le=300, description="the longest that a try from one address has to wait"
    )
    first_administrator_link_days: int = Field(
        default=3, ge=1, le=30, description="how long a first administrator's activation link is good"
    )
    first_administrator_resend_days: int = Field(
        default=7,
        ge=0,
        le=60,
        description="within how many days after it expired it is sent once more by itself",
    )
    user_link_days: int = Field(
        default=30, ge=1, le=365, description="how long the activation link of other users is good"
    )
    sign_up_link_hours: int = Field(
        default=24, ge=1, le=168, description="how long the link is good that ends a sign-up"
    )
    join_request_days: int = Field(
        default=14, ge=1, le=90, description="how long a request to act for a company waits for its answer"
    )
    step_up_minutes: int = Field(
        default=10,
        ge=1,
        le=60,
        description="how long a one-time code is good, and how long it opens sensitive acts",
    )
    lost_factor_wait_minutes: int = Field(
        default=30,
        ge=5,
        le=1440,
        description="how long a person may object before lost second factors can be removed at the desk",
    )
    lost_factor_hours: int = Field(
        default=72, ge=2, le=336, description="until when a check of identity at the desk can be confirmed"
    )
    eic_office: str = Field(
        default="17",
        pattern=r"^[0-9A-Z]{2}$",
        description="number of the EIC issuing office: its codes begin with it",
    )
    eic_form: Path | None = Field(
        default=None, description="a JSON file of further fields that a request for an EIC code asks"
    )
    request_days: int = Field(
        default=5, ge=1, le=90, description="within how many days a request should be decided"
    )
    attachment_megabytes: int = Field(
        default=10, ge=1, le=100, description="the most that one attached document may weigh"
    )
    prepared_megabytes: int = Field(
        default=2000,
        ge=1,
        le=1_000_000,
        description="the most that all prepared files of measurements may weigh together, on disk",
    )
    oidc_issuer: str = Field(
        default="", description="address of an OpenID Connect provider that people may sign in with"
    )
    oidc_client_id: str = Field(default="", description="the portal's name at that provider")
    oidc_client_secret: str = Field(default="", description="its secret there")
    oidc_name: str = Field(default="", description="what the provider is called on the sign-in page")
    brand_css: Path | None = Field(
        default=None, description="a style sheet with the operator's 20 brand properties"
    )
    contact_email: str = Field(
        default="",
        pattern=r"^([^@\s]+@[^@\s]+)?$",
        description="whom people write to for help; the operator's own contact when empty",
    )
    contact_phone: str = Field(default="", description="the number that people call for help")
    contact_url: str = Field(
        default="",
        pattern=r"^(https?://\S+)?$",
        description="the page where people ask for help; the operator's own contact page when empty",
    )
    metrics_token: str = Field(
        default="", description="bearer token for /metrics; without one it answers this machine only"
    )
    behind_proxy: bool = Field(
        default=False, description="trust X-Forwarded-Proto and X-Forwarded-For from the proxy"
    )
    request_log: bool = Field(
        default=True, description="one JSON line per data-plane request on standard error"
    )
    debug: bool = Field(default=False, description="detailed error pages; never on a machine others reach")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, FromFiles(settings_cls), env_settings

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"no time zone {value!r}; give a name such as Europe/Paris") from None
        return value

    @field_validator("base_url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
            raise ValueError("give scheme and host only, such as https://portail.example")
        return value.rstrip("/")

    @field_validator("checkpoint_copies")
    @classmethod
    def _addresses(cls, value: str) -> str:
        for address in addresses_of(value):
            if not re.fullmatch(r"[^@\s]+@[^@\s]+", address):
                raise ValueError(f"{address!r} is no e-mail address; give some such as proofs@audit.example")
        return value

    @field_validator("oidc_issuer")
    @classmethod
    def _safe_issuer(cls, value: str) -> str:
        if not value:
            return value
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("give the provider's issuer, such as https://login.example/realm")
        if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("give an https address: sign-in over http could be read and changed on its way")
        if len(value) > 200:
            raise ValueError("give an issuer of 200 characters at most")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _whole_provider(self) -> Self:
        needed = ("oidc_issuer", "oidc_client_id", "oidc_client_secret", "oidc_name")
        missing = [f"{PREFIX}{name.upper()}" for name in needed if not getattr(self, name).strip()]
        if missing and len(missing) < len(needed):
            raise ValueError(
                f"sign-in by a provider also needs {', '.join(missing)}; set all four of them, or none"
            )
        return self

    @property
    def checkpoint_recipients(self) -> list[str]:
        return addresses_of(self.checkpoint_copies)

    @property
    def host(self) -> str:
        return urlsplit(self.base_url).hostname or ""

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names that requests may be for."""
        further = tuple(filter(None, map(str.strip, self.allowed_hosts.split(","))))
        return (
            f"[{self.host}]" if ":" in self.host else self.host,
            "127.0.0.1",
            "localhost",
            "[::1]",
            *further,
        )

    @property
    def secure(self) -> bool:
        return self.base_url.startswith("https:")

    @property
    def registry(self) -> Path:
        return self.data / "registry.sqlite3"

    @property
    def measurements(self) -> Path:
        return self.data / "measurements.sqlite3"

    @property
    def access_log(self) -> Path:
        return self.data / "accesslog"

    @property
    def receipt_key(self) -> Path:
        return self.data / "keys" / "receipts.pem"

    @property
    def secret_key_file(self) -> Path:
        return self.data / "keys" / "secret_key"

    @property
    def attachments(self) -> Path:
        return self.data / "attachments"

    @property
    def prepared(self) -> Path:
        return self.data / "prepared"

    @property
    def metrics(self) -> Path:
        return self.data / "metrics"

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @cached_property
    def signing_secret(self) -> str:
        """The secret key: the one given, or one made with the instance and kept readable by its owner only.

        Raises `GridgateError` when it is gone or damaged: another in its place would open nothing of what it sealed.
        """
        if self.secret_key:
            return self.secret_key
        path = self.secret_key_file
        if not path.exists() and not self.registry.exists():
            _make_secret(path)
        if fault := fault_of_secret(path):
            raise GridgateError(ErrorKind.UNAVAILABLE, fault, where=str(path), remedy=HOW_TO_RESTORE)
        return path.read_text(encoding="ascii").strip()


def fault_of_secret(path: Path) -> str | None:
    """Why the file holds no secret key that was made here; None when it may."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return "the secret key is missing"
    except OSError as error:
        return f"the secret key cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        text = ""
    return None if re.fullmatch(r"[\w-]{64}", text) else "the secret key is damaged"


def _make_secret(path: Path) -> None:
    """Write a new one whole or not at all, and never over another process's."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(
        os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii"
    ) as file:
        file.write(secrets.token_urlsafe(48))
    with suppress(FileExistsError):
        path.hardlink_to(draft)
    draft.unlink()


def addresses_of(text: str) -> list[str]:
    """Each address once, in order.

    >>> addresses_of(" a@x.example, b@x.example,a@x.example, ")
    ['a@x.example', 'b@x.example']
    """
    return list(dict.fromkeys(filter(None, map(str.strip, text.split(",")))))


def read_environment() -> Environment:
    """Read and validate the settings. Raises `GridgateError` naming each variable at fault and its remedy."""
    try:
        return Environment()
    except ValidationError as error:
        # What several variables say together names them itself.
        faults = "; ".join(
            f"{PREFIX}{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            if fault["loc"]
            else fault["msg"]
            for fault in error.errors()
        )
        raise GridgateError(ErrorKind.INVALID, faults, remedy="See docs/1-running/settings.md.") from None
