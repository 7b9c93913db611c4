"""Django's settings, derived from `Environment`."""

from csp.constants import SELF

from gridgate.config.environment import HOW_TO_RESTORE, read_environment
from gridgate.portal.paths import locale_paths, tag_libraries, template_dirs

ENVIRONMENT = read_environment()

SECRET_KEY = ENVIRONMENT.signing_secret
DEBUG = ENVIRONMENT.debug
BASE_URL = ENVIRONMENT.base_url
ALLOWED_HOSTS = list(ENVIRONMENT.hosts)
CSRF_TRUSTED_ORIGINS = [ENVIRONMENT.base_url]
CSRF_FAILURE_VIEW = "gridgate.portal.refusals.error_pages.csrf_failure"

INSTALLED_APPS = [
    "gridgate.portal",
    "gridgate.notifications",
    "gridgate.delivery",
    "gridgate.sharing",
    "gridgate.applications",
    "gridgate.metering",
    "gridgate.accounts",
    "gridgate.onboarding",
    "gridgate.eic",
    "gridgate.kyc",
    "gridgate.directory",
    "gridgate.requests",
    "gridgate.organisations",
    "gridgate.audit",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "gridgate.accounts.security.apps.SessionListConfig",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "csp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "gridgate.accounts.security.session_middleware.LastingAnswers",
    "gridgate.portal.shell.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "gridgate.portal.guards.access.SignInMiddleware",
    "gridgate.accounts.middleware.MembershipMiddleware",
    "gridgate.accounts.security.sessions.SessionListMiddleware",
    "gridgate.portal.shell.time_zone.TimeZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "gridgate.portal.guards.terms.TermsMiddleware",
    "gridgate.portal.guards.access.CompanyMiddleware",
    "gridgate.portal.guards.acting.ActingMiddleware",
    "gridgate.portal.guards.second_factor.SecondFactorMiddleware",
    "gridgate.portal.guards.access.RefusalMiddleware",
]

ROOT_URLCONF = "gridgate.config.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": template_dirs(),
        "OPTIONS": {
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "gridgate.portal.template_lines.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gridgate.portal.shell.context.portal",
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "gridgate.notifications.templatetags.links",
                *tag_libraries(),
            ],
        },
    }
]
FORM_RENDERER = "gridgate.portal.kit.forms.PortalRenderer"

DATABASES = {
    "default": {
        "ENGINE": "gridgate.config.registry_engine",
        "NAME": ENVIRONMENT.registry,
        "TEST": {"NAME": ":memory:"},
        # Writers queue at BEGIN instead of failing at the first write; FULL so that a revocation answered is on disk.
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-16000;",
        },
    }
}
HOW_TO_RESTORE_KEYS = HOW_TO_RESTORE
CHANGE_LOG = "gridgate.config.changes.write"
LOG_LINES = "gridgate.config.access_log.reading.read_lines"
LOG_SEGMENTS = "gridgate.config.access_log.reading.segment_sizes"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Shared by all processes: a per-process cache would multiply what somebody may ask for.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "portal_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

AUTH_USER_MODEL = "organisations.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "gridgate.accounts.passwords.Argon2idHasher",
    "gridgate.accounts.passwords.AsTypedHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "gridgate.accounts.passwords.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "gridgate.accounts.passwords.CommonPasswordValidator"},
    {"NAME": "gridgate.accounts.passwords.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "home"
PASSWORD_RESET_TIMEOUT = 3600

ACCOUNT_ADAPTER = "gridgate.portal.signing_in.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = False
SOCIALACCOUNT_ADAPTER = "gridgate.portal.signing_in.external.ExternalSignInAdapter"
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
ACCOUNT_RATE_LIMITS = (
    {
        # What is counted has a pace of its own (`accounts/security/pace.py`): the library's limits lock out, a whole
        # site behind one address too, and do not say for how long.
        "login": "",
        "login_failed": "",
        "change_password": "",
    }
    if ENVIRONMENT.quotas == "on"
    else False
)

MFA_ADAPTER = "gridgate.accounts.security.mfa.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_WEBAUTHN_USER_VERIFICATION = "required"
# Longer than the codes of an application (6) and of an e-mail (8): which is which shows, and 40 bits are not guessed.
MFA_RECOVERY_CODE_DIGITS = 12

SESSION_ENGINE = "gridgate.accounts.security.session_store"
SESSION_COOKIE_NAME = "__Host-session" if ENVIRONMENT.secure else "session"
DEVICE_COOKIE_NAME = "__Host-device" if ENVIRONMENT.secure else "device"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENVIRONMENT.secure
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SECURE_HSTS_SECONDS = 63072000 if ENVIRONMENT.secure else 0
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if ENVIRONMENT.behind_proxy:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": [SELF],
        "object-src": ["'none'"],
    }
}

STATIC_URL = "/static/"
GRIDGATE_BRAND_CSS = ENVIRONMENT.brand_css
WHITENOISE_USE_FINDERS = True

LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français"), ("en", "English")]
LOCALE_PATHS = locale_paths()
TIME_ZONE = ENVIRONMENT.time_zone
USE_TZ = True

if ENVIRONMENT.smtp_host:
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST, EMAIL_PORT = ENVIRONMENT.smtp_host, ENVIRONMENT.smtp_port
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = ENVIRONMENT.smtp_user, ENVIRONMENT.smtp_password
    EMAIL_USE_TLS = ENVIRONMENT.smtp_security == "starttls"
    EMAIL_USE_SSL = ENVIRONMENT.smtp_security == "tls"
    EMAIL_TIMEOUT = 20
else:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = ENVIRONMENT.data / "mail"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENVIRONMENT.mail_from or f"no-reply@{ENVIRONMENT.host}"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "without_links": {"()": "gridgate.portal.logs.WithoutLinks"},
        "refused_in_one_line": {"()": "gridgate.portal.logs.RefusedInOneLine"},
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "filters": ["without_links", "refused_in_one_line"]}
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"gridgate.security": {"level": "INFO"}},
}
