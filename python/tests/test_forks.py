"""Forked processes, and those of multiprocessing."""

import multiprocessing.spawn
import os
import sys

from captures import Capture, is_compressed
from heapray import Tracker
from programs import ProgramTest

FORK = """
import os, sys
import heapray
with heapray.Tracker("out.bin"{options}):
    pid = os.fork()
    if pid == 0:
        in_child = bytearray(1_000_000)
        {end}
    else:
        print(pid, os.waitpid(pid, 0)[1])
"""

PROCESSES = """
import multiprocessing, os
import heapray
def in_process():
    global kept
    kept = bytearray(1_000_000)
if __name__ == "__main__":
    with heapray.Tracker("out.bin", follow_fork=True):
        process = multiprocessing.get_context("{method}").Process(target=in_process)
        process.start()
        process.join()
        print(process.pid, process.exitcode)
    process = multiprocessing.get_context("{method}").Process(target=in_process)
    process.start()
    process.join()
"""


class ForksTest(ProgramTest):
    def fork(self, end: str, options: str = ", follow_fork=True") -> str:
        """The child's process id."""
        pid, status = self.run_program(FORK.format(end=end, options=options)).stdout.split()
        self.assertEqual(status, "0")
        self.assertEqual(Capture(self.folder / "out.bin").reason, "stop")
        return pid

    def test_children_are_followed_when_asked_for(self) -> None:
        for end, reason in (("os._exit(0)", "exit"), ("sys.exit(0)", "stop"), ("pass", "stop")):
            with self.subTest(end):
                pid = self.fork(end)
                self.assertEqual(self.files(), ["out.bin", f"out.bin.{pid}"])
                path = self.folder / f"out.bin.{pid}"
                capture = Capture(path)
                self.assertEqual(capture.header["pid"], int(pid))
                self.assertEqual(capture.reason, reason)
                # By the parent, where the child could not do so.
                self.assertTrue(is_compressed(path))
                path.unlink()
                (self.folder / "out.bin").unlink()

    def test_children_are_left_alone_otherwise(self) -> None:
        for end in ("os._exit(0)", "sys.exit(0)", "pass"):
            with self.subTest(end):
                self.fork(end, options="")
                self.assertEqual(self.files(), ["out.bin"])
                (self.folder / "out.bin").unlink()

    def test_a_child_can_track_itself(self) -> None:
        self.run_program(
            """
            import os, heapray
            with heapray.Tracker("out.bin"):
                pid = os.fork()
                if pid == 0:
                    with heapray.Tracker("child.bin"):
                        kept = bytearray(1_000_000)
                    os._exit(0)
                assert os.waitpid(pid, 0)[1] == 0
            """
        )
        self.assertEqual(self.files(), ["child.bin", "out.bin"])
        self.assertEqual([Capture(self.folder / name).reason for name in self.files()], ["stop", "stop"])

    def test_grandchildren_are_named_after_the_first(self) -> None:
        ended = self.run_program(
            """
            import os, heapray
            with heapray.Tracker("out.bin", follow_fork=True):
                pid = os.fork()
                if pid == 0:
                    pid = os.fork()
                    print(os.getpid(), flush=True)
                    if pid != 0:
                        os.waitpid(pid, 0)
                    os._exit(0)
                os.waitpid(pid, 0)
            """
        )
        self.assertEqual(self.files(), ["out.bin", *sorted(f"out.bin.{pid}" for pid in ended.stdout.split())])
        self.assertEqual([Capture(self.folder / name).reason for name in self.files()], ["stop", "exit", "exit"])

    def test_old_captures_of_children_are_left_alone(self) -> None:
        old = self.folder / "out.bin.1234567"
        old.write_bytes(b"heapray\0" + bytes(8))
        os.utime(old, (1, 1))
        self.fork("os._exit(0)")
        self.assertFalse(is_compressed(old))

    def test_a_child_that_is_killed_is_compressed(self) -> None:
        self.run_program(
            """
            import os, signal, heapray
            started, starting = os.pipe()
            with heapray.Tracker("out.bin", follow_fork=True):
                pid = os.fork()
                if pid == 0:
                    os.write(starting, b"!")
                    signal.pause()
                # Its capture begins before its fork() returns; there is nothing to compress before that.
                os.read(started, 1)
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            """
        )
        self.assertTrue(all(is_compressed(self.folder / name) for name in self.files()), self.files())
        self.assertEqual(len(self.files()), 2)

    def processes(self, method: str) -> None:
        pid, status = self.run_program(PROCESSES.format(method=method)).stdout.split()
        self.assertEqual(status, "0")
        self.assertEqual(self.files(), ["out.bin", f"out.bin.{pid}"])
        capture = Capture(self.folder / f"out.bin.{pid}")
        self.assertEqual(capture.header["pid"], int(pid))
        self.assertEqual(capture.reason, "exit")
        self.assertTrue(capture.holds("in_process"))
        self.assertTrue(is_compressed(self.folder / f"out.bin.{pid}"))

    def test_multiprocessing_by_fork(self) -> None:
        self.processes("fork")

    def test_multiprocessing_by_spawn(self) -> None:
        self.processes("spawn")

    def test_multiprocessing_by_forkserver(self) -> None:
        self.processes("forkserver")

    def test_multiprocessing_is_as_it_was_afterwards(self) -> None:
        before = multiprocessing.spawn.get_preparation_data
        with Tracker(self.folder / "out.bin", follow_fork=True):
            self.assertIn("heapray", multiprocessing.spawn.get_preparation_data("name"))
            wrapped = multiprocessing.spawn.get_preparation_data
        self.assertIs(multiprocessing.spawn.get_preparation_data, before)
        self.assertNotIn("heapray", wrapped("name"))

    def test_tracking_works_where_there_is_no_multiprocessing(self) -> None:
        self.run_program(
            """
            import sys, heapray
            sys.modules["multiprocessing.spawn"] = None
            with heapray.Tracker("out.bin", follow_fork=True):
                pass
            """
        )
        self.assertEqual(Capture(self.folder / "out.bin").reason, "stop")

    def test_spawned_processes_work_where_heapray_is_not_found(self) -> None:
        ended = self.run_program(
            """
            import multiprocessing, os
            def work(queue):
                queue.put("worked")
            if __name__ == "__main__":
                import heapray, heapray._multiprocessing
                heapray._multiprocessing.__file__ = "/nowhere/heapray/_multiprocessing.py"
                context = multiprocessing.get_context("spawn")
                context.set_executable(os.environ["ELSEWHERE"])
                with heapray.Tracker("out.bin", follow_fork=True):
                    queue = context.Queue()
                    process = context.Process(target=work, args=(queue,))
                    process.start()
                    print(queue.get(timeout=30))
                    process.join()
            """,
            env=self.environment_with_another_python(),
        )
        self.assertEqual(ended.stdout, "worked\n")
        self.assertEqual(self.files(), ["elsewhere", "out.bin"])

    def environment_with_another_python(self) -> "dict[str, str]":
        """Of the same version, without what this one has installed."""
        base = getattr(sys, "_base_executable", sys.executable)
        launcher = self.folder / "elsewhere"
        launcher.write_text(f'#!/bin/sh\nexec "{base}" -I -S "$@"\n')
        launcher.chmod(0o755)
        return {**os.environ, "ELSEWHERE": str(launcher)}
