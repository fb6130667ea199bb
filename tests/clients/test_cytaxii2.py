"""cytaxii2 from PyPI, unmodified: sends Content-Type on GET, asks discovery before each session, needs `default` absolute."""

import json
import os
import unittest

from conformance.base import Case
from support import stix, subject

from cytaxii2 import cytaxii2


class Calls:
    node = None

    def client(self):
        return cytaxii2.cytaxii2(self.node.base + "/taxii2/", "writer", self.node.passwords["writer"])

    def test_every_call(self):
        client, collection = self.client(), self.node.collection()
        for name in ("discovery_request", "root_discovery", "collection_request"):
            answer = getattr(client, name)()
            self.assertTrue(answer["status"], (name, answer))
        made = stix.indicators(3)
        posted = client.inbox_request(collection, json.dumps(stix.envelope(made)))
        self.assertEqual(posted["status_code"], 202, posted)
        self.assertTrue(client.collection_data_request(collection)["status"])
        polled = client.poll_request(collection)
        self.assertEqual([o["id"] for o in polled["response"]["objects"]], [o["id"] for o in made])
        page = client.poll_request(collection, limit=2, object_type="indicator")
        rest = client.poll_request(collection, limit=2, object_type="indicator", next=page["response"]["next"])
        self.assertEqual(len(page["response"]["objects"]) + len(rest["response"]["objects"]), 3)
        self.assertEqual(client.poll_request(collection, object_id=made[0]["id"])["response"]["objects"], [made[0]])

    def test_errors_are_json(self):
        bad = cytaxii2.cytaxii2(self.node.base + "/taxii2/", "writer", self.node.passwords["writer"])
        answer = bad.poll_request("00000000-0000-4000-8000-000000000000")
        self.assertEqual(answer["status_code"], 404, answer)
        self.assertIn("title", answer["response"])


class OverHttp(Calls, Case):
    def setUp(self):
        super().setUp()
        self.node = self.subject


class OverTls(Calls, unittest.TestCase):
    """The client has no TLS options; trust comes by the variable its HTTP library reads."""

    def setUp(self):
        self.node = subject.over_tls()
        pem = self.node.dir / "cytaxii2.pem"
        pem.write_text(self.node.server_certificate_pem())
        os.environ["REQUESTS_CA_BUNDLE"] = str(pem)
        self.addCleanup(os.environ.pop, "REQUESTS_CA_BUNDLE", None)
