"""The client of a SocketDestination."""

import operator
from dataclasses import dataclass

from heapray._destinations import SocketDestination
from heapray._loaded_agent import agent

_WAIT_MS = 100


@dataclass(frozen=True)
class Client:
    """Who has connected."""

    listener: object
    """The agent's, which has the connection."""
    place: str
    """The address and port it has connected to, for messages."""


def wait_for_client(destination: SocketDestination) -> Client:
    """Listens, and waits until a client has connected. Handlers of signals run meanwhile; what they raise ends it.

    Raises:
        TypeError: The port is not an integer, or the address not a string.
        OverflowError, ValueError: There is no such port.
        OSError: Nobody can connect to that address and port.
    """
    address, port = destination.address, operator.index(destination.server_port)
    if not isinstance(address, str):
        raise TypeError(f"address is a string like 127.0.0.1, not {type(address).__name__}")
    if not 0 <= port <= 65535:
        raise OverflowError(f"server_port is from 1 to 65535, not {port}")
    if port == 0:
        raise ValueError("server_port is from 1 to 65535, for the client has to know it")
    try:
        listener = agent.listen(address, port)
    except OSError as error:
        raise OSError(f"Cannot wait for a client on {address}, port {port}: {error}") from None
    try:
        while not agent.accept(listener, _WAIT_MS):
            pass
    except BaseException:
        agent.close_listener(listener)
        raise
    return Client(listener, f"{address}:{port}")
