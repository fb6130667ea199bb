"""verify.sh, as it lies in every package, against good packages and changed ones, beside comity-verify."""

import os
import shutil

from .base import Case


def flip(path, place=0, bit=1):
    data = bytearray(path.read_bytes())
    data[place] ^= bit
    path.write_bytes(data)


class Script(Case):
    def both_refuse(self, what):
        script, ours = self.script(*self.given()), self.ours()
        self.assertEqual((script.returncode, ours.returncode), (1, 1), f"{what}: {script.stdout}{script.stderr}{ours.stdout}")
        self.assertIn("NOT VERIFIED", script.stderr)

    def test_good(self):
        done = self.script(*self.given())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("VERIFIED, by keys you gave", done.stdout)
        self.assertEqual(self.ours().returncode, 0)

    def test_good_by_its_own_keys_says_so(self):
        done = self.script()
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)
        self.assertIn("--keys --policy --tsa-ca", done.stdout)

    def test_from_anywhere(self):
        done = self.run_("sh", self.package / "verify/verify.sh", *self.given(), cwd="/")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = self.run_("sh", "x/package/verify/verify.sh", "--policy", "x/policy.txt", cwd=self.folder)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)

    def test_other_shells(self):
        for shell in ("dash", "bash", "busybox"):
            if shutil.which(shell):
                command = [shell, "sh"] if shell == "busybox" else [shell]
                done = self.run_(*command, "verify/verify.sh", *self.given())
                self.assertEqual(done.returncode, 0, f"{shell}: {done.stdout}{done.stderr}")

    def test_every_file_changed(self):
        files = sorted(p.relative_to(self.package) for p in self.package.rglob("*") if p.is_file())
        for path in files:
            for rehash in (False, True):
                with self.subTest(path=str(path), rehash=rehash):
                    self.setUp()
                    target = self.package / path
                    if path.name == "seal.tlog-proof":
                        # half of it is a signature of ML-DSA-44, which openssl 3.0 cannot check and the script does not count
                        flip(target, target.read_bytes().index(b"\xe2\x80\x94 comity.ua/log/1 ") + 40)
                    elif target.stat().st_size:
                        # the last octet of the token lies in its signature
                        flip(target, target.stat().st_size // 2 if path.name != "checkpoint.tsr" else -1)
                    else:
                        target.write_bytes(b"x")
                    if rehash:
                        if path.name in ("manifest-sha256.txt", "tagmanifest-sha256.txt"):
                            continue  # put right again by this
                        self.rehash()
                    self.both_refuse(path)

    def test_removed_and_added(self):
        for path in ("data/000001.bin", "seal/checkpoint.tsr", "seal/receipts/1.receipt", "seal/keys.txt", "tagmanifest-sha256.txt"):
            with self.subTest(removed=path):
                self.setUp()
                (self.package / path).unlink()
                self.both_refuse(path)
                if path != "tagmanifest-sha256.txt":
                    self.rehash()
                    self.both_refuse(path)
        for path in ("data/000005.bin", "note.txt", "seal/receipts/2.receipt", "data/a b.bin"):
            with self.subTest(added=path):
                self.setUp()
                (self.package / path).write_text("more")
                self.both_refuse(path)
                self.rehash()
                self.both_refuse(path)

    def test_links_and_paths_out(self):
        (self.package / "data/000001.bin").rename(self.out / "moved")
        os.symlink("../../moved", self.package / "data/000001.bin")
        self.both_refuse("a link")
        self.setUp()
        (self.out / "outside.txt").write_text("x")
        digest = self.run_("sha256sum", self.out / "outside.txt").stdout[:64]
        with open(self.package / "manifest-sha256.txt", "a") as file:
            file.write(f"{digest}  data/../../outside.txt\n")
        # what sha256sum follows
        self.assertEqual(self.run_("sha256sum", "-c", "--quiet", "manifest-sha256.txt").returncode, 0)
        self.both_refuse("a path out of the package")

    def test_other_keys_than_those_given(self):
        policy = (self.out / "policy.txt").read_text().splitlines()
        (self.out / "policy.txt").write_text("\n".join(policy[1:]) + "\n")
        self.both_refuse("a policy without the log")
        self.setUp()
        keys = (self.out / "keys.txt").read_text().splitlines()
        (self.out / "keys.txt").write_text("\n".join(key for key in keys if "ua/custody" not in key) + "\n")
        self.both_refuse("keys without the authority")

    def test_too_few_witnesses(self):
        proof = self.package / "seal/seal.tlog-proof"
        lines = [line for line in proof.read_text().splitlines(True) if not line.startswith("\u2014 witness.example/1 ")]
        proof.write_text("".join(lines))
        self.rehash()
        # comity-verify knows ML-DSA-44 and counts the third; openssl 3.0 does not, and the script says so
        self.assertEqual(self.ours().returncode, 0)
        done = self.script(*self.given())
        self.assertEqual(done.returncode, 1)
        self.assertIn("too few witnesses", done.stderr)
