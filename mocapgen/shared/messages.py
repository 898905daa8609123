"""Messages with large arrays between processes: the arrays go through a pipe as they are, instead of being copied into a pickle and out of it."""

from __future__ import annotations

import pickle
from multiprocessing.connection import Connection
from typing import Any


def send(pipe: Connection, message: Any) -> None:
    """Send anything that can be pickled."""
    buffers: list[memoryview] = []
    head = pickle.dumps(message, protocol=5, buffer_callback=lambda buffer: buffers.append(buffer.raw()))
    pipe.send((head, [buffer.nbytes for buffer in buffers]))
    for buffer in buffers:
        pipe.send_bytes(buffer)


def receive(pipe: Connection) -> Any:
    """Return what was sent; its arrays can be written to.

    Raises
    ------
    EOFError, OSError
        If the other end is closed, be it in the middle of a message.
    """
    head, sizes = pipe.recv()
    buffers = [bytearray(size) for size in sizes]
    for buffer in buffers:
        pipe.recv_bytes_into(buffer)
    return pickle.loads(head, buffers=buffers)  # from a process of this program's own
