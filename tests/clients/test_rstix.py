"""The TAXII client of the Rust crate `rstix`, by the small program in `rstix/` (built by scripts/test)."""

import hashlib
import json
import os
import subprocess
import unittest
from pathlib import Path

from support import stix, subject
from support.certificates import openssl

PROGRAM = Path(os.environ.get("RSTIX_CLIENT") or subject.TARGET / "rstix" / "debug" / "rstix-client")
STEPS = ["discovery", "api-root", "collections", "add", "status", "objects", "manifest", "object", "match-id", "versions",
         "delete", "unknown-collection"]


@unittest.skipUnless(PROGRAM.exists(), f"{PROGRAM} is not built")
class Rstix(unittest.TestCase):
    def exchange(self, node, collection, *how, **environment):
        bundle = node.dir / "rstix.json"
        objects = [*stix.indicators(4), stix.malware(), stix.identity()]
        bundle.write_text(json.dumps({"type": "bundle", "id": stix.identifier("bundle"), "objects": objects}))
        done = subprocess.run([PROGRAM, node.base, collection, bundle, *how], capture_output=True, text=True, timeout=120,
                              env={**os.environ, **environment})
        steps = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("ok ")]
        self.assertEqual(steps, STEPS, done.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)

    @staticmethod
    def pin(node):
        """SHA-256 of the server key, as RFC 7858 pins it."""
        key = openssl("x509", "-noout", "-pubkey", stdin=node.server_certificate_pem().encode())
        return hashlib.sha256(openssl("pkey", "-pubin", "-outform", "DER", stdin=key)).hexdigest()

    def test_basic(self):
        node = subject.current()
        self.exchange(node, node.collection(), "basic", "writer", TAXII_PASSWORD=node.passwords["writer"])

    def test_bearer(self):
        node = subject.current()
        node.need("users")
        self.exchange(node, node.collection(), "bearer", TAXII_TOKEN=node.new_token("writer"))

    def test_certificate(self):
        node = subject.over_tls()
        self.exchange(node, node.robot_collections.pop(), "certificate", node.robot.cert, node.robot.key,
                      TAXII_SPKI_SHA256=self.pin(node))

    def test_pkcs12(self):
        node = subject.over_tls()
        self.exchange(node, node.robot_collections.pop(), "pkcs12", node.robot.p12, TAXII_PASSWORD=node.robot.password,
                      TAXII_SPKI_SHA256=self.pin(node))
