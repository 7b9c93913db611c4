"""The security of one's own account: second factors, sessions, notices, and the proof before sensitive acts."""
