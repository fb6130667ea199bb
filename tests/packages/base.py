"""A package on disk with everything in it, made once per run; each test gets a copy of its own."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from support import authority

MAKE = os.environ.get("COMITY_MAKE_PACKAGE", "target/debug/examples/make_package")
VERIFY = os.environ.get("COMITY_VERIFY_BIN", "target/debug/comity-verify")
_made = None


def made() -> Path:
    global _made
    if _made is None:
        _made = tempfile.TemporaryDirectory(prefix="comity-package-")
        folder = Path(_made.name)
        tsa = authority.make(folder / "tsa")
        subprocess.run([MAKE, str(folder / "out"), "--tsa", str(tsa)], check=True)
        shutil.copy(tsa / "ca.crt", folder / "out" / "ca.crt")
    return Path(_made.name) / "out"


def tool(name: str) -> str:
    """A program of this virtual environment, or of the system."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        raise unittest.SkipTest(f"`{name}` is not installed")
    return found


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="comity-case-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        shutil.copytree(made(), self.folder / "x", symlinks=True)
        self.out = self.folder / "x"
        self.package = self.out / "package"

    def run_(self, *command, cwd=None, **more):
        return subprocess.run([str(part) for part in command], cwd=cwd or self.package, capture_output=True, text=True, **more)

    def given(self):
        return ["--policy", self.out / "policy.txt", "--keys", self.out / "keys.txt", "--tsa-ca", self.out / "ca.crt"]

    def ours(self, *arguments):
        return self.run_(Path(VERIFY).resolve(), *self.given(), *(arguments or [self.package]))

    def script(self, *arguments):
        return self.run_("sh", "verify/verify.sh", *arguments)

    def rehash(self):
        """What an attacker does who has no key."""
        for name, chosen in (("manifest-sha256.txt", lambda p: p.startswith("data/")),
                             ("tagmanifest-sha256.txt", lambda p: not p.startswith("data/") and p != "tagmanifest-sha256.txt")):
            paths = sorted(str(p.relative_to(self.package)) for p in self.package.rglob("*") if p.is_file())
            lines = self.run_("sha256sum", *[p for p in paths if chosen(p)]).stdout
            (self.package / name).write_text(lines)
