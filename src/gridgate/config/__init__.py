"""The composition roots: settings, URLs, ASGI, command line. The only package that knows every other."""
