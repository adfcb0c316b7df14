"""Entering and leaving a Tracker."""

import copy
import json
import os
import pickle
import threading
import time
from pathlib import Path

import heapray
from captures import Capture, is_compressed
from heapray import FileDestination, FileFormat, Tracker
from programs import ProgramTest


class TrackerTest(ProgramTest):
    def setUp(self) -> None:
        super().setUp()
        self.path = self.folder / "out.bin"

    def test_tracks_until_the_block_is_left(self) -> None:
        with Tracker(self.path) as tracker:
            self.assertIsInstance(tracker, Tracker)
            kept_in_the_block = bytearray(1_000_000)
        del kept_in_the_block
        capture = Capture(self.path)
        self.assertEqual(capture.reason, "stop")
        self.assertTrue(capture.holds("test_tracks_until_the_block_is_left"))
        self.assertFalse(capture.holds("__exit__"))

    def test_header_tells_of_the_process(self) -> None:
        before = time.time() * 1000
        with Tracker(
            str(self.path), native_traces=True, memory_interval_ms=7, follow_fork=True, trace_python_allocators=True
        ):
            pass
        header = Capture(self.path).header
        self.assertEqual(header["pid"], os.getpid())
        self.assertEqual(header["mainThreadId"], threading.get_native_id())
        self.assertEqual(header["cwd"], os.getcwd())
        self.assertIn("unittest", " ".join(header["commandLine"]))
        self.assertEqual(header["runtime"]["name"], "python")
        self.assertRegex(header["runtime"]["engine"], r"^cpython 3\.\d+\.\d+")
        self.assertEqual(header["runtime"]["standardLibrary"], [os.path.dirname(json.__path__[0])])
        self.assertEqual((header["arch"], header["platform"]), ("x64", "linux"))
        self.assertLess(abs(header["startTimeMs"] - before), 60_000)
        self.assertEqual(header["heaprayVersion"], heapray.__version__)
        self.assertEqual(
            header["options"],
            {
                "fileFormat": "ALL_ALLOCATIONS",
                "nativeTraces": True,
                "embedSymbols": False,
                "memoryIntervalMs": 7,
                "tracePythonAllocators": True,
                "buffered": False,
                "followFork": True,
            },
        )

    def test_trackers_are_neither_copied_nor_pickled(self) -> None:
        tracker = Tracker(self.path)
        for make in (copy.copy, copy.deepcopy, pickle.dumps):
            with self.assertRaisesRegex(TypeError, "cannot be copied or pickled"):
                make(tracker)

    def test_relative_path_where_the_directory_is_gone(self) -> None:
        before = os.getcwd()
        gone = self.folder / "gone"
        gone.mkdir()
        os.chdir(gone)
        gone.rmdir()
        try:
            with self.assertRaisesRegex(FileNotFoundError, "relative to a directory that is gone"):
                Tracker("out.bin")
            with Tracker(self.path):
                pass
        finally:
            os.chdir(before)
        self.assertEqual(Capture(self.path).header["cwd"], "")

    def test_exceptions_pass_through(self) -> None:
        with self.assertRaisesRegex(ValueError, "of the body"):
            with Tracker(self.path):
                raise ValueError("of the body")
        self.assertEqual(Capture(self.path).reason, "stop")

    def test_one_tracker_at_a_time(self) -> None:
        second = self.folder / "second.bin"
        with Tracker(self.path):
            with self.assertRaisesRegex(RuntimeError, "active"):
                with Tracker(second):
                    self.fail("entered")
            errors = []

            def in_thread() -> None:
                try:
                    Tracker(second).__enter__()
                except RuntimeError as error:
                    errors.append(error)

            thread = threading.Thread(target=in_thread)
            thread.start()
            thread.join()
            self.assertEqual(len(errors), 1)
        self.assertFalse(second.exists())
        with Tracker(second):
            pass
        self.assertEqual(Capture(second).reason, "stop")

    def test_one_use_of_a_tracker(self) -> None:
        tracker = Tracker(self.path)
        with tracker:
            with self.assertRaises(RuntimeError):
                tracker.__enter__()
        with self.assertRaises(RuntimeError):
            tracker.__enter__()
        tracker.__exit__(None, None, None)

    def test_a_tracker_that_could_not_be_entered_can_be_later(self) -> None:
        tracker = Tracker(self.folder / "second.bin")
        with Tracker(self.path):
            self.assertRaises(RuntimeError, tracker.__enter__)
        with tracker:
            pass
        self.assertEqual(Capture(self.folder / "second.bin").reason, "stop")

    def test_is_left_by_another_thread(self) -> None:
        tracker = Tracker(self.path)
        thread = threading.Thread(target=tracker.__enter__)
        thread.start()
        thread.join()
        tracker.__exit__(None, None, None)
        self.assertEqual(Capture(self.path).reason, "stop")

    def test_nothing_is_made_before_it_is_entered(self) -> None:
        Tracker(self.path)
        self.assertEqual(self.files(), [])

    def test_its_file_is_where_it_was_made(self) -> None:
        before = os.getcwd()
        os.chdir(self.folder)
        try:
            tracker = Tracker("out.bin")
        finally:
            os.chdir(before)
        with tracker:
            pass
        self.assertTrue(self.path.exists())

    def test_aggregated_captures(self) -> None:
        with Tracker(self.path, file_format=FileFormat.AGGREGATED_ALLOCATIONS):
            kept = bytearray(1_000_000)
        del kept
        capture = Capture(self.path)
        self.assertEqual(capture.header["options"]["fileFormat"], "AGGREGATED_ALLOCATIONS")
        self.assertEqual(capture.reason, "stop")

    def test_existing_files_are_overwritten_when_asked_for(self) -> None:
        self.path.write_text("precious")
        with self.assertRaisesRegex(FileExistsError, "overwrite=True.*out.bin"):
            Tracker(self.path)
        self.assertEqual(self.path.read_text(), "precious")
        with Tracker(destination=FileDestination(self.path, overwrite=True)):
            pass
        self.assertEqual(Capture(self.path).reason, "stop")

    def test_a_file_made_meanwhile_is_kept(self) -> None:
        tracker = Tracker(self.path)
        self.path.write_text("precious")
        self.assertRaises(FileExistsError, tracker.__enter__)
        self.assertEqual(self.path.read_text(), "precious")

    def test_compression_is_optional(self) -> None:
        plain = self.folder / "plain.bin"
        with Tracker(self.path):
            pass
        with Tracker(destination=FileDestination(plain, compress_on_exit=False, buffered=True)):
            pass
        self.assertTrue(is_compressed(self.path))
        self.assertFalse(is_compressed(plain))
        self.assertEqual(Capture(plain).reason, "stop")
        self.assertEqual(self.files(), ["out.bin", "plain.bin"])
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)

    def test_the_null_device_takes_everything(self) -> None:
        link = self.folder / "null.bin"
        link.symlink_to(os.devnull)
        for path in (Path(os.devnull), link):
            with Tracker(path, follow_fork=True):
                pid = os.fork()
                if pid == 0:
                    os._exit(0)
                os.waitpid(pid, 0)
        self.assertTrue(Path(os.devnull).is_char_device())
        self.assertEqual(self.files(), ["null.bin"])

    def test_names_of_any_bytes(self) -> None:
        path = os.path.join(self.folder, os.fsdecode(b"caf\xe9 \xff.bin"))
        with Tracker(path):
            pass
        self.assertEqual(Capture(path).reason, "stop")
