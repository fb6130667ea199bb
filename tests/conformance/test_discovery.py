"""Rows 1-24 of the checklist: discovery, content negotiation, errors, permissions, API root, status."""

import uuid

from support import stix
from support.taxii import MEDIA, basic

from .base import UUID4, Case


class Discovery(Case):
    def test_row01_s4_1_discovery_at_taxii2(self):
        self.assertTaxii(self.writer.get("/taxii2/"), 200)

    def test_row02_s3_1_paths_end_in_slash(self):
        found = self.writer.get("/taxii2/").json()
        for url in [found.get("default", "/")] + found.get("api_roots", []):
            self.assertTrue(url.endswith("/"), url)
        # without the slash: either the resource is not there or the client is sent to it
        self.assertIn(self.writer.get("/taxii2").status, (301, 307, 308, 404))

    def test_row16_s4_1_1_discovery_title_and_default_of_api_roots(self):
        found = self.writer.get("/taxii2/").json()
        self.assertIsInstance(found["title"], str)
        self.assertIn(found["default"], found["api_roots"])

    def test_row17_s4_1_1_api_root_urls(self):
        for url in self.writer.get("/taxii2/").json()["api_roots"]:
            self.assertNotIn("?", url)
            # plain http only because this test runs on loopback without TLS
            self.assertRegex(url, r"^(https?://[^/]+/|/[^/])")

    def test_row18_s4_2_1_api_root_information(self):
        body = self.writer.get(self.root).json()
        self.assertIsInstance(body["title"], str)
        self.assertIn(MEDIA, [v.replace(" ", "") for v in body["versions"]])
        self.assertIsInstance(body["max_content_length"], int)

    def test_row19_s4_2_1_max_content_length_is_kept(self):
        limit = self.writer.get(self.root).json()["max_content_length"]
        self.assertGreater(limit, 0)
        collection = self.subject.collection()
        self.put(collection, [stix.indicator()])
        self.subject.need("limits")
        # blanks between the tokens count as octets of the body but not as content
        head, tail = b'{"objects":', self._one_object() + b"}"
        exact = head + b" " * (limit - len(head) - len(tail)) + tail
        self.assertEqual(self.writer.post(self.objects(collection), exact).status, 202)
        self.assertError(self.writer.post(self.objects(collection), exact + b" "), 413)

    @staticmethod
    def _one_object():
        import json

        return json.dumps([stix.indicator()]).encode()

    def test_row20_s4_2_unknown_root_collection_status_404(self):
        for path in ("/no-such-root/", "/no-such-root/collections/", self.of(str(uuid.uuid4())),
                     self.objects(str(uuid.uuid4())), f"{self.root}status/{uuid.uuid4()}/"):
            with self.subTest(path=path):
                self.assertError(self.writer.get(path), 404)


class Negotiation(Case):
    def each(self, collection):
        return ["/taxii2/", self.root, self.root + "collections/", self.of(collection), self.objects(collection),
                self.of(collection, "manifest")]

    def test_row03_s3_1_content_type_of_success(self):
        collection, objects = self.filled(2)
        paths = self.each(collection) + [self.of(collection, "objects", objects[0]["id"]),
                                         self.of(collection, "objects", objects[0]["id"], "versions")]
        for path in paths:
            with self.subTest(path=path):
                self.assertTaxii(self.writer.get(path), 200)

    def test_row04_s3_1_accept_without_version_is_not_406(self):
        collection, _ = self.filled(1)
        for path in self.each(collection):
            with self.subTest(path=path):
                self.assertTaxii(self.writer.get(path, accept="application/taxii+json"), 200)

    def test_row05_s3_1_accept_among_others_is_not_406(self):
        collection, _ = self.filled(1)
        for accept in ("application/taxii+json; version=2.1", "text/html, application/taxii+json;version=2.1;q=0.5",
                       "application/taxii+json ; version=2.1 , */*;q=0.1", 'application/taxii+json;version="2.1"',
                       "Application/TAXII+JSON;Version=2.1"):
            with self.subTest(accept=accept):
                self.assertTaxii(self.writer.get(self.objects(collection), accept=accept), 200)

    def test_row06_s5_3_accept_with_stix_type_on_manifest(self):
        collection, _ = self.filled(1)
        both = "application/taxii+json;version=2.1,application/stix+json;version=2.1"
        self.assertTaxii(self.writer.get(self.of(collection, "manifest"), accept=both), 200)

    def test_row07_s3_1_undefined_accept_is_served_or_406(self):
        for accept in ("text/html", "application/json", "application/taxii+json;version=9.9"):
            with self.subTest(accept=accept):
                answer = self.writer.get("/taxii2/", accept=accept)
                self.assertTaxii(answer, 200, 406)
        # no Accept at all and */* take anything (RFC 9110 section 12.5.1)
        self.assertTaxii(self.writer.get("/taxii2/", accept=None), 200)
        self.assertTaxii(self.writer.get("/taxii2/", accept="*/*"), 200)

    def test_row08_s3_1_post_content_type(self):
        collection = self.subject.collection()
        for kind in (MEDIA, "application/taxii+json", "application/taxii+json; version=2.1"):
            with self.subTest(kind=kind):
                answer = self.writer.post(self.objects(collection), stix.envelope([stix.indicator()]), content_type=kind)
                self.assertEqual(answer.status, 202, answer)
        answer = self.writer.post(self.objects(collection), stix.envelope([stix.indicator()]), content_type="text/plain")
        self.assertIn(answer.status, (202, 415), answer)


class Errors(Case):
    def some(self):
        """Errors of several kinds and endpoints."""
        collection, _ = self.filled(1)
        yield "unknown root", self.writer.get("/no-such-root/")
        yield "unknown collection", self.writer.get(self.objects(str(uuid.uuid4())))
        yield "unknown object", self.writer.get(self.of(collection, "objects", stix.identifier("indicator")))
        yield "limit", self.writer.get(self.objects(collection), "limit=0")
        yield "added_after", self.writer.get(self.objects(collection), "added_after=yesterday")
        yield "body", self.writer.post(self.objects(collection), b"{")
        yield "method", self.writer.request("PATCH", self.objects(collection))
        yield "method on discovery", self.writer.request("POST", "/taxii2/", body=b"{}")
        yield "no credentials", self.subject.client(None).get(self.root)
        yield "not acceptable", self.writer.get(self.root, accept="text/html")

    def test_row09_s3_6_1_error_has_title(self):
        for what, answer in self.some():
            with self.subTest(what=what):
                if answer.status >= 400 and answer.body:
                    self.assertIsInstance(answer.json()["title"], str)

    def test_row10_s3_6_1_http_status_is_the_status_as_text(self):
        for what, answer in self.some():
            with self.subTest(what=what):
                if answer.status >= 400 and answer.body and "http_status" in answer.json():
                    self.assertEqual(answer.json()["http_status"], str(answer.status))

    def test_row11_s5_errors_carry_the_taxii_type(self):
        for what, answer in self.some():
            with self.subTest(what=what):
                self.assertTaxii(answer, 200, 400, 401, 404, 405, 406, 422)

    def test_row12_s1_6_9_missing_or_bad_credentials(self):
        collection, objects = self.filled(1)
        path = self.objects(collection)
        nobody, wrong = self.subject.client(None), basic("writer", "not the password")
        each = [("GET", "/taxii2/"), ("GET", self.root), ("GET", self.root + "collections/"), ("GET", self.of(collection)),
                ("GET", path), ("POST", path), ("GET", self.of(collection, "manifest")),
                ("GET", path + objects[0]["id"] + "/"), ("DELETE", path + objects[0]["id"] + "/"),
                ("GET", path + objects[0]["id"] + "/versions/"), ("GET", f"{self.root}status/{uuid.uuid4()}/")]
        for name in ("none", "wrong"):
            for method, target in each:
                client = nobody if name == "none" else nobody.intruder(wrong)
                with self.subTest(credentials=name, method=method, target=target):
                    body = stix.envelope([stix.indicator()]) if method == "POST" else None
                    answer = client.request(method, target, body=body)
                    # discovery may be open to all (4.1 lists 401 but does not demand authentication)
                    allowed = (200, 401, 404) if target == "/taxii2/" and name == "none" else (401, 404)
                    self.assertTaxii(answer, *allowed)
                    if answer.status == 401:
                        self.assertIsNotNone(answer.header("WWW-Authenticate"))
        self.assertEqual(self.writer.get(path).ids, [objects[0]["id"]])


class Permissions(Case):
    def stage(self, collection):
        """One object in a collection `writer` may not write, put there by `keeper`."""
        if not collection:
            self.skipTest("the subject has no such collection")
        made = stix.indicator()
        if self.subject.name == "comity":
            self.put(collection, [made], who="keeper")
        return made

    def reads(self, collection, made):
        path = self.objects(collection)
        return [path, path + made["id"] + "/", path + made["id"] + "/versions/", self.of(collection, "manifest")]

    def test_row13_s5_3_can_read_false(self):
        for collection in (self.subject.write_only, self.subject.closed):
            made = self.stage(collection)
            for path in self.reads(collection, made):
                with self.subTest(path=path):
                    self.assertError(self.writer.get(path), 403, 404)

    def test_row14_s5_5_can_write_false(self):
        for collection in (self.subject.read_only, self.subject.closed):
            self.stage(collection)
            answer = self.writer.post(self.objects(collection), stix.envelope([stix.indicator()]))
            with self.subTest(collection=collection):
                self.assertError(answer, 403, 404)

    def test_row15_s5_7_delete_by_permission(self):
        for collection, status in ((self.subject.closed, 404), (self.subject.read_only, 403), (self.subject.write_only, 403)):
            made = self.stage(collection)
            with self.subTest(status=status):
                self.assertError(self.writer.delete(self.objects(collection) + made["id"] + "/"), status)


class Status(Case):
    def test_row21_s4_3_status_answers_later(self):
        collection = self.subject.collection()
        status = self.put(collection, [stix.indicator()])
        self.assertTaxii(self.writer.get(f"{self.root}status/{status['id']}/"), 200)
        # the 24 hours themselves are a test of the node with a clock in its hand
        self.assertError(self.writer.get(f"{self.root}status/{uuid.uuid4()}/"), 404)

    def test_row22_s4_3_1_status_properties(self):
        body = self.put(self.subject.collection(), stix.indicators(3))
        self.assertRegex(body["id"], UUID4)
        self.assertIn(body["status"], ("complete", "pending"))
        for count in ("total_count", "success_count", "failure_count", "pending_count"):
            self.assertGreaterEqual(body[count], 0)

    def test_row23_s4_3_1_status_counts(self):
        collection = self.subject.collection()
        for size in (1, 7):
            body = self.put(collection, stix.indicators(size))
            self.assertEqual(body["total_count"], size)
            self.assertEqual(body["success_count"] + body["failure_count"] + body["pending_count"], size)
        if "strict" in self.subject.can:
            good, bad = stix.indicator(), stix.indicator()
            del bad["pattern"]
            body = self.put(collection, [good, bad], expect_failures=1)
            self.assertEqual((body["total_count"], body["success_count"], body["failure_count"]), (2, 1, 1))

    def test_row24_s4_3_1_status_details(self):
        collection = self.subject.collection()
        marking, address, made = stix.statement_marking(), stix.address(), stix.indicator()
        later = stix.version_of(made, 60)
        body = self.put(collection, [marking, address, made, later])
        details = body.get("successes")
        if details is None:
            self.skipTest("the subject gives no details, which is its right")
        self.assertEqual(len(details), body["success_count"])
        versions = {(d["id"], d.get("version")) for d in details}
        self.assertIn((marking["id"], marking["created"]), versions)
        self.assertIn((made["id"], made["modified"]), versions)
        self.assertIn((later["id"], later["modified"]), versions)
        self.assertIn(address["id"], {d["id"] for d in details})
        for detail in details:
            self.assertTrue(detail["version"], detail)
