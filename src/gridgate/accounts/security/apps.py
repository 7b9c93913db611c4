"""The library's list of sessions, which we keep ourselves: it would write the keys of sessions there in clear."""

from allauth.usersessions.apps import UserSessionsConfig


class SessionListConfig(UserSessionsConfig):  # type: ignore[misc]  # the library has no types
    def ready(self) -> None:
        """Without the library's own receivers: `sessions.see` writes the list."""
