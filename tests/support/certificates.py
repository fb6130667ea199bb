"""Client certificates for the tests, made by `openssl`, and a node over TLS that knows one of them."""

import subprocess
from pathlib import Path

from .subject import Comity
from .taxii import trusting


class Certificate:
    """A self-signed client certificate: two PEM files and one PKCS#12 archive."""

    def __init__(self, folder, name):
        folder = Path(folder)
        self.name, self.password = name, "for-the-test"
        self.cert, self.key, self.p12 = (str(folder / f"{name}.{end}") for end in ("pem", "key", "p12"))
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", f"/CN={name}", "-addext", "extendedKeyUsage=clientAuth", "-keyout", self.key, "-out", self.cert)
        openssl("pkcs12", "-export", "-in", self.cert, "-inkey", self.key, "-out", self.p12,
                "-passout", f"pass:{self.password}")


def openssl(*args, stdin=None):
    done = subprocess.run(["openssl", *args], input=stdin, capture_output=True, timeout=60,
                          stdin=None if stdin is not None else subprocess.DEVNULL)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(args)}: {done.stderr.decode(errors='replace')}")
    return done.stdout


class TlsComity(Comity):
    """A node with its own generated server certificate; `robot` authenticates by certificate alone."""

    def __init__(self):
        super().__init__(tls=True, fresh=12)
        self.robot = Certificate(self.dir, "robot")
        self.unknown = Certificate(self.dir, "unknown")
        self.run("user", "add", "robot", "--role", "officer", "--dir", self.data, "--certificate", self.robot.cert)
        self.robot_collections = [self.add_collection(f"robot-{n}", read="robot,writer", write="robot,writer")
                                  for n in range(12)]
        self.context = trusting()

    def robot_client(self, certificate=None):
        certificate = certificate or self.robot
        client = self.client(who=None)
        client.context = trusting(certificate.cert, certificate.key)
        return client

    def server_certificate_pem(self):
        """The certificate the node shows, fetched as a client would."""
        import ssl
        from urllib.parse import urlsplit

        parts = urlsplit(self.base)
        return ssl.get_server_certificate((parts.hostname, parts.port))
