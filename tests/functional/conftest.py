from tests.instance import demo_server, demo_template, own_demo_server

__all__ = ["demo_server", "demo_template", "own_demo_server"]
