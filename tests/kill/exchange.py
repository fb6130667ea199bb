#!/usr/bin/env python3
"""Kill either of two nodes at random while records cross the border, N rounds, and count what was acknowledged.

A writer posts objects and new versions to UA and notes what UA acknowledged; some are withdrawn. What lies in `shared` UA pushes to
EU, what lies in `offered` EU pulls. Each round SIGKILLs UA or EU at a random moment and starts it again at the same address. At
the end both registers pass `comity fsck`, EU holds every acknowledged version exactly once with the bytes that were sent, every
withdrawn object is there as its last version alone, UA's own account of the deliveries says so, and UA has one verified receipt for
each version EU holds.
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

from kill.rounds import Ledger, fsck, key, write  # noqa: E402
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
    """UA pushes `shared` into EU's `from-ua`, EU pulls `offered` into `fetched`; gives pairs of collections there and here."""
    shared = ua.add_collection("shared", read="writer,party:eu", write="writer")
    offered = ua.add_collection("offered", read="writer,party:eu", write="writer")
    for name in ("shared", "offered"):
        ua.run("collection", "change", name, "--audience", "eu", "--dir", ua.data)
    inbox = eu.add_collection("from-ua", read="writer", write="party:ua")
    fetched = eu.add_collection("fetched", read="writer")
    for node in (ua, eu):
        node.start()
    # whoever adds first can read nothing yet at the other side, and adds once more when that one has added it
    pull, push = ["--collection", "offered=fetched"], ["--push", "shared=from-ua"]
    for one, other, extra in ((eu, ua, []), (ua, eu, push), (eu, ua, pull)):
        fingerprint = answer_of(other, "peer", "card")["certificate_sha256"].replace(" ", "")
        one.run("peer", "add", other.base + "/", "--fingerprint", fingerprint, *extra, "--dir", one.data)
    return (shared, inbox), (offered, fetched)


def walk(node, collection):
    client, query, seen = node.client("writer"), {"limit": 1000, "match[version]": "all"}, {}
    while True:
        page = client.get(f"{node.root}collections/{collection}/objects/", query)
        for got in page.objects:
            if key(got) in seen:
                raise SystemExit(f"twice at {node.party}: {key(got)}")
            seen[key(got)] = got
        if not page.json().get("more"):
            return seen
        query["next"] = page.json()["next"]


def receipts(node):
    """How often each record was received, as the receipts kept say, and alarms: read past the node."""
    with contextlib.closing(sqlite3.connect(f"file:{node.data / 'register.db'}?mode=ro", uri=True)) as db:
        rows = db.execute("SELECT r.id, r.version_text, count(*) FROM receipt JOIN record r USING (seq) WHERE event = 0xd1 GROUP BY seq")
        counts = {(name, version): count for name, version, count in rows}
        return counts, db.execute("SELECT count(*) FROM alarm").fetchone()[0]


def await_receipts(ua, everything):
    deadline = time.monotonic() + ARRIVAL_SECONDS_MAX
    while time.monotonic() < deadline:
        got, alarms = receipts(ua)
        if everything.keys() <= got.keys():
            break
        time.sleep(0.5)
    missing = everything.keys() - got.keys()
    if missing:
        raise SystemExit(f"{len(missing)} records that arrived have no receipt, for instance {sorted(map(str, missing))[0]}; kept in {ua.dir}")
    twice = [name for name, count in got.items() if count != 1]
    if twice:
        raise SystemExit(f"more than one receipt of the same kind: {twice[0]}; kept in {ua.dir}")
    if alarms:
        raise SystemExit(f"{alarms} alarms without a reason; kept in {ua.dir}")
    return len(got)


def withdraw(ua, ledger, withdrawn, chance):
    """Withdraws an object of UA's while nobody writes: a last version that says `revoked`."""
    for obj in ledger.take(chance, 1):
        with ledger.lock:
            ledger.deleting.add(obj["id"])  # no more versions of it
        done = ua.run("--by", "writer", "withdraw", obj["id"], "--reason", "a test", "--dir", ua.data, check=False)
        if done.returncode == 0:
            withdrawn.add(obj["id"])
        elif done.returncode != 5:  # busy: the node has just started
            raise SystemExit(f"{obj['id']} was not withdrawn: exit {done.returncode}: {done.stderr}")


def round_of(ua, eu, ledgers, withdrawn, chance):
    stop, writers = threading.Event(), []
    for (collection, _), ledger in ledgers.items():
        writers.append(threading.Thread(target=write, args=(ua, collection, ledger, stop, chance.random())))
    for writer in writers:
        writer.start()
    time.sleep(chance.uniform(0.05, 0.6))
    victim = chance.choice((ua, eu))
    victim.process.kill()
    stop.set()
    for writer in writers:
        writer.join()
    for ledger in ledgers.values():
        if ledger.wrong:
            raise SystemExit(ledger.wrong[0])
    victim.start()
    withdraw(ua, chance.choice(list(ledgers.values())), withdrawn, chance)


def arrived(eu, inbox, ledger, withdrawn):
    """What EU holds, and what is missing there. Of what was withdrawn the last version stays, which says so."""
    held = walk(eu, inbox)
    revoked = {name for (name, _), obj in held.items() if obj.get("revoked")}
    ours = {name for name, _ in ledger.acknowledged}
    missing = {version for version in ledger.acknowledged - held.keys() if version[0] not in withdrawn}
    return held, missing | ((withdrawn & ours) - revoked)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    seed = int(os.environ.get("COMITY_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed {seed}, {rounds} rounds", flush=True)
    chance, withdrawn = random.Random(seed), set()
    ua, eu = Fixed("ua"), Fixed("eu")
    ledgers = {pair: Ledger() for pair in meet(ua, eu)}
    for node in (ua, eu):
        node._root = node.root  # asked once: it does not change with a restart
    for _ in range(rounds):
        round_of(ua, eu, ledgers, withdrawn, chance)
    deadline = time.monotonic() + ARRIVAL_SECONDS_MAX
    everything = {}
    for (_, inbox), ledger in ledgers.items():
        held, lost = arrived(eu, inbox, ledger, withdrawn)
        while lost and time.monotonic() < deadline:
            time.sleep(0.5)
            held, lost = arrived(eu, inbox, ledger, withdrawn)
        if lost:
            raise SystemExit(f"{len(lost)} acknowledged versions never arrived, for instance {sorted(map(str, lost))[0]}; kept in {ua.dir} {eu.dir}")
        for name, got in held.items():
            if got != ledger.sent.get(name) and not got.get("revoked"):
                raise SystemExit(f"not as it was sent: {name}")
        everything |= held
    deliveries = answer_of(ua, "peer", "show", "eu")["deliveries"]
    proved = await_receipts(ua, everything)
    for node in (ua, eu):
        node.close()
        fsck(node, rounds)
    count = sum(len(ledger.acknowledged) for ledger in ledgers.values())
    print(f"1 passed, 0 failed, 0 skipped: {rounds} rounds, {count} acknowledged, {len(withdrawn)} withdrawn, all arrived once, {proved} receipts, {deliveries}")


if __name__ == "__main__":
    main()
