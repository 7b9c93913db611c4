"""The programs of an organisation, their credentials, the APIs they are subscribed to, and their tokens."""
