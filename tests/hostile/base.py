"""Raw sockets and the checks after every attack: the right answer, the node still serving, memory flat."""

import json
import socket
import time
from pathlib import Path

from conformance.base import Case
from support import stix

PEAK_BYTES_MAX = 768 << 20  # the highest it ever was: a few bodies of 32 MiB at once, not a bomb of a gigabyte


def peak_bytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise LookupError("no VmHWM")


class Hostile(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.collection = cls.subject.collection()

    def tearDown(self):
        began = time.monotonic()
        client = self.subject.client()
        self.assertEqual(client.get("/taxii2/").status, 200, "the node does not serve any more")
        client.close()
        self.assertLess(time.monotonic() - began, 5, "the node serves, but slowly")
        if "memory" in self.subject.can and self.subject.name == "comity":
            peak = peak_bytes(self.subject.pid)
            self.assertLess(peak, PEAK_BYTES_MAX, f"memory was {peak >> 20} MiB at its highest")

    # --- bodies ---

    @property
    def path(self):
        return self.objects(self.collection)

    def refused(self, body, *statuses, headers=None, says=None, **kw):
        """The whole request is refused with one of the statuses and a TAXII error that says something."""
        answer = self.writer.request("POST", self.path, body=body, headers=headers, **kw)
        self.assertError(answer, *(statuses or (400, 422)))
        if answer.body:
            told = answer.json()
            text = (told["title"] + " " + told.get("description", "")).lower()
            self.assertGreater(len(told.get("description", told["title"])), 5, told)
            if says and self.subject.name == "comity":
                self.assertRegex(text, says)
        return answer

    def failed(self, *objects, says=None, raw=None):
        """The envelope is taken (202) and each object in it fails with a reason; or the whole is refused."""
        body = raw if raw is not None else json.dumps(stix.envelope(list(objects))).encode()
        answer = self.writer.post(self.path, body)
        if answer.status != 202:
            return self.assertError(answer, 400, 413, 422)
        status = answer.json()
        self.assertEqual(status["success_count"], 0, status)
        for detail in status["failures"]:
            self.assertTrue(detail["message"])
            if says and self.subject.name == "comity":
                self.assertRegex(detail["message"].lower(), says)
        return answer

    # --- raw requests ---

    def address(self):
        from urllib.parse import urlsplit

        parts = urlsplit(self.subject.base)
        return parts.hostname, parts.port

    def dial(self, timeout=20):
        made = socket.create_connection(self.address(), timeout)
        self.addCleanup(made.close)
        return made

    def authorization(self):
        return self.subject.credentials["writer"].encode()

    def head(self, method=b"GET", path=None, *lines):
        path = path or self.path.encode()
        return b"\r\n".join([method + b" " + path + b" HTTP/1.1", b"Host: localhost",
                             b"Authorization: " + self.authorization(), b"Accept: application/taxii+json;version=2.1",
                             b"Content-Type: application/taxii+json;version=2.1", *lines]) + b"\r\n\r\n"

    def talk(self, data, timeout=20):
        """Send bytes, read until the other side is silent or closes; gives the raw answer."""
        wire = self.dial(timeout)
        try:
            wire.sendall(data)
        except OSError:
            pass  # an early answer may close the way out
        return self.read(wire)

    @staticmethod
    def read(wire, quiet=1.0):
        got = b""
        wire.settimeout(10)
        while True:
            try:
                chunk = wire.recv(65536)
            except (TimeoutError, ConnectionError):
                return got
            if not chunk:
                return got
            got += chunk
            wire.settimeout(quiet)

    def assertRaw(self, got, *statuses, closed=True):
        """One of the statuses, or the connection was simply ended where `closed` allows that."""
        if not got:
            self.assertTrue(closed, "no answer at all")
            return
        self.assertTrue(got.startswith(b"HTTP/1."), got[:80])
        self.assertIn(int(got.split(None, 2)[1]), statuses, got[:300])
