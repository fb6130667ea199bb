#!/usr/bin/env python3
"""Drives the figures of docs/PERFORMANCE.md: starts the servers, lets `http-load` and `wrk` measure, prints Markdown.

Python only arranges; every timed request is sent by `http-load` (Rust) or `wrk`.
"""

import argparse
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from support.subject import TARGET, Comity, Medallion, Process, free_port, resident_bytes  # noqa: E402
from support.taxii import Client, basic  # noqa: E402

LOAD = TARGET / "load" / "release" / "http-load"
ENVELOPE = 500
PAGE = 1000
SMALL = 1000  # objects given to the peers that need minutes for more


class Table:
    """Rows of `measure | bar | measured | command`, printed at the end and as they come."""

    def __init__(self):
        self.rows = []

    def add(self, measure, bar, value, command=""):
        self.rows.append((measure, bar, value, command))
        print(f"  {measure}: {value}   (bar {bar})", file=sys.stderr, flush=True)

    def markdown(self):
        lines = ["| measure | bar | measured | by |", "|---|---|---|---|"]
        return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in self.rows])


def load(authorization, *words, env=None):
    """One run of http-load; gives its JSON."""
    done = subprocess.run([LOAD, *map(str, words)], capture_output=True, text=True, timeout=3600,
                          env={**os.environ, "AUTHORIZATION": authorization, **(env or {})})
    if done.returncode != 0:
        raise RuntimeError(f"http-load {words[:3]}: {done.stderr[:2000]}")
    return json.loads(done.stdout)


def attack_objects():
    base = Path(os.environ.get("COMITY_DATA") or ROOT.parent / "shared" / "data")
    with gzip.open(base / "attack" / "enterprise-attack.json.gz") as file:
        return json.load(file)["objects"]


def envelopes_file(folder, objects, size=ENVELOPE, name="envelopes.jsonl"):
    """One envelope a line, without blanks, as a compact client sends them."""
    file = folder / name
    with open(file, "w", encoding="utf-8") as out:
        for n in range(0, len(objects), size):
            out.write(json.dumps({"objects": objects[n:n + size]}, ensure_ascii=False, separators=(",", ":")) + "\n")
    return file


class Bench:
    def __init__(self, given):
        self.given, self.table = given, Table()
        self.dir = Path(tempfile.mkdtemp(prefix="comity-bench-"))
        self.objects = attack_objects()
        self.envelopes = envelopes_file(self.dir, self.objects)

    def wants(self, name):
        return not self.given.only or name in self.given.only.split(",")

    # --- the node ---------------------------------------------------------------------------------------------------

    def node(self):
        node = Comity(fresh=4)
        node.start()
        self.host = urlsplit(node.base).netloc
        self.token = "Bearer " + node.new_token("writer")
        self.basic = node.credentials["writer"]
        time.sleep(1)
        self.table.add("idle, resident", "< 40 MB", f"{resident_bytes(node.pid) / 1e6:.1f} MB", "VmRSS")
        collection = node.collection()
        path = f"{node.root}collections/{collection}/"
        if self.wants("ingest"):
            self.ingest(node)
        got = load(self.token, "ingest", self.host, path + "objects/", self.envelopes, 1, 1)
        self.table.add(f"ingest, envelopes of {ENVELOPE}, one writer", ">= 15,000 objects/s (704)",
                       f"{got['per_second']:,.0f} objects/s ({got['objects']:,} of {got['expected']:,}; slowest envelope {got['slowest_ms']:.0f} ms)",
                       "`http-load ingest`")
        if self.wants("walk"):
            self.walk(path)
        self.reads(node, path, f"{len(self.objects):,}")
        if self.wants("validate"):
            self.validate(node)
        if self.given.records > len(self.objects):
            self.million(node, path)
        node.close()

    def ingest(self, node):
        for writers in (2, 4):
            path = f"{node.root}collections/{node.collection()}/objects/"
            got = load(self.token, "ingest", self.host, path, self.envelopes, 1, writers,
                       env={"FIRST_COPY": str(900_000 + writers)})
            self.table.add(f"ingest, envelopes of {ENVELOPE}, {writers} writers", "", f"{got['per_second']:,.0f} objects/s",
                           "`http-load ingest`")

    def walk(self, path):
        saved = self.dir / "pages"
        saved.mkdir(exist_ok=True)
        got = load(self.token, "walk", self.host, f"{path}objects/?limit={PAGE}", 5, saved)
        nginx = self.nginx(saved, got["requests"])
        self.table.add(f"walk, pages of {PAGE:,}", ">= 500,000 objects/s (12,731)",
                       f"{got['per_second']:,.0f} objects/s, {got['bytes'] / got['seconds'] / 1e6:,.0f} MB/s, {got['distinct']:,} distinct, "
                       f"page p50 {got['p50_ms']:.2f} p99 {got['p99_ms']:.2f} ms", "`http-load walk`, best of 5")
        static = got["objects"] / nginx["seconds"]
        self.table.add("the same bytes as static files by nginx", "walk at least half of it",
                       f"{static:,.0f} objects/s; the walk is {got['per_second'] / static:.0%} of it", "`http-load files`, best of 5")

    def nginx(self, folder, pages):
        port, prefix = free_port(), self.dir / "nginx"
        prefix.mkdir(exist_ok=True)
        os.chmod(self.dir, 0o755)
        config = prefix / "nginx.conf"
        config.write_text(f"""daemon off; worker_processes 2; pid {prefix}/pid; error_log {prefix}/error.log;
events {{}}
http {{ access_log off; sendfile on; tcp_nopush on; default_type 'application/taxii+json;version=2.1';
  client_body_temp_path {prefix}/b; proxy_temp_path {prefix}/p; fastcgi_temp_path {prefix}/f; uwsgi_temp_path {prefix}/u; scgi_temp_path {prefix}/s;
  server {{ listen 127.0.0.1:{port}; root {folder}; keepalive_requests 1000000; }} }}
""")
        server = Process([shutil.which("nginx") or "/usr/sbin/nginx", "-p", str(prefix), "-c", str(config)], log=str(prefix / "out"))
        wait_for(port)
        try:
            return load("", "files", f"127.0.0.1:{port}", "/page", pages, 5)
        finally:
            server.stop()

    def reads(self, node, path, size):
        """Latencies on one kept connection, and requests per second on eight."""
        client = node.client("writer")
        manifest = client.get(path + "manifest/", {"limit": PAGE}).json()["objects"]
        ids = [e["id"] for e in manifest[::5]][:200]
        middle = manifest[len(manifest) // 2]["date_added"]
        if node.name == "comity":
            total = len(self.objects)
            middle = self.middle(client, path, total)
        last = self.last(client, path)
        by_id = [f"{path}objects/?match[id]={i}" for i in ids]
        plan = [
            ("match[id]", by_id, "p50 < 0.5, p99 < 2 ms (1.2 / 2.2)", 5000),
            ("objects/{id}/", [f"{path}objects/{i}/" for i in ids], "", 5000),
            ("match[type], limit 100", [f"{path}objects/?match[type]={t}&limit=100" for t in ("attack-pattern", "malware", "relationship", "tool")],
             "p50 < 2, p99 < 8 ms (18 / 98)", 2000),
            ("added_after=middle, limit 100", [f"{path}objects/?added_after={middle}&limit=100"], "p50 < 2, p99 < 8 ms (14 / 60)", 2000),
            ("manifest, limit 100", [f"{path}manifest/?limit=100"], "p50 < 2, p99 < 8 ms (11 / 27)", 2000),
            ("nothing-new poll", [f"{path}objects/?added_after={last}"], "p50 < 0.4 ms (5)", 5000),
        ]
        for name, paths, bar, count in plan:
            got = load(self.token, "latency", self.host, count, *paths)
            self.table.add(f"{name} at {size}", bar, f"p50 {got['p50_ms']:.3f} p99 {got['p99_ms']:.3f} ms", f"`http-load latency`, {count}")
        if self.wants("wrk"):
            for name, authorization in (("token", self.token), ("HTTP Basic", self.basic)):
                for what, target in (("match[id]", by_id[0]), ("nothing-new poll", f"{path}objects/?added_after={last}")):
                    got = wrk(self.host, target, authorization)
                    self.table.add(f"{what}, 8 connections, {name}, at {size}", ">= 10,000 requests/s (2,632; Basic 20)", got, "`wrk -t1 -c8 -d5s`")

    @staticmethod
    def middle(client, path, total):
        """The date of an object in the middle of the first data set."""
        query, passed = {"limit": PAGE}, 0
        while True:
            answer = client.get(path + "manifest/", query)
            entries = answer.json()["objects"]
            passed += len(entries)
            if passed >= total // 2 or not answer.json().get("more"):
                return entries[-1]["date_added"]
            query["next"] = answer.json()["next"]

    @staticmethod
    def last(client, path):
        """The date of the newest object, by steps through the manifest."""
        answer = client.get(path + "manifest/", {"added_after": "2999-01-01T00:00:00.000000Z"})
        if answer.header("X-TAXII-Date-Added-Last"):
            return answer.header("X-TAXII-Date-Added-Last")
        return time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() + 60))

    def validate(self, node):
        bundle = self.dir / "attack.json"
        bundle.write_text(json.dumps({"type": "bundle", "id": "bundle--" + "0" * 8 + "-0000-4000-8000-" + "0" * 12, "objects": self.objects},
                                     ensure_ascii=False))
        best = None
        for _ in range(3):
            began = time.monotonic()
            done = subprocess.run(["taskset", "-c", "0", os.environ["COMITY_BIN"], "validate", str(bundle)], capture_output=True, timeout=300)
            spent = time.monotonic() - began
            best = min(spent, best or spent)
        self.table.add("strict validation, one core, whole process", ">= 60,000 objects/s (rstix 23,000, stix2-validator 206)",
                       f"{len(self.objects) / best:,.0f} objects/s (exit {done.returncode})", "`taskset -c 0 comity validate attack.json`")

    def million(self, node, path):
        copies = -(-self.given.records // len(self.objects)) - 1
        began = time.monotonic()
        got = load(self.token, "ingest", self.host, path + "objects/", self.envelopes, copies, 2, env={"FIRST_COPY": "1"})
        size = f"{(copies + 1) * len(self.objects):,}"
        self.table.add(f"ingest to {size} records, 2 writers", "", f"{got['per_second']:,.0f} objects/s, {time.monotonic() - began:.0f} s",
                       "`http-load ingest`")
        self.table.add(f"{size} records, resident", "< 300 MB", f"{resident_bytes(node.pid) / 1e6:.0f} MB", "VmRSS after ingest")
        if self.wants("walk"):
            got = load(self.token, "walk", self.host, f"{path}objects/?limit={PAGE}", 1)
            self.table.add(f"walk at {size}", "page time as at 24,771", f"{got['per_second']:,.0f} objects/s, page p50 {got['p50_ms']:.2f} "
                           f"p99 {got['p99_ms']:.2f} ms, {got['distinct']:,} distinct", "`http-load walk`")
        self.reads(node, path, size)
        self.table.add(f"{size} records, resident after reading", "< 300 MB", f"{resident_bytes(node.pid) / 1e6:.0f} MB", "VmRSS")
        times = []
        for _ in range(3):
            node.process.stop()
            began = time.monotonic()
            node.start()
            node.client("writer").get("/taxii2/")
            times.append(time.monotonic() - began)
        self.host = urlsplit(node.base).netloc
        self.table.add(f"start with {size} records, to the first answer", "< 300 ms", f"{min(times) * 1e3:.0f} ms", "best of 3")

    # --- the peers --------------------------------------------------------------------------------------------------

    def peers(self):
        for name, start in (("medallion 3.0.0", self.medallion), ("OpenTAXII 0.9.3, SQLite", self.opentaxii)):
            try:
                start(name)
            except Exception as problem:  # a peer that fails must not cost our own figures
                self.table.add(name, "", f"not measured: {str(problem)[:200]}", "")

    def peer(self, name, base, root, collection, authorization, limit=250, per_request=5):
        # OpenTAXII fails on an object without `modified` (a marking)
        plain = [o for o in self.objects if "modified" in o][:SMALL]
        small = envelopes_file(self.dir, plain, ENVELOPE, "small.jsonl")
        host, path = urlsplit(base).netloc, f"{root}collections/{collection}/"
        odd = "OpenTAXII" in name
        got = load(authorization, "ingest", host, path + "objects/", small, 1, 1, env={"ACCEPT_500": "1"} if odd else None)
        remark = " (kept, though each answer is 500: it cannot write its status as JSON)" if odd else ""
        self.table.add(f"{name}: ingest of {SMALL:,}", "", f"{got['per_second']:,.0f} objects/s{remark}", "`http-load ingest`")
        client = Client(base, authorization, timeout=300)
        entry = client.get(path + "manifest/", {"limit": 10}).json()["objects"]
        for what, target in (("match[id]", f"{path}objects/?match[id]={entry[0]['id']}"),
                             ("match[type], limit 100", f"{path}objects/?match[type]=malware&limit=100"),
                             ("manifest, limit 100", f"{path}manifest/?limit=100")):
            got = load(authorization, "latency", host, per_request, target)
            self.table.add(f"{name}: {what} at {SMALL:,}", "", f"p50 {got['p50_ms']:.1f} p99 {got['p99_ms']:.1f} ms", f"`http-load latency`, {per_request}")
        got = load(authorization, "walk", host, f"{path}objects/?limit={limit}", 1)
        self.table.add(f"{name}: walk of {SMALL:,}, pages of {limit}", "", f"{got['per_second']:,.0f} objects/s", "`http-load walk`")

    def medallion(self, name):
        server = Medallion(fresh=1)
        server.start()
        try:
            self.peer(name, server.base, "/root/", server.collection(), server.credentials["writer"], limit=100)
        finally:
            server.close()

    def opentaxii(self, name):
        folder, port = self.dir / "opentaxii", free_port()
        folder.mkdir()
        bin_ = TARGET / "venv" / "opentaxii" / "bin"
        (folder / "config.yml").write_text(f"""domain: "127.0.0.1:{port}"
support_basic_auth: yes
auth_api:
  class: opentaxii.auth.sqldb.SQLDatabaseAPI
  parameters: {{db_connection: "sqlite:///{folder}/auth.db", create_tables: yes, secret: for-the-bench-and-for-nothing-else}}
taxii1:
taxii2:
  title: bench
  max_content_length: 10000000
  public_discovery: true
  persistence_api:
    class: opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI
    parameters: {{db_connection: "sqlite:///{folder}/data.db", create_tables: yes}}
logging: {{opentaxii: error, root: error}}
""")
        env = {**os.environ, "OPENTAXII_CONFIG": str(folder / "config.yml")}

        def run(command, *args):
            done = subprocess.run([bin_ / command, *args], env=env, capture_output=True, text=True, timeout=120)
            if done.returncode != 0:
                raise RuntimeError(f"{command}: {done.stderr[-400:]}")
            return done.stdout

        token = run("opentaxii-create-account", "-u", "bench", "-p", "bench", "-a").split("token:")[1].strip()
        run("opentaxii-add-api-root", "-t", "bench", "--default")

        def ask(expression):
            python = ("from opentaxii.cli import app\nwith app.app_context():\n"
                      f" api = app.taxii_server.servers.taxii2.persistence.api\n print({expression})")
            return subprocess.run([bin_ / "python", "-c", python], env=env, capture_output=True, text=True).stdout.split()[-1]

        root_id = ask("api.get_api_roots()[0].id")
        run("opentaxii-add-collection", "-r", root_id, "-t", "bench", "--public", "--public-write")
        collection = ask(f"api.get_collections('{root_id}')[0].id")
        server = Process([str(bin_ / "gunicorn"), "opentaxii.http:app", "--workers=2", f"--bind=127.0.0.1:{port}"], env=env,
                         cwd=folder, log=str(folder / "out"))
        try:
            wait_for(port)
            base, authorization = f"http://127.0.0.1:{port}", f"Bearer {token}"
            # asked of its database: listing collections fails in 0.9.3 with today's Flask (a UUID it cannot write as JSON)
            self.peer(name, base, f"/taxii2/{root_id}/", collection, authorization)
        finally:
            server.stop()


def wrk(host, path, authorization):
    done = subprocess.run(["wrk", "-t1", "-c8", "-d5s", "--latency", "-H", f"Authorization: {authorization}",
                           "-H", "Accept: application/taxii+json;version=2.1", f"http://{host}{path}"],
                          capture_output=True, text=True, timeout=60)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    p50, p99 = re.search(r"50%\s+(\S+)", done.stdout), re.search(r"99%\s+(\S+)", done.stdout)
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    told = f"{float(rate[1]):,.0f} requests/s (p50 {p50[1]}, p99 {p99[1]})"
    return told + (f", {bad[1]} REFUSED" if bad else "")


def wait_for(port, seconds=60):
    import socket

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nothing listens on port {port}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=0, help="grow the store to so many records and measure again")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--peers-only", action="store_true")
    parser.add_argument("--only", help="ingest,walk,wrk,validate")
    parser.add_argument("--out")
    given = parser.parse_args()
    # one loopback address plays all clients: the limit per source would be what is measured
    os.environ["COMITY_REQUESTS_PER_SECOND"] = "4000000"
    bench = Bench(given)
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "unknown processor")
    began = time.strftime("%Y-%m-%d")
    try:
        if not given.peers_only:
            bench.node()
        if not given.no_peers:
            bench.peers()
    finally:
        shutil.rmtree(bench.dir, ignore_errors=True)
        load1 = os.getloadavg()[0]
        text = (f"Measured {began}, {os.cpu_count()} cores ({cpu}), client on the same cores, load at the end {load1:.1f}.\n"
                f"Command: `scripts/bench-http {' '.join(sys.argv[1:])}`\n\n{bench.table.markdown()}\n")
        print(text)
        if given.out:
            Path(given.out).write_text(text)


if __name__ == "__main__":
    main()
