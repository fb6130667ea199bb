"""Exchange with other servers by the command line: a medallion from PyPI, and a second node."""

import json
import os
import tempfile
import time
import unittest

from support import stix, subject
from support.subject import Comity, Medallion

CLEAR = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"  # TLP:WHITE of STIX 7.2.1.4, CLEAR since TLP 2.0
WAIT_SECONDS_MAX = 20


def clear(count):
    return stix.indicators(count, object_marking_refs=[CLEAR])


def held(node, collection, client=None):
    """Everything in a collection, by id."""
    client, query, found = client or node.client("writer"), {"limit": 100}, {}
    while True:
        answer = client.get(f"{node.root}collections/{collection}/objects/", query)
        found.update((o["id"], o) for o in answer.objects)
        if not answer.json().get("more"):
            return found
        query["next"] = answer.json()["next"]


class WithMedallion(unittest.TestCase):
    """medallion is the other side: no receipts, no events, plain polling."""

    @classmethod
    def setUpClass(cls):
        if subject.current().name != "comity":
            raise unittest.SkipTest("the subject is not a node")
        cls.other = Medallion(fresh=4).start()
        cls.addClassCleanup(cls.other.close)
        cls.node = subject.current()

    def add_peer(self, name, *options):
        return self.node.run("peer", "add", self.other.base + "/", "--name", name, "--party", "xx", "--dir", self.node.data, "--user", "writer",
                             "--password-stdin", *options, stdin=self.other.passwords["writer"] + "\n")

    def post(self, server, collection, objects):
        answer = server.client("writer").post(f"{server.root}collections/{collection}/objects/", stix.envelope(objects))
        self.assertEqual(answer.status, 202, answer)
        self.assertEqual(answer.json().get("failure_count"), 0, answer)

    def test_pull(self):
        theirs = self.other.collection()
        ours = self.node.add_collection("from-medallion", read="writer", write="writer")
        sent = clear(120)
        self.post(self.other, theirs, sent)
        self.add_peer("med-pull", "--collection", f"{theirs}=from-medallion")
        self.node.run("peer", "pull", "med-pull", "--dir", self.node.data)
        self.assertEqual(held(self.node, ours), {o["id"]: o for o in sent})
        more = clear(5)
        self.post(self.other, theirs, more)
        self.node.run("peer", "pull", "med-pull", "--dir", self.node.data)
        self.assertEqual(held(self.node, ours), {o["id"]: o for o in sent + more})
        again = self.node.run("peer", "pull", "med-pull", "--dir", self.node.data)
        self.assertEqual(len(held(self.node, ours)), 125, again.stdout)

    def test_push(self):
        theirs = self.other.collection()
        ours = self.node.add_collection("to-medallion", read="writer", write="writer")
        self.add_peer("med-push", "--push", f"to-medallion={theirs}")
        sent, kept = clear(60), stix.indicators(3)  # no marking: TLP:AMBER, which must not leave
        self.post(self.node, ours, sent + kept)
        self.node.run("peer", "push", "med-push", "--dir", self.node.data)
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while len(held(self.other, theirs)) < 60 and time.monotonic() < deadline:
            time.sleep(0.2)
        self.assertEqual(held(self.other, theirs), {o["id"]: o for o in sent})
        shown = self.node.run("peer", "show", "med-push", "--dir", self.node.data, "--format", "json").stdout
        self.assertIn("accepted", shown)
        self.assertIn("skipped", shown)
        self.assertTrue(json.loads(shown.splitlines()[-1]))


class TwoNodes(unittest.TestCase):
    """Two nodes over TLS, each knowing the other by the fingerprint people compared by voice."""

    @classmethod
    def setUpClass(cls):
        if subject.current().name != "comity":
            raise unittest.SkipTest("the subject is not a node")
        cls.ua, cls.eu = Comity(tls=True, party="ua", fresh=0), Comity(tls=True, party="eu", fresh=0)
        for node in (cls.ua, cls.eu):
            cls.addClassCleanup(node.close)

    def test_records_cross_the_border(self):
        ua, eu = self.ua, self.eu
        shared = {node.party: node.add_collection("shared", read="writer,everyone", write="writer,party:ua,party:eu") for node in (ua, eu)}
        for node in (ua, eu):
            node.start()
            from support.taxii import trusting

            node.context = trusting()
        for one, other in ((ua, eu), (eu, ua)):
            card = json.loads(other.run("peer", "card", "--dir", other.data, "--format", "json").stdout.splitlines()[-1])
            fingerprint = card["certificate_sha256"].replace(" ", "")
            one.run("peer", "add", other.base + "/", "--fingerprint", fingerprint, "--dir", one.data,
                    "--collection", f"{shared[other.party]}=shared", "--push", f"shared={shared[other.party]}")
        sent = clear(20)
        answer = ua.client("writer").post(f"{ua.root}collections/{shared['ua']}/objects/", stix.envelope(sent))
        self.assertEqual(answer.json()["success_count"], 20, answer)
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while len(held(eu, shared["eu"])) < 20 and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(held(eu, shared["eu"]), {o["id"]: o for o in sent})
        self.receipts(ua, eu, sent)

    def receipts(self, ua, eu, sent):
        """Each record has a receipt of the other side, which somebody else can check without either node."""
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while self.answer(ua, "sent")[0].get("received") != len(sent) and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(self.answer(ua, "sent")[0]["received"], len(sent))
        name = sent[0]["id"]
        with tempfile.TemporaryDirectory() as folder:
            shown = self.answer(ua, "sent", name, "--receipts", folder)
            self.assertEqual([row["state"] for row in shown], ["received"])
            files = sorted(os.listdir(folder))
            self.assertEqual(len(files), 5, files)
            receipt = next(file for file in files if file.endswith(".receipt"))
            card = self.answer(eu, "peer", "card")[0]
            path = lambda file: os.path.join(folder, file)  # noqa: E731
            check = ["receipt", "verify", path(receipt), "--proof", path(receipt.replace(".receipt", ".tlog-proof")), "--record", path("record.json"),
                     "--sent", path("record.tlog-proof"), "--key", card["receipt_key"], "--log-key", card["log_key"]]
            self.assertEqual(self.answer(ua, *check)[0]["name"], "ContentConsignment")
            with open(path(receipt), "a", encoding="utf-8") as file:
                file.write("one line more\n")
            self.assertNotEqual(ua.run(*check, check=False).returncode, 0)
        # an officer there opens it, and the sender learns of it
        eu.run("show", name, "--dir", eu.data)
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while self.answer(ua, "sent", name)[0]["state"] != "opened" and time.monotonic() < deadline:
            time.sleep(0.1)
        self.assertEqual(self.answer(ua, "sent", name)[0]["state"], "opened")

    def answer(self, node, *args):
        """The rows a command gives."""
        done = node.run(*args, "--dir", node.data, "--format", "json", check=False)
        return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
