"""Programs that tests run in processes of their own."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from textwrap import dedent
from typing import Any, List

SECONDS = 60


class ProgramTest(unittest.TestCase):
    """Each test has a folder of its own, where its programs run."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="heapray-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def program(self, code: str) -> Path:
        file = self.folder / "program.py"
        file.write_text(dedent(code))
        return file

    def command(self, code: str) -> List[str]:
        return [sys.executable, str(self.program(code))]

    def run_program(self, code: str, status: int = 0, **options: Any) -> "subprocess.CompletedProcess[str]":
        ended = subprocess.run(
            self.command(code),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
            timeout=SECONDS,
            **options,
        )
        self.assertEqual(ended.returncode, status, ended.stderr)
        return ended

    def files(self) -> List[str]:
        return sorted(name for name in os.listdir(self.folder) if name != "program.py")
