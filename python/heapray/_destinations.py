"""Where a capture goes."""

import os
from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True)
class Destination:
    """The base of what a Tracker takes as its destination."""


@dataclass(frozen=True)
class FileDestination(Destination):
    """A capture in a file (mode 0600).

    Args:
        path: The file's path.
        overwrite: Replace the file if it exists; an error otherwise.
        compress_on_exit: Compress the capture when tracking ends, which takes its time then.
        buffered: Write with plain writes instead of a shared mapping, for file systems that cannot map. A kill loses
            what was not written yet.
    """

    path: Union[str, "os.PathLike[str]"]
    overwrite: bool = False
    compress_on_exit: bool = True
    buffered: bool = False


@dataclass(frozen=True)
class SocketDestination(Destination):
    """A client that connects to this process and is sent the records as they happen: `heapray live <port>`.

    The Tracker's constructor listens on the port, and returns once a client has connected. One client is served.

    Args:
        server_port: The port to listen on, from 1 to 65535.
        address: The address to listen on. What is sent is not encrypted: with another address than 127.0.0.1, whoever
            can reach it may be the client.
    """

    server_port: int
    address: str = "127.0.0.1"
