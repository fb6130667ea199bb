"""The rows of the TAXII 2.1 interoperability test document (persona TAXII Server), named after its sections.

39 mandatory rows and 5 optional tiers of filters. The document's own client persona is played by this suite.
"""

import uuid

from support import stix, subject
from support.taxii import basic

from .base import FIRST, HEADER_TIME, LAST, UUID4, Case


class Authentication(Case):
    def test_interop_3_1_1_missing_authorization(self):
        answer = self.subject.client(None).get(self.root + "collections/")
        self.assertError(answer, 401)
        self.assertIsNotNone(answer.header("WWW-Authenticate"))

    def test_interop_3_1_2_wrong_authorization(self):
        for wrong in (basic("writer", "wrong"), basic("nobody-here", "x"), "Basic !!!", "Bearer nonsense", "Digest x=1"):
            with self.subTest(wrong=wrong):
                answer = self.subject.client(None).intruder(wrong).get(self.root + "collections/")
                self.assertError(answer, 401)
                self.assertIsNotNone(answer.header("WWW-Authenticate"))

    def test_interop_3_1_3_certificate(self):
        node = subject.over_tls()
        client = node.robot_client()
        listed = client.get(node.root + "collections/").json()["collections"]
        self.assertEqual({c["id"] for c in listed}, set(node.robot_collections))
        path = f"{node.root}collections/{node.robot_collections[0]}/objects/"
        self.assertEqual(client.post(path, stix.envelope([made := stix.indicator()])).status, 202)
        self.assertEqual(client.get(path).ids, [made["id"]])
        self.assertError(node.client(None).get(path), 401)
        try:
            answer = node.robot_client(node.unknown).get(path)
        except OSError:
            return  # an unknown certificate may already end the handshake
        self.assertError(answer, 401)

    def test_interop_3_1_4_basic(self):
        self.assertTaxii(self.writer.get(self.root + "collections/"), 200)


class Discovery(Case):
    def test_interop_3_2_1_discovery(self):
        answer = self.writer.get("/taxii2/")
        self.assertTaxii(answer, 200)
        body = answer.json()
        self.assertTrue(body["title"])
        self.assertTrue(body["api_roots"])
        self.assertIn(body["default"], body["api_roots"])

    def test_interop_3_3_1_api_root(self):
        answer = self.writer.get(self.root)
        self.assertTaxii(answer, 200)
        self.assertLessEqual({"title", "versions", "max_content_length"}, set(answer.json()))

    def test_interop_3_3_2_wrong_api_root(self):
        self.assertError(self.writer.get("/incorrect-api-root/"), 404)


class Collections(Case):
    def permissions(self, collection):
        if not collection:
            self.skipTest("the subject has no such collection")
        one = self.writer.get(self.of(collection)).json()
        return one["can_read"], one["can_write"]

    def test_interop_3_4_1_collections(self):
        body = self.writer.get(self.root + "collections/").json()
        for one in body["collections"]:
            self.assertLessEqual({"id", "title", "can_read", "can_write"}, set(one))

    def test_interop_3_5_1_1_write_only_collection(self):
        self.assertEqual(self.permissions(self.subject.write_only), (False, True))

    def test_interop_3_5_1_2_read_write_collection(self):
        self.assertEqual(self.permissions(self.subject.collection()), (True, True))

    def test_interop_3_5_1_3_read_only_collection(self):
        self.assertEqual(self.permissions(self.subject.read_only), (True, False))

    def test_interop_3_5_1_4_no_read_no_write_collection(self):
        if not self.subject.closed:
            self.skipTest("the subject has no such collection")
        answer = self.writer.get(self.of(self.subject.closed))
        if answer.status == 200:
            self.assertEqual((answer.json()["can_read"], answer.json()["can_write"]), (False, False))
        else:  # its existence may be kept from who has no business with it (5.2: 404)
            self.assertError(answer, 403, 404)

    def test_interop_3_5_2_1_read_of_write_only_refused(self):
        self.assertError(self.writer.get(self.objects(self.subject.write_only)), 403, 404)

    def test_interop_3_5_2_2_write_to_read_only_refused(self):
        answer = self.writer.post(self.objects(self.subject.read_only), stix.envelope([stix.indicator()]))
        self.assertError(answer, 403, 404)

    def test_interop_3_5_2_3_delete_forbidden(self):
        target = self.objects(self.subject.read_only) + stix.identifier("indicator") + "/"
        if self.subject.name == "comity":
            self.put(self.subject.read_only, [made := stix.indicator()], who="keeper")
            target = self.objects(self.subject.read_only) + made["id"] + "/"
        self.assertError(self.writer.delete(target), 403)

    def test_interop_3_5_2_4_delete_not_found(self):
        self.assertError(self.writer.delete(self.objects(self.subject.closed) + stix.identifier("indicator") + "/"), 404)

    def test_interop_3_5_3_wrong_collection(self):
        self.assertError(self.writer.get(self.of(str(uuid.uuid4()))), 404)


class Objects(Case):
    def test_interop_3_6_1_manifest(self):
        collection, objects = self.filled(3)
        answer = self.writer.get(self.of(collection, "manifest"))
        self.assertTaxii(answer, 200)
        self.assertEqual(sorted(e["id"] for e in answer.json()["objects"]), sorted(o["id"] for o in objects))
        for entry in answer.json()["objects"]:
            self.assertLessEqual({"id", "date_added", "version"}, set(entry))

    def test_interop_3_7_1_objects(self):
        collection, objects = self.filled(3)
        answer = self.writer.get(self.objects(collection))
        self.assertTaxii(answer, 200)
        self.assertEqual(sorted(answer.objects, key=lambda o: o["id"]), sorted(objects, key=lambda o: o["id"]))
        self.assertRegex(answer.header(FIRST), HEADER_TIME)
        self.assertRegex(answer.header(LAST), HEADER_TIME)

    def test_interop_3_7_2_no_objects(self):
        answer = self.writer.get(self.objects(self.subject.collection()))
        self.assertTaxii(answer, 200)
        self.assertEqual(answer.objects, [])

    def test_interop_3_8_1_object(self):
        collection, objects = self.filled(2)
        answer = self.writer.get(self.objects(collection) + objects[1]["id"] + "/")
        self.assertTaxii(answer, 200)
        self.assertEqual(answer.objects, [objects[1]])

    def test_interop_3_8_2_object_not_found(self):
        collection, _ = self.filled(1)
        self.assertError(self.writer.get(self.objects(collection) + stix.identifier("malware") + "/"), 404)

    def test_interop_3_9_1_versions(self):
        collection, (made,) = self.filled(1)
        answer = self.writer.get(self.objects(collection) + made["id"] + "/versions/")
        self.assertTaxii(answer, 200)
        self.assertEqual(answer.json()["versions"], [made["modified"]])

    def test_interop_3_10_1_add_objects(self):
        collection = self.subject.collection()
        answer = self.writer.post(self.objects(collection), stix.envelope([stix.indicator(), stix.malware()]))
        self.assertTaxii(answer, 202)
        self.assertEqual(answer.json()["total_count"], 2)

    def test_interop_3_11_1_status(self):
        status = self.put(self.subject.collection(), [stix.indicator()])
        answer = self.writer.get(f"{self.root}status/{status['id']}/")
        self.assertTaxii(answer, 200)
        self.assertEqual(answer.json()["id"], status["id"])

    def test_interop_3_11_2_status_with_all_properties(self):
        self.subject.need("strict")
        good, bad = stix.indicator(), stix.indicator(pattern="[not a pattern")
        posted = self.put(self.subject.collection(), [good, bad], expect_failures=1)
        body = self.writer.get(f"{self.root}status/{posted['id']}/").json()
        self.assertRegex(body["id"], UUID4)
        self.assertRegex(body["request_timestamp"], HEADER_TIME)
        self.assertEqual([d["id"] for d in body["successes"]], [good["id"]])
        self.assertEqual([d["id"] for d in body["failures"]], [bad["id"]])
        self.assertTrue(body["failures"][0]["message"])
        self.assertEqual((body["total_count"], body["success_count"], body["failure_count"], body["pending_count"]),
                         (2, 1, 1, 0))
        self.assertNotIn("pendings", body)  # an empty list may not be there (section 2)

    def test_interop_3_12_1_delete(self):
        self.subject.need("deletion")
        collection, (made, kept) = self.filled(2)
        self.assertEqual(self.writer.delete(self.objects(collection) + made["id"] + "/").status, 200)
        self.assertEqual(self.writer.get(self.objects(collection)).ids, [kept["id"]])


class Filters(Case):
    """3.13.1: one stage for all ten."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stage = None

    def setUp(self):
        super().setUp()
        if Filters.stage is None:
            collection = self.subject.collection()
            a = stix.indicator()
            row = [a, stix.version_of(a, 60), stix.malware(), stix.identity()]
            for made in row:
                self.put(collection, [made])
            Filters.stage = collection, row
        self.collection, (self.first, self.last, self.malware, self.identity) = Filters.stage

    def got(self, query):
        answer = self.writer.get(self.objects(self.collection), query)
        self.assertTaxii(answer, 200)
        return [(o["id"], o["modified"]) for o in answer.objects]

    @staticmethod
    def named(*objects):
        return [(o["id"], o["modified"]) for o in objects]

    def test_interop_3_13_1_1_added_after(self):
        first = self.writer.get(self.objects(self.collection), {"limit": 1}).header(LAST)
        self.assertEqual(self.got({"added_after": first}), self.named(self.malware, self.identity))

    def test_interop_3_13_1_2_limit(self):
        self.assertEqual(self.got({"limit": 2}), self.named(self.last, self.malware))

    def test_interop_3_13_1_3_match_id(self):
        self.assertEqual(self.got({"match[id]": self.malware["id"]}), self.named(self.malware))

    def test_interop_3_13_1_4_match_type(self):
        self.assertEqual(self.got({"match[type]": "identity"}), self.named(self.identity))

    def test_interop_3_13_1_5_match_version(self):
        self.assertEqual(self.got({"match[version]": self.first["modified"]}), self.named(self.first))
        self.assertEqual(self.got({"match[version]": "all"}),
                         self.named(self.first, self.last, self.malware, self.identity))

    def test_interop_3_13_1_6_match_spec_version(self):
        self.assertEqual(self.got({"match[spec_version]": "2.1"}), self.named(self.last, self.malware, self.identity))

    def test_interop_3_13_1_7_logical_or(self):
        self.assertEqual(self.got({"match[type]": "indicator,malware"}), self.named(self.last, self.malware))

    def test_interop_3_13_1_8_logical_and(self):
        self.assertEqual(self.got({"match[type]": "indicator", "match[id]": self.last["id"]}), self.named(self.last))
        self.assertEqual(self.got({"match[type]": "malware", "match[id]": self.last["id"]}), [])

    def test_interop_3_13_1_9_logical_or_and_and(self):
        query = {"match[type]": "indicator,identity", "match[id]": f"{self.malware['id']},{self.identity['id']}"}
        self.assertEqual(self.got(query), self.named(self.identity))

    def test_interop_3_13_1_10_duplicate_parameter(self):
        answer = self.writer.get(self.objects(self.collection), "match[type]=indicator&match[type]=malware")
        self.assertError(answer, 400)

    # --- 3.13.2: the optional tiers. A server without them may ignore or refuse the field (TAXII 3.4), never fail.

    def tier(self, *queries):
        """Each is a query and what it selects: a server gives exactly that, or ignores the field and gives everything."""
        for query, selected in queries:
            with self.subTest(query=query):
                answer = self.writer.get(self.objects(self.collection), query)
                if answer.status == 200:
                    self.assertTaxii(answer, 200)
                    everything = set(self.named(self.last, self.malware, self.identity))
                    got = {(o["id"], o["modified"]) for o in answer.objects}
                    self.assertIn(got, (everything, set(self.named(*selected))))
                else:
                    self.assertError(answer, 400)

    def test_interop_3_13_2_tier_1_filters(self):
        self.tier(({"match[name]": self.malware["name"]}, [self.malware]),
                  ({"match[created_by_ref]": self.identity["id"]}, []), ({"match[labels]": "x"}, []))

    def test_interop_3_13_2_tier_2_filters(self):
        everything = [self.last, self.malware, self.identity]
        self.tier(({"match[confidence]": "50"}, []), ({"match[revoked]": "false"}, everything),
                  ({"match[malware_types]": "trojan"}, [self.malware]))

    def test_interop_3_13_2_tier_3_filters(self):
        self.tier(({"match[value]": "198.51.100.7"}, []), ({"match[external_id]": "T1059"}, []), ({"match[SHA-256]": "00"}, []))

    def test_interop_3_13_2_relationship_filters(self):
        self.tier(({"match[relationships-all]": self.malware["id"]}, []), ({"match[relationships-type]": "indicates"}, []))

    def test_interop_3_13_2_calculation_filters(self):
        everything = [self.last, self.malware, self.identity]
        self.tier(({"match[confidence-gte]": "10"}, []), ({"match[modified-gte]": "2020-01-01T00:00:00Z"}, everything))


class Rest(Case):
    def test_interop_3_14_1_pagination(self):
        collection, objects = self.filled(12)
        pages = self.walk(collection, {"limit": 5})
        self.assertEqual([len(p.objects) for p in pages], [5, 5, 2])
        self.assertEqual(sorted(i for p in pages for i in p.ids), sorted(o["id"] for o in objects))
        self.assertFalse(pages[-1].json().get("more", False))

    def test_interop_3_15_1_custom_properties(self):
        collection, made = self.subject.collection(), stix.indicator()
        answer = self.writer.post(self.objects(collection), stix.envelope([made], x_acme_priority=4))
        if answer.status == 202:
            self.assertEqual(answer.json()["total_count"], 1)
        else:
            self.assertError(answer, 422)
