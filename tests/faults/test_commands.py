"""Commands whose system calls fail, one after the other: what they leave can be gone on with, or is refused.

Each time one call fails, once: the first of its kind, the second and so on.
"""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.subject import comity_binary  # noqa: E402

# an init makes 4 renames, 20 syncs and 200 writes; those left out fail like their neighbours
CALLS = {"rename": range(1, 6), "fsync": range(1, 22, 2), "pwrite64": (1, 2, 9, 40, 120)}


def run(*args, inject=None):
    traced = ["strace", "-f", "-q", "-o", "/dev/null", "-e", f"trace={inject[0]}", "-e",
              f"inject={inject[0]}:error=EIO:when={inject[1]}"] if inject else []
    return subprocess.run([*traced, comity_binary(), *map(str, args)], capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL)


class Cut(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("strace"):
            raise unittest.SkipTest("strace is not installed")

    def setUp(self):
        self.dir = Path(tempfile.mkdtemp(prefix="comity-cut-"))
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def good(self, *args):
        done = run(*args)
        self.assertEqual(done.returncode, 0, f"{args}: {done.stdout}{done.stderr}")
        return done

    def each(self, call, attempt):
        """Fails the n-th call, for several n; gives how many made the command fail."""
        failed = 0
        for nth in CALLS[call]:
            with self.subTest(call=call, nth=nth):
                done = attempt((call, nth), self.dir / f"{call}-{nth}")
                self.assertNotIn("panicked", done.stderr)
                failed += done.returncode != 0
        return failed

    def test_init_can_be_run_again(self):
        def attempt(inject, node):
            args = ("init", "--dir", node, "--party", "ua", "--insecure-http")
            done = run(*args, inject=inject)
            if done.returncode != 0:
                self.good(*args)
            self.good("fsck", "--dir", node, "--depth", "deep")
            self.good("user", "add", "olena", "--role", "officer", "--dir", node)
            return done

        failed = {call: self.each(call, attempt) for call in CALLS}
        self.assertGreater(failed["rename"], 0, failed)
        self.assertGreater(failed["fsync"], 0, failed)

    def test_a_backup_is_whole_or_refused(self):
        node = self.dir / "node"
        self.good("init", "--dir", node, "--party", "ua", "--insecure-http")
        self.good("user", "add", "olena", "--role", "officer", "--dir", node)

        def attempt(inject, folder):
            copy, there = folder / "copy", folder / "there"
            done = run("backup", copy, "--with-keys", "--dir", node, inject=inject)
            restored = run("restore", copy, "--dir", there)
            if restored.returncode == 0:
                self.good("fsck", "--dir", there, "--depth", "deep")
                self.good("log", "head", "--dir", there)
            else:
                self.assertNotEqual(done.returncode, 0, f"said to be made, and cannot be restored: {restored.stderr}")
                self.assertFalse((there / "register.db").exists())
            return done

        failed = {call: self.each(call, attempt) for call in CALLS}
        self.assertGreater(failed["rename"], 0, failed)
        self.good("fsck", "--dir", node, "--depth", "deep")
