"""However a process ends while it is tracked, its capture is complete."""

import signal

from captures import Capture, is_compressed
from programs import ProgramTest

TRACKED = """
import os, signal, sys, threading
import heapray
tracker = heapray.Tracker("out.bin")
tracker.__enter__()
kept = bytearray(1_000_000)
"""


class EndsTest(ProgramTest):
    def check(self, end: str, reason: str, status: int = 0, compressed: bool = True) -> None:
        self.run_program(TRACKED + end, status)
        capture = Capture(self.folder / "out.bin")
        self.assertEqual(capture.reason, reason)
        self.assertEqual(is_compressed(self.folder / "out.bin"), compressed)
        self.assertEqual(self.files(), ["out.bin"])

    def test_the_end_of_the_program(self) -> None:
        self.check("", "exit")

    def test_sys_exit(self) -> None:
        self.check("sys.exit(7)", "exit", 7)

    def test_an_exception(self) -> None:
        self.check("raise ValueError", "exit", 1)

    def test_os_exit(self) -> None:
        self.check("os._exit(9)", "exit", 9, compressed=False)

    def test_a_signal(self) -> None:
        self.check("os.kill(os.getpid(), signal.SIGTERM)", "signal", -signal.SIGTERM, compressed=False)

    def test_a_crash(self) -> None:
        self.check("os.abort()", "signal", -signal.SIGABRT, compressed=False)

    def test_a_daemon_thread_that_tracks(self) -> None:
        self.run_program(
            """
            import threading, heapray
            entered = threading.Event()
            def work():
                with heapray.Tracker("out.bin"):
                    entered.set()
                    threading.Event().wait()
            threading.Thread(target=work, daemon=True).start()
            entered.wait()
            """
        )
        self.assertEqual(Capture(self.folder / "out.bin").reason, "exit")

    def test_threads_are_tracked_until_they_end(self) -> None:
        self.run_program(
            TRACKED
            + """
def late():
    threading.main_thread().join()
    kept.extend(bytearray(3_000_000))
threading.Thread(target=late).start()
"""
        )
        self.assertTrue(Capture(self.folder / "out.bin").holds("late"))

    def test_handlers_of_exit_are_tracked(self) -> None:
        self.run_program(
            """
            import atexit, heapray
            def at_the_very_end():
                kept.extend(bytearray(3_000_000))
            kept = bytearray()
            atexit.register(at_the_very_end)
            heapray.Tracker("out.bin").__enter__()
            """
        )
        self.assertTrue(Capture(self.folder / "out.bin").holds("at_the_very_end"))

    def test_exit_in_the_block(self) -> None:
        self.run_program(
            """
            import sys, heapray
            with heapray.Tracker("out.bin"):
                sys.exit(3)
            """,
            status=3,
        )
        self.assertEqual(Capture(self.folder / "out.bin").reason, "stop")
