"""The package's names are those of memray."""

import subprocess
import sys
import unittest
from pathlib import Path

import heapray

MEMRAYS = {
    "AllocationRecord",
    "AllocatorType",
    "Destination",
    "FileDestination",
    "FileFormat",
    "FileReader",
    "MemorySnapshot",
    "Metadata",
    "SocketDestination",
    "SocketReader",
    "Tracker",
    "__version__",
    "dump_all_records",
    "load_ipython_extension",
    "set_log_level",
    "start_thread_trace",
}


class NamesTest(unittest.TestCase):
    def test_exports_memrays_names(self) -> None:
        self.assertEqual(set(heapray.__all__) - {"size_fmt"}, MEMRAYS)
        for name in heapray.__all__:
            self.assertTrue(hasattr(heapray, name), name)

    def test_has_memrays_numbers(self) -> None:
        self.assertEqual(heapray.FileFormat.AGGREGATED_ALLOCATIONS, 2)
        self.assertEqual(heapray.AllocatorType(1).name, "PYMALLOC_FREE")
        self.assertEqual(heapray.AllocatorType(4).name, "PYMALLOC_REALLOC")
        self.assertEqual(heapray.AllocatorType(15).name, "MUNMAP")

    def test_is_typed(self) -> None:
        self.assertTrue(Path(heapray.__file__).with_name("py.typed").exists())

    def test_formats_sizes_as_memray_does(self) -> None:
        sizes = [0, 999, 1000, 123456, 5 * 10**9, -2048, 10**27]
        self.assertEqual(
            [heapray.size_fmt(size) for size in sizes],
            ["0.000B", "999.000B", "1.000kB", "123.456kB", "5.000GB", "-2.048kB", "1000.0YB"],
        )

    def test_readers_name_the_command_to_use(self) -> None:
        with self.assertRaisesRegex(NotImplementedError, "heapray stats out.bin"):
            heapray.FileReader("out.bin", max_memory_records=5)
        with self.assertRaisesRegex(NotImplementedError, "heapray live 5678"):
            heapray.SocketReader(5678)
        with self.assertRaisesRegex(NotImplementedError, "heapray parse out.bin"):
            heapray.dump_all_records("out.bin")
        with self.assertRaisesRegex(NotImplementedError, "heapray flamegraph"):
            heapray.load_ipython_extension(None)

    def test_start_thread_trace_is_a_profile_function(self) -> None:
        sys.setprofile(heapray.start_thread_trace)
        try:
            self.assertEqual(sum(range(4)), 6)
        finally:
            sys.setprofile(None)

    def test_log_levels_are_integers(self) -> None:
        with self.assertRaises(TypeError):
            heapray.set_log_level("WARNING")  # type: ignore[arg-type]

    def test_says_what_to_do_where_there_is_no_agent(self) -> None:
        code = "import sys; sys.modules['heapray._agent'] = None; import heapray"
        ended = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, universal_newlines=True, timeout=60)
        self.assertEqual(ended.returncode, 1)
        last = ended.stderr.strip().splitlines()[-1]
        self.assertRegex(last, r"^ImportError: heapray's agent is not there for Python 3\.\d+\.\d+: run `pip install")
