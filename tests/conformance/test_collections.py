"""Rows 25-30 and 68 of the checklist: collections, and the shape of resources."""

from support import stix

from .base import UUID4, Case


class Collections(Case):
    def listed(self, who="writer"):
        return self.subject.client(who).get(self.root + "collections/")

    def test_row25_s3_3_collections_in_consistent_order(self):
        first, second = self.listed().json()["collections"], self.listed().json()["collections"]
        self.assertEqual(first, second)
        if self.subject.name == "comity":  # interoperability 2.1.7: by id ascending
            ids = [c["id"] for c in first]
            self.assertEqual(ids, sorted(ids))

    def test_row26_s5_1_1_no_collections_is_an_empty_object(self):
        self.subject.need("users")
        answer = self.listed("stranger")
        self.assertTaxii(answer, 200)
        self.assertNotIn("collections", answer.json())

    def test_row27_s5_2_1_collection_properties(self):
        for listed in self.listed().json()["collections"]:
            one = self.writer.get(self.of(listed["id"])).json()
            self.assertEqual(one, listed)
            self.assertIsInstance(one["title"], str)
            self.assertIsInstance(one["can_read"], bool)
            self.assertIsInstance(one["can_write"], bool)
            if "media_types" in one:
                self.assertIn("application/stix+json;version=2.1", one["media_types"])
        expected = {self.subject.read_only: (True, False), self.subject.write_only: (False, True)}
        for collection, permissions in expected.items():
            if collection:
                one = self.writer.get(self.of(collection)).json()
                self.assertEqual((one["can_read"], one["can_write"]), permissions)
        if self.subject.name == "comity":
            one = self.subject.client("keeper").get(self.of(self.subject.read_only)).json()
            self.assertEqual((one["can_read"], one["can_write"]), (True, True), "permissions are per client")

    def test_row28_s5_2_1_alias_is_unique_and_usable(self):
        self.subject.need("alias")
        aliases = [c["alias"] for c in self.listed().json()["collections"] if "alias" in c]
        self.assertEqual(len(aliases), len(set(aliases)))
        made = stix.indicator()
        self.put(self.subject.aliased, [made])
        self.assertEqual(self.writer.get(self.of(self.subject.alias)).json()["id"], self.subject.aliased)
        self.assertIn(made["id"], self.writer.get(self.objects(self.subject.alias), {"match[id]": made["id"]}).ids)
        self.assertEqual(self.writer.get(self.objects(self.subject.alias) + made["id"] + "/").ids, [made["id"]])

    def test_row29_s3_7_envelope_even_for_one_and_empty_without_objects(self):
        collection, objects = self.filled(1)
        self.assertEqual(self.writer.get(self.objects(collection)).ids, [objects[0]["id"]])
        self.assertEqual(self.writer.get(self.objects(collection) + objects[0]["id"] + "/").ids, [objects[0]["id"]])
        empty = self.writer.get(self.objects(self.subject.collection()))
        self.assertTaxii(empty, 200)
        self.assertNotIn("objects", empty.json())
        self.assertFalse(empty.json().get("more", False))

    def test_row30_s2_no_empty_lists(self):
        collection, objects = self.filled(1)
        empty = self.subject.collection()
        path = self.objects(collection) + objects[0]["id"] + "/"
        for target in ("/taxii2/", self.root, self.root + "collections/", self.of(empty), self.objects(empty),
                       self.of(empty, "manifest"), path, path + "versions/", self.objects(collection)):
            with self.subTest(target=target):
                self.assertNotIn(b"[]", self.writer.get(target).body.replace(b" ", b""))
        status = self.put(collection, [stix.indicator()])
        self.assertNotIn("[]", str(status))

    def test_row68_s2_identifiers_are_uuid4(self):
        for listed in self.listed().json()["collections"]:
            self.assertRegex(listed["id"], UUID4)
        self.assertRegex(self.put(self.subject.collection(), [stix.indicator()])["id"], UUID4)
