"""The server under test, chosen by the environment.

COMITY_SUBJECT=comity (default)  starts the binary COMITY_BIN in a temporary folder on loopback
COMITY_SUBJECT=medallion         starts medallion with its memory backend (MEDALLION_BIN): proves the suite on foreign ground
COMITY_SUBJECT=URL               a running server; see `Foreign` for the variables that describe it

Principals: `writer` (reads and writes what it was granted), `keeper` (sets the stage: reads and writes everything),
`stranger` (known, but granted nothing). Collections: any number of fresh ones by `collection()`, and four fixed ones
whose permissions for `writer` differ: `read_only`, `write_only`, `closed`, `aliased`.
"""

import atexit
import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import uuid
from pathlib import Path

from .taxii import Client, basic

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
FRESH = int(os.environ.get("COMITY_TEST_COLLECTIONS", "150"))
START_SECONDS_MAX = 60


def resident_bytes(pid):
    """Resident memory of one process, from /proc."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise LookupError(f"no VmRSS for process `{pid}`")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Subject:
    """What every subject offers; `can` names abilities a foreign server may lack."""

    name = "subject"
    can = frozenset()
    context = None

    def __init__(self):
        self.base = None
        self.credentials = {}
        self.read_only = self.write_only = self.closed = self.alias = self.aliased = None
        self._fresh = []
        self._root = None

    def client(self, who="writer", timeout=60):
        authorization = self.credentials[who] if who else None
        return Client(self.base, authorization, self.context, timeout)

    def collection(self):
        """The id of a collection nothing was written to yet; `writer` may read and write it."""
        if not self._fresh:
            raise unittest.SkipTest("the subject has no fresh collection left")
        return self._fresh.pop(0)

    @property
    def root(self):
        """Path of the API root, with slashes at both ends, as discovery names it."""
        if self._root is None:
            found = self.client().get("/taxii2/").json()
            self._root = path_of(found.get("default") or found["api_roots"][0])
        return self._root

    def need(self, *abilities):
        missing = [a for a in abilities if a not in self.can]
        if missing:
            raise unittest.SkipTest(f"{self.name}: no {', '.join(missing)}")

    def close(self):
        pass


def path_of(url):
    if url.startswith("http"):
        url = "/" + url.split("/", 3)[3]
    return url if url.endswith("/") else url + "/"


class Process:
    """A child that announces its address on a line of output, ended by its own id only."""

    def __init__(self, command, env=None, cwd=None, announce=None, log=None):
        self.announce = announce
        self.log_path = log
        self._log = open(log, "ab") if log else subprocess.DEVNULL
        piped = subprocess.PIPE if announce else self._log
        self.child = subprocess.Popen(command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=piped,
                                      stderr=subprocess.STDOUT if announce else self._log, start_new_session=True)
        self.lines = []
        atexit.register(self.stop)

    @property
    def pid(self):
        return self.child.pid

    def await_line(self):
        """The rest of the first output line that holds `announce`."""
        deadline = time.monotonic() + START_SECONDS_MAX
        buffer, out = b"", self.child.stdout
        os.set_blocking(out.fileno(), False)
        while time.monotonic() < deadline:
            ready, _, _ = select.select([out], [], [], 0.2)
            chunk = out.read() if ready else None
            if ready and not chunk and self.child.poll() is not None:
                break
            buffer += chunk or b""
            *whole, buffer = buffer.split(b"\n")
            for raw in whole:
                line = raw.decode("utf-8", "replace")
                self.lines.append(line)
                if self.announce in line:
                    self._drain()
                    return line.split(self.announce, 1)[1].strip()
        raise RuntimeError("the subject did not start:\n" + "\n".join(self.lines) + buffer.decode("utf-8", "replace"))

    def _drain(self):
        """Keep reading what the child says, so that a full pipe never stops it."""
        import threading

        out = self.child.stdout
        os.set_blocking(out.fileno(), True)

        def pump():
            for raw in out:
                line = raw.decode("utf-8", "replace").rstrip("\n")
                self.lines.append(line)
                if self.log_path:
                    self._log.write(raw)
                    self._log.flush()
                del self.lines[:-2000]

        threading.Thread(target=pump, daemon=True).start()

    def kill(self):
        """Power cut: SIGKILL, nothing is flushed."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGKILL)
        self.child.wait()

    def stop(self, seconds=10):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(seconds)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        return self.child.returncode


def comity_binary():
    given = os.environ.get("COMITY_BIN")
    if given:
        return given
    for profile in ("debug", "release"):
        candidate = TARGET / profile / "comity"
        if candidate.exists():
            return str(candidate)
    raise RuntimeError("no comity binary: build it or set COMITY_BIN")


class Comity(Subject):
    """A node of our own in a temporary folder."""

    name = "comity"
    can = frozenset({"users", "deletion", "alias", "certificates", "memory", "restart", "strict", "limits"})

    def __init__(self, tls=False, party="ua", fresh=FRESH, directory=None, extra=()):
        super().__init__()
        self.tls, self.party, self.extra = tls, party, list(extra)
        self.dir = Path(directory or tempfile.mkdtemp(prefix=f"comity-{party}-"))
        if directory is None and not os.environ.get("COMITY_TEST_KEEP"):
            atexit.register(shutil.rmtree, self.dir, ignore_errors=True)
        self.data = self.dir / "node"
        self.passwords, self.process = {}, None
        self.run("init", "--dir", self.data, "--party", party, "--name", f"CERT-{party.upper()}")
        for who in ("writer", "keeper", "stranger"):
            self.add_user(who)
        self._prepare(fresh)

    def _prepare(self, fresh):
        both = "writer,keeper"
        self._fresh = [self.add_collection(f"fresh-{n:03}", read=both, write=both) for n in range(fresh)]
        self.read_only = self.add_collection("read-only", read=both, write="keeper")
        self.write_only = self.add_collection("write-only", read="keeper", write=both)
        self.closed = self.add_collection("closed", read="keeper", write="keeper")
        self.alias = "aliased"
        self.aliased = self.add_collection(self.alias, read=both, write=both)

    # --- command line -------------------------------------------------------------------------------------------

    def run(self, *args, stdin=None, check=True, timeout=120):
        command = [comity_binary(), *map(str, args)]
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=timeout,
                              stdin=None if stdin is not None else subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def add_user(self, who, role="officer", certificate=None):
        password = secrets.token_urlsafe(18)
        extra = ["--certificate", certificate] if certificate else []
        self.run("user", "add", who, "--role", role, "--dir", self.data, "--password-stdin", *extra, stdin=password + "\n")
        self.passwords[who] = password
        self.credentials[who] = basic(who, password)
        return password

    def add_collection(self, alias, read="", write="", title=None):
        made = str(uuid.uuid4())
        args = ["collection", "add", alias, "--title", title or alias.replace("-", " "), "--dir", self.data, "--id", made]
        if read:
            args += ["--read", read]
        if write:
            # TAXII 5.7: who may read and write a collection may delete from it
            args += ["--write", write, "--delete", write]
        self.run(*args)
        return made

    def new_token(self, who="writer"):
        """A bearer token; the last word of standard output is the token itself."""
        return self.run("token", "new", who, "--dir", self.data).stdout.split()[-1]

    # --- life ---------------------------------------------------------------------------------------------------

    def start(self):
        args = [comity_binary(), "serve", "--dir", str(self.data), "--listen", "127.0.0.1:0", *self.extra]
        if not self.tls:
            args.append("--insecure-http")
        self.process = Process(args, announce="listening on ", log=str(self.dir / "serve.log"))
        self.base = self.process.await_line().split()[0].rstrip("/")
        return self

    @property
    def pid(self):
        return self.process.pid

    def restart(self, kill=False):
        (self.process.kill if kill else self.process.stop)()
        self._root = None
        return self.start()

    def close(self):
        if self.process:
            self.process.stop()


class Medallion(Subject):
    """medallion 3.0.0 from PyPI, memory backend; permissions there are of the collection, not of the person."""

    name = "medallion"
    can = frozenset({"deletion", "memory"})

    def __init__(self, fresh=FRESH):
        super().__init__()
        self.dir = Path(tempfile.mkdtemp(prefix="medallion-"))
        atexit.register(shutil.rmtree, self.dir, ignore_errors=True)
        users = {who: secrets.token_urlsafe(18) for who in ("writer", "keeper", "stranger")}
        self.passwords = users
        self.credentials = {who: basic(who, word) for who, word in users.items()}
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        collections = [self._collection(f"fresh {n}", True, True) for n in range(fresh)]
        self._fresh = [c["id"] for c in collections]
        fixed = {"read_only": (True, False), "write_only": (False, True), "closed": (False, False)}
        for title, (read, write) in fixed.items():
            made = self._collection(title, read, write)
            collections.append(made)
            setattr(self, title, made["id"])
        data = {
            "/discovery": {"title": "foreign ground", "default": f"{self.base}/root/", "api_roots": [f"{self.base}/root/"]},
            "root": {"information": {"title": "root", "versions": ["application/taxii+json;version=2.1"],
                                     "max_content_length": 10_000_000}, "status": [], "collections": collections},
        }
        (self.dir / "data.json").write_text(json.dumps(data))
        config = {"backend": {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend",
                              "filename": str(self.dir / "data.json")}, "users": users, "taxii": {"max_page_size": 100}}
        (self.dir / "config.json").write_text(json.dumps(config))
        self.process = None

    @staticmethod
    def _collection(title, read, write):
        return {"id": str(uuid.uuid4()), "title": title, "can_read": read, "can_write": write,
                "media_types": ["application/stix+json;version=2.1"], "objects": [], "manifest": []}

    def start(self):
        binary = os.environ.get("MEDALLION_BIN") or str(TARGET / "venv" / "medallion" / "bin" / "medallion")
        self.process = Process([binary, "--host", "127.0.0.1", "--port", str(self.port), str(self.dir / "config.json")],
                               log=str(self.dir / "serve.log"))
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1):
                    return self
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("medallion did not start")

    @property
    def pid(self):
        return self.process.pid

    def close(self):
        if self.process:
            self.process.stop()


class Foreign(Subject):
    """A running server: TAXII_USER, TAXII_PASSWORD, TAXII_COLLECTIONS (ids of empty writable collections, by comma),
    and where there are such TAXII_READ_ONLY, TAXII_WRITE_ONLY, TAXII_CLOSED, TAXII_ALIAS=alias=id."""

    name = "foreign"

    def __init__(self, base):
        super().__init__()
        env = os.environ.get
        self.base = base.rstrip("/")
        user, password = env("TAXII_USER", ""), env("TAXII_PASSWORD", "")
        self.passwords = {"writer": password}
        self.credentials = {"writer": basic(user, password)}
        self._fresh = [c for c in env("TAXII_COLLECTIONS", "").split(",") if c]
        self.read_only, self.write_only, self.closed = env("TAXII_READ_ONLY"), env("TAXII_WRITE_ONLY"), env("TAXII_CLOSED")
        if env("TAXII_ALIAS"):
            self.alias, self.aliased = env("TAXII_ALIAS").split("=", 1)
        self.can = frozenset((env("TAXII_CAN") or "deletion").split(","))

    def start(self):
        return self


_made = {}


def current():
    """The one subject of this run, over plain HTTP on loopback."""
    if "plain" not in _made:
        chosen = os.environ.get("COMITY_SUBJECT", "comity")
        made = {"comity": Comity, "medallion": Medallion}.get(chosen, lambda: Foreign(chosen))()
        _made["plain"] = made.start()
        atexit.register(made.close)
    return _made["plain"]


def over_tls():
    """A second node, over TLS, with client certificates: see `support.certificates`."""
    current().need("certificates")
    if "tls" not in _made:
        from .certificates import TlsComity

        _made["tls"] = TlsComity().start()
        atexit.register(_made["tls"].close)
    return _made["tls"]
