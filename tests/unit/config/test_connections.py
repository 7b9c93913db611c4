"""What a web process allows the connections that it holds."""

import resource
import socket
from collections.abc import Iterator

import pytest

from gridgate.config.connections import OTHER_FILES, STALLED_SECONDS, connections, give_up_stalled_readers


def test_the_system_ends_connections_whose_reader_takes_nothing() -> None:
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is None:
        pytest.skip("this system has no such option")
    with socket.create_server(("127.0.0.1", 0)) as server:
        give_up_stalled_readers()
        with socket.create_connection(server.getsockname()), server.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, option) == STALLED_SECONDS * 1000


@pytest.fixture
def usual_limit() -> Iterator[None]:
    """1,024 open files, as systems let a process have unless it asks for more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1100 + OTHER_FILES
    if hard != resource.RLIM_INFINITY and hard <= wanted:
        pytest.skip(
            f"a process may open {hard} files here, however it asks: `ulimit -Hn` must be over {wanted}"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_eleven_hundred_connections_are_not_all_that_a_process_holds(usual_limit: None) -> None:
    assert 1100 < connections()["backpressure"] < resource.getrlimit(resource.RLIMIT_NOFILE)[0]
