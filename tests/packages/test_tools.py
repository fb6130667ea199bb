"""Tools nobody here wrote accept a good package: evidence-log F.7."""

import base64
import subprocess
import tarfile
from pathlib import Path

from .base import VERIFY, Case, tool


class Tools(Case):
    def test_sha256sum(self):
        done = self.run_("sha256sum", "-c", "--strict", "manifest-sha256.txt", "tagmanifest-sha256.txt")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_bagit(self):
        done = self.run_(tool("bagit.py"), "--validate", self.package)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_case_validate(self):
        done = self.run_(tool("case_validate"), "seal/case.jsonld")
        self.assertIn("Conforms: True", done.stdout, done.stdout[-3000:])
        text = (self.package / "seal/case.jsonld").read_text()
        for word in ("ProvenanceRecord", "exhibitNumber", "InvestigativeAction", "transferred", "received", '"SHA256"'):
            self.assertIn(word, text)

    def test_case_validate_sees_what_is_wrong(self):
        path = self.package / "seal/case.jsonld"
        path.write_text(path.read_text().replace('"uco-types:hashMethod":"SHA256",', "", 1))
        self.assertNotEqual(self.run_(tool("case_validate"), "seal/case.jsonld").returncode, 0)

    def test_openssl_ts(self):
        proof = (self.package / "seal/seal.tlog-proof").read_text()
        text = self.folder / "checkpoint"
        text.write_text(proof.split("\n\n")[1] + "\n")
        command = ["openssl", "ts", "-verify", "-in", "seal/checkpoint.tsr", "-CAfile", self.out / "ca.crt", "-data"]
        self.assertEqual(self.run_(*command, text).returncode, 0)
        text.write_text("another text\n")
        self.assertNotEqual(self.run_(*command, text).returncode, 0)

    def test_openssl_pkeyutl(self):
        """The log's signature, from the documents alone."""
        proof = (self.package / "seal/seal.tlog-proof").read_text()
        _, text, signatures = proof.split("\n\n")
        name, _, key = (self.out / "policy.txt").read_text().split("\n")[0].split(" ")[1].split("+", 2)
        blob = next(line.split(" ")[2] for line in signatures.splitlines() if line.startswith(f"\u2014 {name} "))
        files = {"key.der": bytes.fromhex("302a300506032b6570032100") + base64.b64decode(key)[1:],
                 "text": (text + "\n").encode(), "signature": base64.b64decode(blob)[4:]}
        for file, data in files.items():
            (self.folder / file).write_bytes(data)
        command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", "-inkey", "key.der", "-in", "text",
                   "-sigfile", "signature"]
        self.assertEqual(self.run_(*command, cwd=self.folder).returncode, 0)
        (self.folder / "text").write_bytes(b"x" + files["text"])
        self.assertNotEqual(self.run_(*command, cwd=self.folder).returncode, 0)

    def test_tar_by_gnu_tar_and_by_python(self):
        gnu = self.folder / "gnu.tar"
        self.run_("tar", "-cf", gnu, "package", cwd=self.out, check=True)
        self.assertEqual(self.ours(gnu).returncode, 0)
        for name, form in (("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT)):
            path = self.folder / f"python-{name}.tar"
            with tarfile.open(path, "w", format=form) as tar:
                tar.add(self.package, "package")
            done = self.ours(path)
            self.assertEqual(done.returncode, 0, done.stdout)
        pax = self.folder / "pax.tar"
        with tarfile.open(pax, "w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "x"}) as tar:
            tar.add(self.package, "package")
        done = self.ours(pax)
        self.assertEqual(done.returncode, 1)
        self.assertIn("a pax header", done.stdout)

    def test_our_tar_unpacks_to_the_package(self):
        self.run_("tar", "-xf", self.out / "package.tar", cwd=self.folder, check=True)
        self.assertEqual(self.run_("diff", "-r", self.folder / "package", self.package).returncode, 0)


class Memory(Case):
    def test_size_beyond_what_other_tools_take(self):
        """5 GiB, sparse: hashed in constant memory, and refused because it is not what was sealed (E.31, E.22)."""
        with open(self.package / "data/000001.bin", "r+b") as file:
            file.truncate(5 << 30)
        bin_ = Path(VERIFY).resolve()
        program = ("import resource,subprocess,sys;rc=subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL).returncode;"
                   "print(rc,resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
        done = self.run_("python3", "-c", program, bin_, self.package)
        code, kilobytes = map(int, done.stdout.split())
        self.assertEqual(code, 1)
        self.assertLess(kilobytes, 64 * 1024)
