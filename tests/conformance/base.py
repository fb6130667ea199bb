"""What the conformance tests share: paths, putting objects in, checks of headers and errors."""

import re
import unittest

from support import stix, subject
from support.taxii import MEDIA

HEADER_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
UUID4 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
FIRST, LAST = "X-TAXII-Date-Added-First", "X-TAXII-Date-Added-Last"


class Case(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.subject = subject.current()
        cls.root = cls.subject.root

    def setUp(self):
        self.writer = self.subject.client("writer")
        self.addCleanup(self.writer.close)

    # --- paths ---

    def of(self, collection, *rest):
        return self.root + "collections/" + "/".join([collection, *rest]) + "/"

    def objects(self, collection):
        return self.of(collection, "objects")

    # --- acts ---

    def put(self, collection, objects, who="writer", expect_failures=0):
        """POST, wait until complete, check that all went in; gives the status resource."""
        client = self.writer if who == "writer" else self.subject.client(who)
        answer = client.post(self.objects(collection), stix.envelope(objects))
        self.assertEqual(answer.status, 202, answer)
        status = answer.json()
        for _ in range(100):
            if status["status"] == "complete":
                break
            status = client.get(f"{self.root}status/{status['id']}/").json()
        self.assertEqual(status["status"], "complete", status)
        self.assertEqual(status["failure_count"], expect_failures, status)
        return status

    def filled(self, count=5, **properties):
        """A fresh collection with `count` indicators; gives its id and the objects."""
        collection = self.subject.collection()
        objects = stix.indicators(count, **properties)
        self.put(collection, objects)
        return collection, objects

    def walk(self, collection, query=None, where="objects", client=None, pages_max=500):
        """Pages by `next` to the end."""
        client, query, pages = client or self.writer, dict(query or {}), []
        while len(pages) < pages_max:
            answer = client.get(self.of(collection, *where.split("/")), query)
            self.assertEqual(answer.status, 200, answer)
            pages.append(answer)
            body = answer.json()
            if not body.get("more"):
                return pages
            self.assertIn("next", body, "more is true but there is no next")
            query["next"] = body["next"]
        self.fail(f"no end after {pages_max} pages")

    # --- checks ---

    def assertTaxii(self, answer, *statuses):
        """One of the statuses, with the TAXII media type (3.1)."""
        self.assertIn(answer.status, statuses, answer)
        kind = (answer.header("Content-Type") or "").replace(" ", "").lower()
        self.assertEqual(kind, MEDIA, answer)

    def assertError(self, answer, *statuses):
        """An error of these statuses whose body, if there is one, is a TAXII error message (3.6.1)."""
        self.assertIn(answer.status, statuses, answer)
        if answer.body:
            self.assertTaxii(answer, *statuses)
            body = answer.json()
            self.assertIsInstance(body.get("title"), str, body)
            if "http_status" in body:
                self.assertEqual(body["http_status"], str(answer.status), body)
        return answer

    def assertSameObject(self, got, sent):
        """Equal property by property; the standard lets a server leave out nothing (STIX 3.6)."""
        self.assertEqual(got, sent)
