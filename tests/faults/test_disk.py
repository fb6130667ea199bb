"""Disks that are full or fail: the whole node over HTTP, then `comity fsck`.

A full disk is a real one: a small tmpfs. Failing system calls are injected into the running node with strace, one kind at a time,
into the files of the register only. Whatever happens, nothing acknowledged is lost and the register is sound afterwards.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import stix  # noqa: E402
from support.subject import Comity  # noqa: E402

ENDED_SECONDS_MAX = 60
EXIT_FAILED = 6


class Posts:
    """Posts envelopes and keeps count of what was acknowledged."""

    def __init__(self, node, collection):
        self.node, self.collection, self.acknowledged, self.answers = node, collection, {}, []

    def post(self, count=20):
        batch = stix.indicators(count)
        try:
            answer = self.node.client("writer", timeout=20).post(
                f"{self.node.root}collections/{self.collection}/objects/", stix.envelope(batch))
        except Exception:  # the node ended: nothing was acknowledged
            self.answers.append(None)
            return None
        self.answers.append(answer.status)
        if answer.status == 202:
            self.acknowledged.update((o["id"], o) for o in batch)
        return answer

    def all_there(self, case):
        client, query, seen = self.node.client("writer"), {"limit": 1000}, {}
        while True:
            page = client.get(f"{self.node.root}collections/{self.collection}/objects/", query)
            seen.update((o["id"], o) for o in page.objects)
            if not page.json().get("more"):
                break
            query["next"] = page.json()["next"]
        case.assertLessEqual(self.acknowledged.keys(), seen.keys(), "acknowledged and lost")
        for name, sent in self.acknowledged.items():
            case.assertEqual(seen[name], sent)


def sound(case, node):
    done = node.run("fsck", "--depth", "deep", "--dir", node.data, check=False, timeout=600)
    case.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class FullDisk(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("mounting a small file system needs root")
        self.mount = Path(tempfile.mkdtemp(prefix="comity-small-"))
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(self.mount)], capture_output=True, text=True)
        if done.returncode != 0:
            self.mount.rmdir()
            self.skipTest(f"no small file system can be mounted here: {done.stderr.strip()}")
        self.addCleanup(self.unmount)

    def unmount(self):
        subprocess.run(["umount", str(self.mount)], check=False)
        shutil.rmtree(self.mount, ignore_errors=True)

    def test_a_full_disk_is_told_and_gets_over_it(self):
        # the log lines of the node stay elsewhere: only the register shall meet the end of the disk
        node = Comity(fresh=1, directory=self.mount)
        self.addCleanup(node.close)
        node.dir = Path(tempfile.mkdtemp(prefix="comity-lines-"))
        self.addCleanup(shutil.rmtree, node.dir, ignore_errors=True)
        collection = node.collection()
        # room to give back later
        ballast = self.mount / "ballast"
        ballast.write_bytes(b"\0" * (3 << 20))
        node.start()
        posts = Posts(node, collection)
        full = None
        for _ in range(400):
            answer = posts.post(100)
            if answer is None or answer.status != 202:
                full = answer
                break
        self.assertIsNotNone(full, f"the disk never filled, or the node ended: {posts.answers[-3:]}")
        self.assertEqual((full.status, full.json()["error_code"]), (503, "register.full"), f"{full}\n{node.process.lines[-3:]}")
        self.assertTrue(full.headers.get("retry-after"))
        health = node.client(None).get("/healthz")
        self.assertEqual((health.status, health.json()["status"]), (200, "full"))
        self.assertGreater(len(posts.acknowledged), 0)
        posts.all_there(self)
        ballast.unlink()
        answer = posts.post(5)
        self.assertEqual(answer.status, 202, str(answer))
        self.assertEqual(node.client(None).get("/healthz").json()["status"], "ok")
        node.close()
        sound(self, node)
        node.start()
        posts.all_there(self)


class FailingCalls(unittest.TestCase):
    """(system call, error): from the n-th call on the register's files."""

    @classmethod
    def setUpClass(cls):
        if not shutil.which("strace"):
            raise unittest.SkipTest("strace is not installed")

    def inject(self, node, call, error, when):
        files = [arg for name in ("register.db", "register.db-wal", "register.db-shm") for arg in ("-P", str(node.data / name))]
        tracer = subprocess.Popen(
            ["strace", "-f", "-q", "-p", str(node.pid), "-o", str(node.dir / "strace.txt"), *files, "-e", f"trace={call}",
             "-e", f"inject={call}:error={error}:when={when}"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(1)
        if tracer.poll() is not None:
            self.skipTest(f"strace may not attach here: {tracer.stderr.read().decode().strip()}")
        return tracer

    def stop(self, tracer):
        if tracer.poll() is None:
            tracer.send_signal(signal.SIGINT)
            try:
                tracer.wait(10)
            except subprocess.TimeoutExpired:
                tracer.kill()
                tracer.wait()

    def run_with(self, call, error, when="3+"):
        node = Comity(fresh=1)
        self.addCleanup(node.close)
        collection = node.collection()
        node.start()
        posts = Posts(node, collection)
        self.assertEqual(posts.post().status, 202)
        tracer = self.inject(node, call, error, when)
        try:
            for _ in range(30):
                answer = posts.post()
                if answer is None or (answer.status == 503 and answer.json().get("error_code") == "register.failed"):
                    break
        finally:
            self.stop(tracer)
        # either the node goes on, or it ended by itself and said so
        if None in posts.answers or node.process.child.poll() is not None or "register.failed" in str(posts.answers):
            code = node.process.child.wait(ENDED_SECONDS_MAX)
            self.assertEqual(code, EXIT_FAILED, "\n".join(node.process.lines[-5:]))
        for status in posts.answers:
            self.assertIn(status, (202, 500, 503, None), posts.answers)
        node.process.stop()
        sound(self, node)
        node.start()
        node._root = None
        posts.all_there(self)
        self.assertEqual(posts.post().status, 202, "it goes on after a restart")
        node.close()
        sound(self, node)
        return posts.answers

    def test_no_space_for_a_write(self):
        self.assertNotIn(None, self.run_with("pwrite64", "ENOSPC"), "a full disk ends no node")

    def test_a_write_fails(self):
        self.assertNotEqual(set(self.run_with("pwrite64", "EIO")), {202})

    def test_a_sync_of_data_fails(self):
        self.run_with("fdatasync", "EIO")

    def test_a_sync_fails(self):
        self.run_with("fsync", "EIO")

    def test_a_truncation_fails(self):
        self.run_with("ftruncate", "EIO", when="1+")

    def test_opening_fails(self):
        self.run_with("openat", "EMFILE", when="1+")

    def test_one_write_fails_and_no_other(self):
        self.run_with("pwrite64", "EIO", when="7")
