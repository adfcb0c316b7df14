"""The names of threads."""

import os
import threading
from typing import Callable

from captures import Capture
from heapray import Tracker
from programs import ProgramTest


class ThreadsTest(ProgramTest):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / "out.bin"

    def in_thread(self, name: str, work: Callable[[], None] = lambda: None) -> None:
        def allocate() -> None:
            work()
            self.kept = bytearray(1_000_000)

        thread = threading.Thread(target=allocate, name=name)
        thread.start()
        thread.join()

    def test_threads_that_start_while_tracking(self) -> None:
        with Tracker(self.path):
            self.in_thread("a-later-thread")
        self.assertTrue(Capture(self.path).holds("a-later-thread"))

    def test_threads_that_ran_before(self) -> None:
        proceed = threading.Event()

        def allocate() -> None:
            proceed.wait()
            self.kept = bytearray(1_000_000)

        thread = threading.Thread(target=allocate, name="an-earlier-thread")
        thread.start()
        with Tracker(self.path):
            proceed.set()
            thread.join()
            self.kept = bytearray(1_000_000)
        capture = Capture(self.path)
        self.assertTrue(capture.holds("an-earlier-thread"))
        self.assertTrue(capture.holds("MainThread"))

    def test_threads_that_are_renamed(self) -> None:
        def rename() -> None:
            threading.current_thread().name = "another-name"

        with Tracker(self.path):
            self.in_thread("first-name", rename)
        self.assertTrue(Capture(self.path).holds("another-name"))

    def test_names_that_are_no_text(self) -> None:
        def rename() -> None:
            threading.current_thread().name = "\udcff"
            threading.current_thread().name = 5  # type: ignore[assignment]

        with Tracker(self.path):
            self.in_thread("first-name", rename)
        self.assertEqual(Capture(self.path).reason, "stop")

    def test_threading_is_as_it_was_afterwards(self) -> None:
        before = dict(threading.Thread.__dict__)
        with Tracker(self.path):
            self.assertNotEqual(dict(threading.Thread.__dict__), before)
            thread = threading.Thread()
            self.assertEqual(thread.name, thread._name)  # type: ignore[attr-defined]
        self.assertEqual(dict(threading.Thread.__dict__), before)
        self.assertRegex(thread.name, "^Thread-")

    def test_what_memray_takes_for_itself_is_left_to_it(self) -> None:
        with Tracker(self.path):
            for name in ("_name", "_ident"):
                self.assertFalse(hasattr(threading.Thread, name))

    def test_subclasses_with_names_of_their_own(self) -> None:
        class Named(threading.Thread):
            _name = property(lambda self: "fixed", lambda self, value: None)

        with Tracker(self.path):
            thread = Named(target=lambda: None)
            thread.start()
            thread.join()
            self.assertEqual(thread.name, "fixed")

    def test_threads_of_a_forked_child(self) -> None:
        with Tracker(self.path, follow_fork=True):
            pid = os.fork()
            if pid == 0:
                self.in_thread("in-the-child")
                os._exit(0)
            os.waitpid(pid, 0)
        self.assertTrue(Capture(f"{self.path}.{pid}").holds("in-the-child"))
        self.assertFalse(Capture(self.path).holds("in-the-child"))
