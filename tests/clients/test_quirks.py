"""What clients that cannot be installed here send, replayed request by request.

Sources are named in docs/CONFORMANCE.md. Each test is one client's habit, and what it requires of the answer.
"""

import base64

from conformance.base import FIRST, HEADER_TIME, LAST, Case
from support import stix
from support.taxii import MEDIA


class OpenCti(Case):
    """TAXII ingester (ingestionManager): `added_after` and `next` together, no `limit`; the cursor is `next`, else the header."""

    def test_added_after_and_next_together(self):
        collection, objects = self.filled(30)
        start = "2020-01-01T00:00:00.000Z"
        first = self.writer.get(self.objects(collection), {"added_after": start, "limit": 12})
        cursor, got = first.json()["next"], list(first.ids)
        while cursor:
            answer = self.writer.get(self.objects(collection), {"added_after": start, "limit": 12, "next": cursor})
            self.assertEqual(answer.status, 200, answer)
            got += answer.ids
            cursor = answer.json().get("next")
        self.assertEqual(sorted(got), sorted(o["id"] for o in objects))

    def test_without_limit(self):
        collection, objects = self.filled(30)
        answer = self.writer.get(self.objects(collection), {"added_after": "2020-01-01T00:00:00.000Z"})
        self.assertEqual(len(answer.objects), 30)
        self.assertRegex(answer.header(LAST), HEADER_TIME)

    def test_continues_from_the_header(self):
        collection, _ = self.filled(3)
        last = self.writer.get(self.objects(collection)).header(LAST)
        self.put(collection, [later := stix.indicator()])
        self.assertEqual(self.writer.get(self.objects(collection), {"added_after": last}).ids, [later["id"]])

    def test_truncated_time_resolution(self):
        """Older versions cut `added_after` to milliseconds (issue 10090): nothing may be lost by that."""
        collection, objects = self.filled(3)
        last = self.writer.get(self.objects(collection)).header(LAST)
        cut = last[:23] + "Z"
        self.put(collection, [later := stix.indicator()])
        self.assertIn(later["id"], self.writer.get(self.objects(collection), {"added_after": cut}).ids)

    def test_bearer_token(self):
        self.subject.need("users")
        client = self.subject.client(None).as_("Bearer " + self.subject.new_token("writer"))
        collection, objects = self.filled(1)
        self.assertEqual(client.get(self.objects(collection)).ids, [objects[0]["id"]])

    def test_accept_of_older_versions(self):
        """Issue 4246: `Accept: application/json`. May be refused, but then as a TAXII error."""
        collection, _ = self.filled(1)
        self.assertTaxii(self.writer.get(self.objects(collection), accept="application/json"), 200, 406)


class Misp(Case):
    """TaxiiServer.php: lower-case `basic`, Accept and Content-type on GET, `limit=50&next=` with an empty next."""

    def misp(self):
        raw = f"writer:{self.subject.passwords['writer']}".encode()
        return self.subject.client(None).as_("basic " + base64.b64encode(raw).decode())

    def test_lower_case_basic(self):
        self.assertTaxii(self.misp().get(self.root + "collections/"), 200)

    def test_empty_next_is_the_first_page(self):
        collection, objects = self.filled(60)
        headers = {"Content-type": MEDIA}
        first = self.misp().get(self.objects(collection), "limit=50&next=", headers=headers)
        self.assertEqual(len(first.objects), 50, first)
        rest = self.misp().get(self.objects(collection), f"limit=50&next={first.json()['next']}", headers=headers)
        self.assertEqual(sorted(first.ids + rest.ids), sorted(o["id"] for o in objects))

    def test_double_slash_between_base_and_root(self):
        """URL = baseurl + `/` + api_root + `/collections/`; a base with a slash at its end makes two."""
        for path in ("/" + self.root + "collections/", self.root.rstrip("/") + "//collections/"):
            with self.subTest(path=path):
                self.assertIn("//", path)
                self.assertTaxii(self.misp().get(path), 200)

    def test_push_up_to_max_content_length(self):
        """taxii_push.py packs envelopes by octets up to `max_content_length` (at most 4 MB here)."""
        limit = min(self.writer.get(self.root).json()["max_content_length"], 4_000_000)
        collection, objects, size = self.subject.collection(), [], 20
        while size < limit // (10 if self.subject.name == "medallion" else 1) - 4096:
            made = stix.indicator(description="x" * 2000)
            objects.append(made)
            size += 2700
        status = self.put(collection, objects)
        self.assertEqual(status["success_count"], len(objects))


class Sentinel(Case):
    """Microsoft Sentinel: pull only, API root URL and collection id, Basic; polls with added_after and follows next."""

    def test_polling(self):
        collection, objects = self.filled(25)
        root = self.writer.get(self.root)
        self.assertTaxii(root, 200)
        self.assertTaxii(self.writer.get(self.of(collection)), 200)
        got = [i for page in self.walk(collection, {"limit": 10}) for i in page.ids]
        self.assertEqual(sorted(got), sorted(o["id"] for o in objects))
        last = self.writer.get(self.objects(collection), {"limit": 100}).header(LAST)
        quiet = self.writer.get(self.objects(collection), {"added_after": last})
        self.assertEqual(quiet.objects, [])

    def test_many_objects_of_one_post_have_their_own_dates(self):
        collection, _ = self.filled(40)
        dates = [e["date_added"] for e in self.writer.get(self.of(collection, "manifest"), {"limit": 100}).json()["objects"]]
        self.assertEqual(len(set(dates)), 40)


class CcTaxii(Case):
    """cc-taxii2-client: `limit=1000`, follows `next`; an envelope with any other property is taken for a broken connection."""

    def test_envelope_has_only_its_three_properties(self):
        collection, _ = self.filled(3)
        for query in ({"limit": 1000}, {"limit": 2}):
            body = self.writer.get(self.objects(collection), query).json()
            self.assertLessEqual(set(body), {"objects", "more", "next"})

    def test_objects_never_missing_when_more(self):
        collection, _ = self.filled(3)
        first = self.writer.get(self.objects(collection), {"limit": 2})
        self.assertTrue(first.json()["more"])
        self.assertTrue(first.header(FIRST))


class Requests(Case):
    """HTTP libraries in general."""

    def test_gzip_answers(self):
        import gzip

        collection, objects = self.filled(20)
        plain = self.writer.get(self.objects(collection))
        packed = self.writer.get(self.objects(collection), headers={"Accept-Encoding": "gzip, deflate"})
        self.assertEqual(packed.status, 200)
        body = gzip.decompress(packed.body) if packed.header("Content-Encoding") == "gzip" else packed.body
        self.assertEqual(body, plain.body)
        if self.subject.name == "comity":
            self.assertEqual(packed.header("Content-Encoding"), "gzip")
            self.assertLess(len(packed.body), len(plain.body))

    def test_query_brackets_escaped_or_not(self):
        collection, objects = self.filled(2)
        for query in ("match%5Bid%5D=", "match[id]="):
            self.assertEqual(self.writer.get(self.objects(collection), query + objects[1]["id"]).ids, [objects[1]["id"]])
        comma = f"match%5Bid%5D={objects[0]['id']}%2C{objects[1]['id']}"
        self.assertEqual(len(self.writer.get(self.objects(collection), comma).objects), 2)

    def test_head_is_like_get_without_body(self):
        answer = self.writer.request("HEAD", "/taxii2/")
        self.assertIn(answer.status, (200, 405))
        self.assertEqual(answer.body, b"")
