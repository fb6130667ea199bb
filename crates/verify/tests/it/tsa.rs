//! A time-stamping authority made with `openssl`, as a test's own. Without openssl the tests that need one say so and pass.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

pub(crate) struct Tsa {
    folder: TempDir,
}

/// What the certificate of the signer is like.
pub(crate) struct Shape {
    pub(crate) key: &'static [&'static str],
    pub(crate) usage: &'static str,
    pub(crate) digest: &'static str,
}

pub(crate) const P256: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
pub(crate) const P384: &[&str] = &["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"];
pub(crate) const RSA: &[&str] = &["-newkey", "rsa:2048"];
impl Default for Shape {
    fn default() -> Self {
        Self {
            key: P256,
            usage: "critical,timeStamping",
            digest: "sha256",
        }
    }
}

impl Tsa {
    /// `None` when there is no openssl.
    pub(crate) fn new(shape: &Shape) -> Option<Self> {
        Command::new("openssl").arg("version").output().ok()?;
        let folder = tempfile::tempdir().unwrap();
        let tsa = Self { folder };
        let with = |fixed: &[&str], key: &[&str]| tsa.run(&[fixed, key].concat());
        with(
            &[
                "req",
                "-x509",
                "-nodes",
                "-keyout",
                "ca.key",
                "-out",
                "ca.crt",
                "-days",
                "3650",
                "-subj",
                "/CN=Root",
                "-addext",
                "basicConstraints=critical,CA:TRUE",
                "-addext",
                "keyUsage=critical,keyCertSign",
            ],
            shape.key,
        );
        with(
            &[
                "req", "-nodes", "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=TSA",
            ],
            shape.key,
        );
        let usage = shape.usage;
        tsa.write(
            "ext",
            &format!(
                "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage={usage}\nsubjectKeyIdentifier=hash\n"
            ),
        );
        tsa.run(&[
            "x509",
            "-req",
            "-in",
            "tsa.csr",
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "3600",
            "-extfile",
            "ext",
            "-out",
            "tsa.crt",
        ]);
        tsa.write("serial", "01\n");
        let digest = shape.digest;
        tsa.write(
            "tsa.cnf",
            &format!(
                "[tsa]\ndefault_tsa = it\n[it]\nserial = serial\nsigner_cert = tsa.crt\nsigner_key = tsa.key\n\
                 default_policy = 1.2.3.4.1\ndigests = sha256, sha384, sha512\nsigner_digest = {digest}\n\
                 accuracy = secs:1\ness_cert_id_alg = sha256\n"
            ),
        );
        tsa.run(&["x509", "-in", "ca.crt", "-out", "chain.pem"]);
        Some(tsa)
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A reduced response over `text`, and the chain.
    pub(crate) fn stamp(&self, text: &str) -> (Vec<u8>, Vec<u8>) {
        self.write("text", text);
        self.run(&[
            "ts", "-query", "-data", "text", "-sha256", "-cert", "-out", "query",
        ]);
        self.run(&[
            "ts",
            "-reply",
            "-config",
            "tsa.cnf",
            "-queryfile",
            "query",
            "-out",
            "reply",
        ]);
        let reply = self.read("reply");
        (
            comity_verify::tsp::plain_response(&reply).unwrap(),
            self.read("chain.pem"),
        )
    }

    /// A token over the TSTInfo of the last one, signed as CMS by hand: no check of the certificate's purpose.
    pub(crate) fn stamp_by_hand(&self, text: &str, more: &[&str]) -> Option<Vec<u8>> {
        self.stamp(text);
        self.run(&[
            "ts",
            "-reply",
            "-in",
            "reply",
            "-token_out",
            "-out",
            "token",
        ]);
        self.run(&[
            "cms",
            "-verify",
            "-noverify",
            "-inform",
            "DER",
            "-in",
            "token",
            "-out",
            "info",
        ]);
        let fixed = [
            "cms",
            "-sign",
            "-binary",
            "-nodetach",
            "-cades",
            "-md",
            "sha256",
            "-econtent_type",
            "1.2.840.113549.1.9.16.1.4",
            "-signer",
            "tsa.crt",
            "-inkey",
            "tsa.key",
            "-outform",
            "DER",
            "-in",
            "info",
            "-out",
            "signed",
        ];
        self.run(&[&fixed, more].concat());
        let token = self.read("signed");
        let status = [0x30, 3, 2, 1, 0];
        let length = u16::try_from(status.len() + token.len()).unwrap();
        Some([&[0x30, 0x82], &length.to_be_bytes()[..], &status, &token].concat())
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path().join(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str]) {
        let done = Command::new("openssl")
            .args(arguments)
            .current_dir(self.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "openssl {arguments:?}: {said}");
    }
}
