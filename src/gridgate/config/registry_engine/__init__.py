"""Django's SQLite engine, which never makes the registry's file nor opens one that is damaged."""
