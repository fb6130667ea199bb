"""Rows 56-67 of the checklist: add, get one, delete, versions, custom properties, transport."""

import json
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from support import stix, subject
from support.certificates import openssl

from .base import FIRST, LAST, Case


class Adding(Case):
    def test_row56_s5_5_add_answers_202_with_a_status(self):
        collection, made = self.subject.collection(), stix.indicator()
        answer = self.writer.post(self.objects(collection), stix.envelope([made]))
        self.assertTaxii(answer, 202)
        self.assertIn("id", answer.json())
        self.assertIn(answer.json()["status"], ("complete", "pending"))
        self.assertSameObject(self.writer.get(self.objects(collection)).objects[0], made)

    def test_row57_s5_5_exact_duplicate_is_no_error(self):
        collection, made = self.subject.collection(), stix.indicator()
        self.put(collection, [made])
        self.put(collection, [made])
        # the same object with its properties in another order is the same object (STIX 3.6)
        self.put(collection, [dict(reversed(list(made.items())))])
        self.assertEqual(self.writer.get(self.objects(collection), {"match[version]": "all"}).ids, [made["id"]])

    def test_row58_s5_5_malformed_or_unsupported_content(self):
        collection = self.subject.collection()
        for body, statuses in ((b"{", (400, 422)), (b"", (400, 411, 422)), (b"[]", (400, 422)), (b'"x"', (400, 422)),
                               (b'{"objects": {}}', (400, 422)), (b'{"objects": [1]}', (400, 422, 202)),
                               (b'{"objects": []}', (400, 422))):
            with self.subTest(body=body):
                answer = self.writer.post(self.objects(collection), body)
                if answer.status == 202:
                    self.assertEqual(answer.json()["success_count"], 0)
                else:
                    self.assertError(answer, *statuses)
        self.assertNotIn("objects", self.writer.get(self.objects(collection)).json())

    def test_row59_s5_6_get_object(self):
        collection, made = self.subject.collection(), stix.indicator()
        later = stix.version_of(made, 60)
        self.put(collection, [made])
        self.put(collection, [later])
        path = self.objects(collection) + made["id"] + "/"
        times = lambda query: [o["modified"] for o in self.writer.get(path, query).objects]
        self.assertEqual(times({}), [later["modified"]])
        self.assertEqual(times({"match[version]": "all"}), [made["modified"], later["modified"]])
        self.assertEqual(times({"match[version]": "first"}), [made["modified"]])
        self.assertEqual(times({"match[version]": made["modified"]}), [made["modified"]])
        self.assertEqual(times({"match[spec_version]": "2.1"}), [later["modified"]])
        page = self.writer.get(path, {"match[version]": "all", "limit": 1})
        self.assertEqual([o["modified"] for o in page.objects], [made["modified"]])
        self.assertIs(page.json()["more"], True)
        rest = self.writer.get(path, {"match[version]": "all", "limit": 1, "next": page.json()["next"]})
        self.assertEqual([o["modified"] for o in rest.objects], [later["modified"]])
        after = self.writer.get(path, {"match[version]": "all", "added_after": page.header(LAST)})
        self.assertEqual([o["modified"] for o in after.objects], [later["modified"]])
        for unknown in (stix.identifier("indicator"), "indicator--not-a-uuid", "nonsense"):
            with self.subTest(unknown=unknown):
                self.assertError(self.writer.get(self.objects(collection) + unknown + "/"), 404, 400)
        self.assertError(self.writer.get(self.objects(collection) + stix.identifier("indicator") + "/"), 404)


class Deleting(Case):
    def setUp(self):
        super().setUp()
        self.subject.need("deletion")

    def test_row60_s5_7_deleted_is_gone_everywhere(self):
        collection, (made, kept) = self.filled(2)
        path = self.objects(collection) + made["id"] + "/"
        self.assertEqual(self.writer.delete(path).status, 200)
        self.assertError(self.writer.get(path), 404)
        self.assertIn(self.writer.get(path + "versions/").status, (404, 200))
        for query in ({}, {"match[version]": "all"}, {"match[id]": f"{made['id']},{kept['id']}"}):
            self.assertEqual(self.writer.get(self.objects(collection), query).ids, [kept["id"]])
            self.assertEqual(self.writer.get(self.of(collection, "manifest"), query).ids, [kept["id"]])

    def test_row61_s5_7_delete_unknown_object(self):
        collection, (made,) = self.filled(1)
        unknown = self.objects(collection) + stix.identifier("indicator") + "/"
        self.assertError(self.writer.delete(unknown), 404)
        path = self.objects(collection) + made["id"] + "/"
        self.assertError(self.writer.delete(path, {"match[version]": "2001-01-01T00:00:00.000Z"}), 404)
        self.assertEqual(self.writer.delete(path).status, 200)
        self.assertError(self.writer.delete(path), 404)

    def test_row62_s5_7_delete_one_version(self):
        collection, made = self.subject.collection(), stix.indicator()
        row = [made, stix.version_of(made, 60), stix.version_of(made, 120)]
        self.put(collection, row)
        path = self.objects(collection) + made["id"] + "/"
        self.assertEqual(self.writer.delete(path, {"match[version]": row[1]["modified"]}).status, 200)
        left = [o["modified"] for o in self.writer.get(path, {"match[version]": "all"}).objects]
        self.assertEqual(left, [row[0]["modified"], row[2]["modified"]])
        self.assertEqual(self.writer.delete(path, {"match[version]": "last"}).status, 200)
        self.assertEqual([o["modified"] for o in self.writer.get(path).objects], [row[0]["modified"]])


class Versions(Case):
    def test_row63_s5_8_1_versions(self):
        collection, made = self.subject.collection(), stix.indicator()
        row = [made, stix.version_of(made, 60), stix.version_of(made, 120)]
        for version in row:
            self.put(collection, [version])
        path = self.objects(collection) + made["id"] + "/versions/"
        answer = self.writer.get(path)
        self.assertTaxii(answer, 200)
        self.assertEqual(answer.json()["versions"], [v["modified"] for v in row])
        self.assertIsNotNone(answer.header(FIRST))
        self.assertIsNotNone(answer.header(LAST))
        page = self.writer.get(path, {"limit": 2})
        self.assertEqual(page.json()["versions"], [v["modified"] for v in row[:2]])
        self.assertIs(page.json()["more"], True)
        self.assertEqual(self.writer.get(path, {"limit": 2, "next": page.json()["next"]}).json()["versions"],
                         [row[2]["modified"]])
        unknown = self.writer.get(self.objects(collection) + stix.identifier("indicator") + "/versions/")
        self.assertIn(unknown.status, (200, 404))
        if unknown.status == 200:
            self.assertNotIn("versions", unknown.json())


class Custom(Case):
    def test_row64_s7_1_1_custom_properties_ignored_or_422(self):
        collection, made = self.subject.collection(), stix.indicator()
        answer = self.writer.post(self.objects(collection), stix.envelope([made], x_campaign="winter", x_nested={"a": [1]}))
        self.assertIn(answer.status, (202, 422), answer)
        if answer.status == 202:
            self.assertEqual(self.writer.get(self.objects(collection)).ids, [made["id"]])

    def test_row64_stix_11_custom_content_comes_back_as_it_went(self):
        self.subject.need("strict")
        collection = self.subject.collection()
        made = stix.indicator(x_example_number=12345678901234567890, x_example_text="Ґ \u2028 \U0001f980",
                              x_example_tree={"b": [1.10, 1e3], "a": None})
        self.put(collection, [made])
        self.assertSameObject(self.writer.get(self.objects(collection)).objects[0], made)
        raw = json.dumps(made).encode()
        self.assertIn(raw, self.writer.get(self.objects(collection)).body, "the bytes are kept as they came")


class Transport(Case):
    def test_row65_s8_2_2_tls_versions_and_certificates(self):
        node = subject.over_tls()
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            client = node.client("writer")
            client.context.minimum_version, client.context.maximum_version = version, version
            try:
                with self.subTest(version=version):
                    self.assertTaxii(client.get("/taxii2/"), 200)
            finally:
                client.close()
                client.context.minimum_version, client.context.maximum_version = (
                    ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.MAXIMUM_SUPPORTED)
        self.assertTaxii(node.robot_client().get("/taxii2/"), 200)
        at = urlsplit(node.base).netloc
        old = self._handshake(at, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        self.assertNotIn("Cipher is ECDHE", old)
        early = self._handshake(at, "-tls1_3")
        self.assertIn("TLSv1.3", early, "there was a handshake to speak of")
        self.assertNotRegex(early, r"Max Early Data: [1-9]", "0-RTT must not be offered")

    @staticmethod
    def _handshake(at, *options):
        import subprocess

        done = subprocess.run(["openssl", "s_client", "-ign_eof", "-connect", at, *options], timeout=20, capture_output=True,
                              input=b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return (done.stdout + done.stderr).decode("utf-8", "replace")

    def test_row66_s8_2_1_no_user_agent(self):
        self.assertTaxii(self.writer.get("/taxii2/", headers={"User-Agent": None}), 200)
        self.assertTaxii(self.writer.get(self.root + "collections/", headers={"User-Agent": ""}), 200)

    def test_row67_s3_9_srv_service_name(self):
        self.subject.need("certificates")
        # the record is the operator's to publish; the guide must give its name exactly
        pages = [p for p in (subject.ROOT / "docs").rglob("*.md")] + [subject.ROOT / "README.md"]
        texts = "".join(p.read_text() for p in pages if p.exists() and p.name != "CONFORMANCE.md")
        self.assertIn("_taxii2._tcp", texts)
