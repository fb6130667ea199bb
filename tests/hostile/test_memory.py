"""Memory stays flat: what the heaviest attacks cost once, they do not cost again."""

import gzip
import json

from support import stix
from support.subject import resident_bytes

from .base import Hostile
from .test_bodies import with_member, zstd_bomb

GROWTH_BYTES_MAX = 24 << 20  # from ten repetitions to the next ten; each attack handles megabytes
ROUNDS = 20


class Flat(Hostile):
    def attack(self):
        references = [stix.identifier("malware")] * 20_000
        report = stix.sdo("report", name="r", published=stix.instant(), object_refs=references)
        bodies = [
            b'{"objects":' + b"[" * 200_000,
            with_member(b'"x_many":[' + b",".join([b"[0]"] * 200_000) + b"]"),
            with_member(b'"description":"' + b"a" * 8_000_000 + b"\xff" + b'"'),
            json.dumps(stix.envelope([stix.indicator(pattern="[" * 50_000), dict(report, published="never")])).encode(),
            b'{"objects":[' + b",".join([b"{}"] * 15_000) + b"]}",
        ]
        for body in bodies:
            self.assertLess(self.writer.post(self.path, body).status, 500)
        for coding, body in (("gzip", gzip.compress(b" " * (64 << 20))), ("zstd", zstd_bomb(1024))):
            self.assertLess(self.writer.request("POST", self.path, body=body, headers={"Content-Encoding": coding}).status, 500)

    def test_90_memory_stays_flat(self):
        if self.subject.name != "comity":
            self.skipTest("the memory of another server is its own affair")
        # by then every thread of the node has had its share, and its heap the size that takes
        self.least(ROUNDS // 2)
        before = self.least(ROUNDS // 2)
        grown = self.least(ROUNDS // 2) - before
        self.assertLess(grown, GROWTH_BYTES_MAX, f"resident memory grew from {before >> 20} MiB by {grown >> 20} MiB")

    def least(self, rounds):
        """Attacks so often and gives the least that was resident after one: each of the node's threads gives its heap back at a
        time of its own (some 30 MiB up or down from one round to the next), and what leaks is there at the best moment too."""
        resident = []
        for _ in range(rounds):
            self.attack()
            resident.append(resident_bytes(self.subject.pid))
        return min(resident)
