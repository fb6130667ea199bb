"""stix2 from PyPI: TAXIICollectionSource and TAXIICollectionSink, unmodified."""

import unittest

from conformance.base import Case
from support import stix, subject

import stix2
from stix2 import Filter, TAXIICollectionSink, TAXIICollectionSource, TAXIICollectionStore
from taxii2client.v21 import Collection


class StoreExchange:
    node = None

    def options(self):
        return {"user": "writer", "password": self.node.passwords["writer"]}

    def fresh(self):
        return self.node.collection()

    def open(self):
        return Collection(self.node.base + self.node.root + f"collections/{self.fresh()}/", **self.options())

    def test_sink_then_source(self):
        collection = self.open()
        sink, source = TAXIICollectionSink(collection), TAXIICollectionSource(collection)
        made = stix2.Indicator(name="beacon", pattern="[ipv4-addr:value = '198.51.100.3']", pattern_type="stix")
        sink.add(made)
        self.assertEqual(source.get(made.id), made)
        sink.add(stix2.Bundle(stix2.Malware(name="loader", is_family=False), stix2.Identity(name="a", identity_class="group")))
        self.assertEqual({o.type for o in source.query()}, {"indicator", "malware", "identity"})

    def test_query_by_type_and_all_versions(self):
        collection = self.open()
        store = TAXIICollectionStore(collection)
        made = stix2.Indicator(name="one", pattern="[domain-name:value = 'h.example']", pattern_type="stix")
        later = made.new_version(name="two")
        store.add([made, later, stix2.Malware(name="m", is_family=True)])
        self.assertEqual(store.get(made.id).name, "two")
        self.assertEqual([v.name for v in sorted(store.all_versions(made.id), key=lambda v: v.modified)], ["one", "two"])
        found = store.query([Filter("type", "=", "indicator")])
        self.assertEqual({o.id for o in found}, {made.id})

    def test_limit_of_5000_is_lowered_not_refused(self):
        """The source asks for `limit=5000` and follows `next`."""
        collection = self.open()
        objects = stix.indicators(120)
        collection.add_objects(stix.envelope(objects), wait_for_completion=True)
        found = TAXIICollectionSource(collection).query([Filter("type", "=", "indicator")])
        self.assertEqual(len(found), 120)


class OverBasic(StoreExchange, Case):
    def setUp(self):
        super().setUp()
        self.node = self.subject


class OverCertificate(StoreExchange, unittest.TestCase):
    def setUp(self):
        self.node = subject.over_tls()

    def fresh(self):
        return self.node.robot_collections.pop()

    def options(self):
        return {"cert": (self.node.robot.cert, self.node.robot.key), "verify": False}
