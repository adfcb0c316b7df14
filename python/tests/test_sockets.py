"""Clients that connect."""

import os
import signal
import socket
import struct
import subprocess
import threading
import time
from typing import List

from heapray import SocketDestination, Tracker
from programs import SECONDS, ProgramTest


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def connect(port: int) -> socket.socket:
    until = time.monotonic() + SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)


def read_all(client: socket.socket) -> bytes:
    pieces: List[bytes] = []
    while True:
        piece = client.recv(65536)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)


class SocketsTest(ProgramTest):
    def test_a_client_is_waited_for_and_sent_the_capture(self) -> None:
        port = free_port()
        received: List[bytes] = []

        def client() -> None:
            with connect(port) as connection:
                received.append(read_all(connection))

        thread = threading.Thread(target=client)
        thread.start()
        with Tracker(destination=SocketDestination(port)):
            kept = bytearray(1_000_000)
        del kept
        thread.join()
        data = received[0]
        self.assertEqual(data[:8], b"heapray\0")
        (length,) = struct.unpack_from("<I", data, 12)
        self.assertIn(b'"pid": %d' % os.getpid(), data[16 : 16 + length])
        self.assertIn(b'"reason":"stop"', data[-100:].replace(b" ", b""))
        self.assertIn(b"test_a_client_is_waited_for_and_sent_the_capture", data)

    def test_a_forked_process_does_not_keep_the_connection(self) -> None:
        port = free_port()
        code = f"""
            import os, signal, time, heapray
            with heapray.Tracker(destination=heapray.SocketDestination({port})):
                reader, writer = os.pipe()
                if os.fork() == 0:
                    os.write(writer, b"x")
                    time.sleep({2 * SECONDS})
                    os._exit(0)
                os.read(reader, 1)
                # Until something has been sent.
                time.sleep(0.5)
                os.kill(os.getpid(), signal.SIGKILL)
            """
        # A group of its own, so that the child ends with the test.
        process = subprocess.Popen(self.command(code), start_new_session=True)
        try:
            with connect(port) as client:
                self.assertEqual(read_all(client)[:8], b"heapray\0")
            process.wait(timeout=SECONDS)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def test_a_client_that_goes_away_is_named(self) -> None:
        port = free_port()
        code = f"""
            import sys, time, heapray
            with heapray.Tracker(destination=heapray.SocketDestination({port})):
                print("tracked", flush=True)
                sys.stdin.readline()
                until = time.monotonic() + {SECONDS}
                # What is sent after the end is what tells of it.
                while heapray._loaded_agent.agent.is_active() and time.monotonic() < until:
                    bytearray(1_000_000)
                    time.sleep(0.001)
            print("done", flush=True)
            """
        process = subprocess.Popen(
            self.command(code),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )
        try:
            with connect(port):
                assert process.stdout is not None
                self.assertEqual(process.stdout.readline(), "tracked\n")
            out, err = process.communicate("go\n", timeout=2 * SECONDS)
        finally:
            process.kill()
            process.wait()
        self.assertEqual((process.returncode, out), (0, "done\n"), err)
        gone = f"the client at 127.0.0.1:{port} closed the connection"
        self.assertEqual(err, f"heapray: tracking stopped, the program goes on: {gone}\n")

    def test_ports_that_are_none(self) -> None:
        for port, error in (("x", TypeError), (-1, OverflowError), (70_000, OverflowError), (0, ValueError)):
            with self.subTest(port):
                self.assertRaises(error, Tracker, destination=SocketDestination(port))  # type: ignore[arg-type]

    def test_a_port_that_is_taken(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            with self.assertRaisesRegex(OSError, f"port {port}: "):
                Tracker(destination=SocketDestination(port))

    def test_ctrl_c_ends_the_waiting(self) -> None:
        port = free_port()
        code = f"""
            import socket, heapray
            try:
                print("waits", flush=True)
                heapray.Tracker(destination=heapray.SocketDestination({port}))
            except KeyboardInterrupt:
                print("interrupted", flush=True)
            socket.create_server(("127.0.0.1", {port})).close()
            """
        process = subprocess.Popen(
            self.command(code), stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True
        )
        try:
            assert process.stdout is not None
            self.assertEqual(process.stdout.readline(), "waits\n")
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
            process.wait()
        self.assertEqual((process.returncode, out), (0, "interrupted\n"), err)
