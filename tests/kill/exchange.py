#!/usr/bin/env python3
"""Kill either of two nodes at random while records cross the border, N rounds, and count what was acknowledged.

A writer posts to UA and notes what UA acknowledged. Each round SIGKILLs UA or EU at a random moment and starts it again at
the same address. At the end both registers pass `comity fsck`, EU holds every acknowledged record exactly once with the
bytes that were sent, UA's own account of the deliveries says so, and UA has one verified receipt for each record EU holds.
"""

import contextlib
import json
import os
import random
import sqlite3
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kill.rounds import Ledger, fsck, write  # noqa: E402
from support.subject import Comity, Process, comity_binary, free_port  # noqa: E402
from support.taxii import trusting  # noqa: E402

ARRIVAL_SECONDS_MAX = 120


class Fixed(Comity):
    """A node over TLS that comes back at the same address."""

    def __init__(self, party):
        super().__init__(tls=True, party=party, fresh=0)
        self.port = free_port()
        self.context = trusting()

    def start(self):
        args = [comity_binary(), "serve", "--dir", str(self.data), "--listen", f"127.0.0.1:{self.port}", *self.extra]
        self.process = Process(args, announce="listening on ", log=str(self.dir / "serve.log"))
        self.base = self.process.await_line().split()[0].rstrip("/")
        return self


def answer_of(node, *args):
    return json.loads(node.run(*args, "--dir", node.data, "--format", "json").stdout.splitlines()[-1])


def meet(ua, eu):
    """UA pushes `shared` into EU's `from-ua`; gives UA's collection and EU's."""
    shared = ua.add_collection("shared", read="writer,party:eu", write="writer")
    ua.run("collection", "change", "shared", "--audience", "eu", "--dir", ua.data)
    inbox = eu.add_collection("from-ua", read="writer", write="party:ua")
    for node in (ua, eu):
        node.start()
    for one, other, extra in ((eu, ua, []), (ua, eu, ["--push", "shared=from-ua"])):
        fingerprint = answer_of(other, "peer", "card")["certificate_sha256"].replace(" ", "")
        one.run("peer", "add", other.base + "/", "--fingerprint", fingerprint, *extra, "--dir", one.data)
    return shared, inbox


def walk(node, collection):
    client, query, seen = node.client("writer"), {"limit": 1000, "match[version]": "all"}, {}
    while True:
        page = client.get(f"{node.root}collections/{collection}/objects/", query)
        for got in page.objects:
            if got["id"] in seen:
                raise SystemExit(f"twice at {node.party}: {got['id']}")
            seen[got["id"]] = got
        if not page.json().get("more"):
            return seen
        query["next"] = page.json()["next"]


def receipts(node):
    """How often each record was received, as the receipts kept say, and alarms: read past the node."""
    with contextlib.closing(sqlite3.connect(f"file:{node.data / 'register.db'}?mode=ro", uri=True)) as db:
        counts = dict(db.execute("SELECT r.id, count(*) FROM receipt JOIN record r USING (seq) WHERE event = 0xd1 GROUP BY r.id"))
        return counts, db.execute("SELECT count(*) FROM alarm").fetchone()[0]


def await_receipts(ua, held):
    deadline = time.monotonic() + ARRIVAL_SECONDS_MAX
    while time.monotonic() < deadline:
        got, alarms = receipts(ua)
        if held.keys() <= got.keys():
            break
        time.sleep(0.5)
    missing = held.keys() - got.keys()
    if missing:
        raise SystemExit(f"{len(missing)} records that arrived have no receipt, for instance {sorted(missing)[0]}; kept in {ua.dir}")
    twice = [name for name, count in got.items() if count != 1]
    if twice:
        raise SystemExit(f"more than one receipt of the same kind: {twice[0]}; kept in {ua.dir}")
    if alarms:
        raise SystemExit(f"{alarms} alarms without a reason; kept in {ua.dir}")
    return len(got)


def round_of(ua, eu, collection, ledger, chance):
    stop = threading.Event()
    writer = threading.Thread(target=write, args=(ua, collection, ledger, stop, chance.random()))
    writer.start()
    time.sleep(chance.uniform(0.05, 0.6))
    victim = chance.choice((ua, eu))
    victim.process.kill()
    stop.set()
    writer.join()
    if ledger.wrong:
        raise SystemExit(ledger.wrong[0])
    victim.start()


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    seed = int(os.environ.get("COMITY_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed {seed}, {rounds} rounds", flush=True)
    chance, ledger = random.Random(seed), Ledger()
    ua, eu = Fixed("ua"), Fixed("eu")
    collection, inbox = meet(ua, eu)
    for node in (ua, eu):
        node._root = node.root  # asked once: it does not change with a restart
    for _ in range(rounds):
        round_of(ua, eu, collection, ledger, chance)
    deadline, held = time.monotonic() + ARRIVAL_SECONDS_MAX, {}
    while time.monotonic() < deadline:
        held = walk(eu, inbox)
        if ledger.acknowledged <= held.keys():
            break
        time.sleep(0.5)
    lost = ledger.acknowledged - held.keys()
    if lost:
        raise SystemExit(f"{len(lost)} acknowledged records never arrived, for instance {sorted(lost)[0]}; kept in {ua.dir} {eu.dir}")
    for name, got in held.items():
        if got != ledger.sent.get(name):
            raise SystemExit(f"not as it was sent: {name}")
    deliveries = answer_of(ua, "peer", "show", "eu")["deliveries"]
    proved = await_receipts(ua, held)
    for node in (ua, eu):
        node.close()
        fsck(node, rounds)
    print(f"1 passed, 0 failed, 0 skipped: {rounds} rounds, {len(ledger.acknowledged)} acknowledged, all arrived once, {proved} receipts, {deliveries}")


if __name__ == "__main__":
    main()
