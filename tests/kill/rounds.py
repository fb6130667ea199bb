#!/usr/bin/env python3
"""Kill the node at random during ingest, N rounds on one store, and count what it acknowledged.

A writer notes an object only after the node's 202. After each kill: `comity fsck` must find nothing, the node must start,
and at the end every acknowledged object must be in its collection exactly once, with the bytes that were sent. Objects
whose answer never came may be there or not, but not twice and not half.
"""

import os
import random
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import stix  # noqa: E402
from support.subject import Comity  # noqa: E402

WRITERS = 3
FSCK_EVERY = 10  # a full check every so many rounds, and after the last


class Ledger:
    """What was sent and what was acknowledged, by id."""

    def __init__(self):
        self.lock, self.sent, self.acknowledged, self.wrong = threading.Lock(), {}, set(), []

    def send(self, objects):
        with self.lock:
            self.sent.update((o["id"], o) for o in objects)

    def acknowledge(self, objects):
        with self.lock:
            self.acknowledged.update(o["id"] for o in objects)


def write(node, collection, ledger, stop, seed):
    chance = random.Random(seed)
    client = node.client("writer", timeout=10)
    while not stop.is_set():
        batch = stix.indicators(chance.choice((1, 5, 40, 200)))
        ledger.send(batch)
        try:
            answer = client.post(f"{node.root}collections/{collection}/objects/", stix.envelope(batch))
        except Exception:  # the power is gone: nothing was acknowledged
            return
        if answer.status == 202:
            status = answer.json()
            if status["success_count"] != len(batch):
                ledger.wrong.append(f"a good envelope failed: {status}")
                return
            ledger.acknowledge(batch)
        elif answer.status not in (429, 503):
            ledger.wrong.append(f"an answer of {answer.status}: {answer}")
            return


def round_of(node, collection, ledger, chance):
    stop = threading.Event()
    threads = [threading.Thread(target=write, args=(node, collection, ledger, stop, chance.random())) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    time.sleep(chance.uniform(0.01, 0.4))
    node.process.kill()
    stop.set()
    for thread in threads:
        thread.join()
    if ledger.wrong:
        raise SystemExit(ledger.wrong[0])


def fsck(node, n):
    done = node.run("fsck", "--dir", node.data, check=False, timeout=600)
    if done.returncode != 0:
        raise SystemExit(f"round {n}: fsck exit {done.returncode}\n{done.stdout}{done.stderr}\nkept in {node.dir}")


def check(node, collection, ledger):
    """Walk everything; compare with the ledger."""
    client, query, seen = node.client("writer"), {"limit": 1000, "match[version]": "all"}, {}
    while True:
        answer = client.get(f"{node.root}collections/{collection}/objects/", query)
        for got in answer.objects:
            if got["id"] in seen:
                raise SystemExit(f"twice: {got['id']}")
            seen[got["id"]] = got
        if not answer.json().get("more"):
            break
        query["next"] = answer.json()["next"]
    lost = ledger.acknowledged - seen.keys()
    if lost:
        raise SystemExit(f"{len(lost)} acknowledged objects are lost, for instance {sorted(lost)[0]}")
    for name, got in seen.items():
        if got != ledger.sent.get(name):
            raise SystemExit(f"not as it was sent: {name}")
    return len(seen)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    seed = int(os.environ.get("COMITY_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"seed {seed}, {rounds} rounds", flush=True)
    chance, ledger = random.Random(seed), Ledger()
    node = Comity(fresh=1)
    collection = node.collection()
    node.start()
    root = node.root
    for n in range(1, rounds + 1):
        round_of(node, collection, ledger, chance)
        if n % FSCK_EVERY == 0 or n == rounds:
            fsck(node, n)
        node.start()
        node._root = root
        if n % FSCK_EVERY == 0 or n == rounds:
            held = check(node, collection, ledger)
            print(f"round {n}: {len(ledger.acknowledged)} acknowledged, {held} held, {len(ledger.sent)} sent", flush=True)
    node.close()
    fsck(node, rounds)
    print(f"1 passed, 0 failed, 0 skipped: {rounds} rounds, {len(ledger.acknowledged)} acknowledged, none lost, none twice")


if __name__ == "__main__":
    main()
