"""Beyond the password: what the operator asks, second factors, one-time codes, sessions, notices of sign-ins."""
