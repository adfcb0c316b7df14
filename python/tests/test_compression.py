"""Compressing captures, docs/capture-format.md."""

import gzip
import os
import struct
import unittest.mock

from captures import Capture, is_compressed
from heapray import FileDestination, FileFormat, Tracker
from heapray._compression import compress_capture
from programs import ProgramTest


class CompressionTest(ProgramTest):
    def setUp(self) -> None:
        super().setUp()
        self.path = str(self.folder / "out.bin")

    def record(self, file_format: FileFormat = FileFormat.ALL_ALLOCATIONS, lists: int = 1000) -> bytes:
        destination = FileDestination(self.path, compress_on_exit=False, overwrite=True)
        with Tracker(destination=destination, file_format=file_format, trace_python_allocators=True):
            kept = [list(range(i % 50)) for i in range(lists)]
        del kept
        with open(self.path, "rb") as file:
            return file.read()

    def packed(self) -> bytes:
        with open(self.path, "rb") as file:
            return file.read()

    def test_blocks_get_numbers(self) -> None:
        plain = self.record()
        self.assertTrue(compress_capture(self.path))
        capture = Capture(self.path)
        self.assertEqual((Capture(self.path).version, capture.reason), (3, "stop"))
        self.assertLess(len(self.packed()), len(plain) / 4)
        self.assertEqual(self.files(), ["out.bin"])

    def test_members_tell_their_length(self) -> None:
        self.record(lists=50_000)
        member_bytes = 64 * 1024
        with unittest.mock.patch("heapray._compression.MEMBER_BYTES", member_bytes):
            compress_capture(self.path)
        packed = self.packed()
        lengths = []
        at = 0
        while at < len(packed):
            self.assertEqual(packed[at : at + 16], bytes.fromhex("1f8b08040000000000ff080068720400"))
            (length,) = struct.unpack_from("<I", packed, at + 16)
            lengths.append(len(gzip.decompress(packed[at : at + length])))
            at += length
        self.assertEqual(at, len(packed))
        self.assertGreater(len(lengths), 1)
        self.assertTrue(all(member_bytes <= length < member_bytes + 20_000 for length in lengths[:-1]), lengths)

    def test_aggregated_captures_stay_as_they_are(self) -> None:
        plain = self.record(FileFormat.AGGREGATED_ALLOCATIONS)
        self.assertTrue(compress_capture(self.path))
        self.assertEqual(gzip.decompress(self.packed()), plain)

    def test_damaged_captures_are_packed_as_they_are(self) -> None:
        plain = self.record()
        start = Capture(self.path).records
        damages = [plain[: -len(start)] + b"\x80" + start[1:], plain[:20] + b"\0" + plain[21:], plain[:16]]
        for damaged in damages:
            with open(self.path, "wb") as file:
                file.write(damaged)
            self.assertTrue(compress_capture(self.path))
            self.assertEqual(gzip.decompress(self.packed()), damaged)

    def test_what_is_no_capture_is_left_alone(self) -> None:
        for content in (b"", b"something else", gzip.compress(b"heapray\0")):
            with open(self.path, "wb") as file:
                file.write(content)
            self.assertFalse(compress_capture(self.path))
            self.assertEqual(self.packed(), content)
        self.assertFalse(compress_capture(f"{self.path}.missing"))
        self.assertFalse(compress_capture(str(self.folder)))
        link = f"{self.path}.link"
        os.symlink(self.path, link)
        self.record()
        self.assertFalse(compress_capture(link))

    def test_a_full_disk_leaves_it_uncompressed(self) -> None:
        plain = self.record()
        with unittest.mock.patch("os.rename", side_effect=OSError(28, "No space left on device")):
            self.assertFalse(compress_capture(self.path))
        self.assertEqual(self.packed(), plain)
        self.assertEqual(self.files(), ["out.bin"])

    def test_another_capture_in_its_place_is_kept(self) -> None:
        self.record()
        original = os.fchmod

        def replaced_meanwhile(descriptor: int, mode: int) -> None:
            original(descriptor, mode)
            os.unlink(self.path)
            with open(self.path, "wb") as file:
                file.write(b"another")

        with unittest.mock.patch("os.fchmod", replaced_meanwhile):
            self.assertFalse(compress_capture(self.path))
        self.assertEqual(self.packed(), b"another")
        self.assertEqual(self.files(), ["out.bin"])

    def test_what_an_attempt_before_left_is_replaced(self) -> None:
        self.record()
        with open(f"{self.path}.compressing", "w") as file:
            file.write("left")
        self.assertTrue(compress_capture(self.path))
        self.assertTrue(is_compressed(self.path))
        self.assertEqual(self.files(), ["out.bin"])
