"""What a web process allows the connections that it holds."""

import socket

import pytest

from gridgate.config.connections import STALLED_SECONDS, connections, give_up_stalled_readers


def test_the_system_ends_connections_whose_reader_takes_nothing() -> None:
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is None:
        pytest.skip("this system has no such option")
    with socket.create_server(("127.0.0.1", 0)) as server:
        give_up_stalled_readers()
        with socket.create_connection(server.getsockname()), server.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, option) == STALLED_SECONDS * 1000


def test_eleven_hundred_connections_are_not_all_that_a_process_holds() -> None:
    assert connections()["backpressure"] > 1100
