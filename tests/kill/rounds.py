#!/usr/bin/env python3
"""Kill the node at random during ingest, N rounds on one store, and count what it acknowledged.

Writers add objects, give new versions of objects that are there, and delete some; each act is noted only after the node's
answer. After each kill: `comity fsck` must find nothing, the node must start, and at the end every acknowledged version must be
in its collection exactly once, with the bytes that were sent, and every deleted one gone. What was never answered may have
happened or not, but not twice and not half.
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


def key(obj):
    """A version of an object."""
    return obj["id"], obj["modified"]


class Ledger:
    """What was sent and what was acknowledged, by id and version; and what may be or is gone, by id."""

    def __init__(self):
        self.lock, self.wrong = threading.Lock(), []
        self.sent, self.acknowledged = {}, set()
        self.deleting, self.deleted, self.busy = set(), set(), set()

    def send(self, objects):
        with self.lock:
            self.sent.update((key(o), o) for o in objects)

    def acknowledge(self, objects):
        with self.lock:
            self.acknowledged.update(key(o) for o in objects)

    def take(self, chance, count):
        """Acknowledged objects in their last version, for one writer alone until it gives them back; none that is deleted."""
        with self.lock:
            last = {}
            for name, at in self.acknowledged:
                if name not in self.deleting and name not in self.busy and at > last.get(name, ""):
                    last[name] = at
            names = chance.sample(sorted(last), min(count, len(last)))
            self.busy.update(names)
            return [self.sent[name, last[name]] for name in names]

    def give_back(self, objects):
        with self.lock:
            self.busy.difference_update(o["id"] for o in objects)

    def expected(self):
        return {(name, at) for name, at in self.acknowledged if name not in self.deleting}


def later(chance, obj):
    """A later version: no other writer may think of the same."""
    at = stix.instant(10_000_000 + chance.randrange(1_000_000_000))
    return {**obj, "modified": at, "name": f"version of {at}"}


def post(node, client, collection, ledger, batch):
    """False when the node is gone or something is wrong."""
    ledger.send(batch)
    try:
        answer = client.post(f"{node.root}collections/{collection}/objects/", stix.envelope(batch))
    except Exception:  # the power is gone: nothing was acknowledged
        return False
    if answer.status == 202:
        status = answer.json()
        if status["success_count"] != len(batch):
            ledger.wrong.append(f"a good envelope failed: {status}")
            return False
        ledger.acknowledge(batch)
    elif answer.status not in (429, 503):
        ledger.wrong.append(f"an answer of {answer.status}: {answer}")
        return False
    return True


def delete(node, client, collection, ledger, obj):
    with ledger.lock:
        ledger.deleting.add(obj["id"])
    try:
        answer = client.delete(f"{node.root}collections/{collection}/objects/{obj['id']}/")
    except Exception:
        return False
    if answer.status == 200:
        with ledger.lock:
            ledger.deleted.add(obj["id"])
    elif answer.status not in (404, 429, 503):
        ledger.wrong.append(f"a deletion was answered {answer.status}: {answer}")
        return False
    return True


def write(node, collection, ledger, stop, seed, deleting=False):
    chance = random.Random(seed)
    client = node.client("writer", timeout=10)
    going = True
    while going and not stop.is_set():
        act = chance.random()
        known = ledger.take(chance, 20) if act < 0.4 else []
        if deleting and act < 0.1 and known:
            going = delete(node, client, collection, ledger, known[0])
        elif known:
            going = post(node, client, collection, ledger, [later(chance, obj) for obj in known])
        else:
            going = post(node, client, collection, ledger, stix.indicators(chance.choice((1, 5, 40, 200))))
        ledger.give_back(known)


def round_of(node, collection, ledger, chance):
    stop = threading.Event()
    threads = [threading.Thread(target=write, args=(node, collection, ledger, stop, chance.random(), True)) for _ in range(WRITERS)]
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
            if key(got) in seen:
                raise SystemExit(f"twice: {key(got)}")
            seen[key(got)] = got
        if not answer.json().get("more"):
            break
        query["next"] = answer.json()["next"]
    lost = ledger.expected() - seen.keys()
    if lost:
        raise SystemExit(f"{len(lost)} acknowledged versions are lost, for instance {sorted(lost)[0]}")
    back = {name for name, _ in seen} & ledger.deleted
    if back:
        raise SystemExit(f"{len(back)} deleted objects are here, for instance {sorted(back)[0]}")
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
    print(f"1 passed, 0 failed, 0 skipped: {rounds} rounds, {len(ledger.acknowledged)} acknowledged, {len(ledger.deleted)} deleted, none lost, none twice")


if __name__ == "__main__":
    main()
