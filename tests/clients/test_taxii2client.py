"""taxii2-client from PyPI, unmodified: the reference client of the standard's committee."""

import json
import unittest

from conformance.base import Case
from support import stix, subject
from support.subject import path_of

import requests.auth
from taxii2client.v21 import ApiRoot, Collection, Server, as_pages
from taxii2client.exceptions import AccessError, ValidationError


class Bearer(requests.auth.AuthBase):
    def __init__(self, token):
        self.token = token

    def __call__(self, request):
        request.headers["Authorization"] = f"Bearer {self.token}"
        return request


class Exchange:
    """The same exchange whatever the way of authentication; `options` are those of the client."""

    node = None

    def options(self):
        raise NotImplementedError

    def fresh(self):
        return self.node.collection()

    def open(self, collection=None):
        return Collection(self.node.base + self.node.root + f"collections/{collection or self.fresh()}/", **self.options())

    def test_server_and_api_roots(self):
        server = Server(self.node.base + "/taxii2/", **self.options())
        self.assertTrue(server.title)
        self.assertEqual(path_of(server.default.url), self.node.root)
        root = server.api_roots[0]
        self.assertTrue(root.title)
        self.assertGreater(root.max_content_length, 0)
        wanted = self.fresh()
        self.assertIn(wanted, [c.id for c in root.collections])

    def test_api_root_collections(self):
        root = ApiRoot(self.node.base + self.node.root, **self.options())
        for collection in root.collections:
            self.assertIn(collection.can_read, (True, False))

    def test_add_waits_and_reads_status(self):
        collection, objects = self.open(), stix.indicators(5)
        status = collection.add_objects(stix.envelope(objects), wait_for_completion=True, timeout=10)
        self.assertEqual((status.status, status.total_count, status.success_count), ("complete", 5, 5))
        status.refresh()
        root = ApiRoot(self.node.base + self.node.root, **self.options())
        self.assertEqual(root.get_status(status.id).success_count, 5)
        self.assertEqual([o["id"] for o in collection.get_objects()["objects"]], [o["id"] for o in objects])

    def test_pages_of_objects_and_manifest(self):
        collection, objects = self.open(), stix.indicators(23)
        collection.add_objects(json.dumps(stix.envelope(objects)), wait_for_completion=True)
        expected = sorted(o["id"] for o in objects)
        for call in (collection.get_objects, collection.get_manifest):
            pages = list(as_pages(call, per_request=5))
            self.assertEqual(sorted(o["id"] for page in pages for o in page.get("objects", [])), expected)
            self.assertEqual(len(pages), 5)

    def test_filters(self):
        collection, (made, other) = self.open(), stix.indicators(2)
        later = stix.version_of(made, 60)
        collection.add_objects(stix.envelope([made, other, later, stix.malware()]), wait_for_completion=True)
        self.assertEqual(len(collection.get_objects(type="indicator")["objects"]), 2)
        self.assertEqual(collection.get_objects(id=other["id"])["objects"], [other])
        self.assertEqual(len(collection.get_objects(version="all", type=["indicator", "malware"])["objects"]), 4)
        added = collection.get_manifest(id=other["id"])["objects"][0]["date_added"]
        after = collection.get_objects(added_after=added)["objects"]
        self.assertNotIn(other["id"], [o["id"] for o in after])

    def test_object_versions_and_delete(self):
        collection, made = self.open(), stix.indicator()
        later = stix.version_of(made, 60)
        collection.add_objects(stix.envelope([made, later]), wait_for_completion=True)
        self.assertEqual(collection.get_object(made["id"])["objects"], [later])
        self.assertEqual(collection.object_versions(made["id"])["versions"], [made["modified"], later["modified"]])
        collection.delete_object(made["id"])
        with self.assertRaises(requests.HTTPError):
            collection.get_object(made["id"])

    def test_empty_collection(self):
        collection = self.open()
        self.assertEqual(collection.get_objects().get("objects", []), [])
        self.assertEqual(collection.get_manifest().get("objects", []), [])

    def test_objects_without_modified_are_accepted(self):
        """MISP's push sends SCOs and markings through this client (OpenTAXII issue 8832: KeyError)."""
        collection = self.open()
        sent = [stix.domain(), stix.statement_marking(), stix.indicator()]
        status = collection.add_objects(stix.envelope(sent), wait_for_completion=True)
        self.assertEqual(status.success_count, 3, status.failures)
        self.assertEqual(collection.get_objects()["objects"], sent)


class OverBasic(Exchange, Case):
    def setUp(self):
        super().setUp()
        self.node = self.subject

    def options(self):
        return {"user": "writer", "password": self.node.passwords["writer"]}

    def test_permissions_are_respected_by_the_client(self):
        if self.node.read_only:
            with self.assertRaises(AccessError):
                self.open(self.node.read_only).add_objects(stix.envelope([stix.indicator()]))
        if self.node.write_only:
            with self.assertRaises(AccessError):
                self.open(self.node.write_only).get_objects()

    def test_wrong_password(self):
        with self.assertRaises(requests.HTTPError):
            ApiRoot(self.node.base + self.node.root, user="writer", password="wrong").refresh()

    def test_alias_is_refused_by_the_client_itself(self):
        self.node.need("alias")
        with self.assertRaises(ValidationError):
            self.open(self.node.alias).refresh()


class OverToken(OverBasic):
    def setUp(self):
        super().setUp()
        self.node.need("users")
        if not hasattr(type(self), "token"):
            type(self).token = self.node.new_token("writer")

    def options(self):
        return {"auth": Bearer(self.token)}


class OverCertificate(Exchange, unittest.TestCase):
    """TLS with a client certificate, no password."""

    def setUp(self):
        self.node = subject.over_tls()

    def fresh(self):
        return self.node.robot_collections.pop()

    def options(self):
        return {"cert": (self.node.robot.cert, self.node.robot.key), "verify": False}


class OverTlsAndBasic(Exchange, unittest.TestCase):
    """TLS whose certificate the client checks against the node's own."""

    def setUp(self):
        self.node = subject.over_tls()
        self.pem = self.node.dir / "server.pem"
        self.pem.write_text(self.node.server_certificate_pem())

    def options(self):
        return {"user": "writer", "password": self.node.passwords["writer"], "verify": str(self.pem)}
