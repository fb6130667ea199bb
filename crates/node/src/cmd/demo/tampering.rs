//! Five ways to tamper with a package (docs/THREATS.md, C2 and E 13-15), each on a copy, and what the verifier says.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;
use comity_evidence::package::Seal;
use comity_evidence::{Hex, sha256};
use comity_ledger::proof::{Opening, Proof};
use serde_json::Value;

use super::data::Story;
use super::package::Package;
use super::stage::Stage;
use super::story::{Cast, text_of};

const PAYLOAD: &str = "data/000002.bin";
const CUSTODY: &str = "seal/custody.jsonl";
const SEAL: &str = "seal/seal.json";
const PROOF: &str = "seal/seal.tlog-proof";
const ENTRY: &str = "seal/entry.bin";
const MANIFEST: &str = "manifest-sha256.txt";
const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";

/// One way: what somebody does to a copy, and the finding that must come.
struct Tampering<'a> {
    what: &'a str,
    code: &'a str,
    act: &'a dyn Fn(&Copy) -> anyhow::Result<()>,
}

/// Tampers with copies of the package; Estonia checks each by the keys it has.
pub(super) fn tampering(
    cast: &Cast,
    root: &Path,
    story: &Story,
    package: &Package,
    stage: &mut Stage,
) -> anyhow::Result<()> {
    stage.step("Five ways to tamper with it, each on a copy, by somebody who has no key");
    let untouched = Copy::of(package, root, "untouched")?;
    let answer = package.verify(&cast.ee, &untouched.0)?;
    stage.check("an untouched copy is verified", answer.code == Some(0));
    // a genuine proof from the same log, cosigned too, but of another record
    let answer = cast.eu.ok(&["log", "prove", &story.report_id])?;
    let other = text_of(answer.last(), "text").to_owned();
    let ways = [
        Tampering {
            what: "one bit of the disk image is flipped",
            code: "payload.hash",
            act: &|copy| copy.flip(PAYLOAD),
        },
        Tampering {
            what: "the same, and all manifests are made anew, as BagIt tools accept it",
            code: "seal.hash",
            act: &|copy| {
                copy.flip(PAYLOAD)?;
                copy.rehash()
            },
        },
        Tampering {
            what: "a file is put beside the others, which BagIt tools accept too",
            code: "name.unknown",
            act: &|copy| copy.write("note.txt", b"The image was copied by Olena."),
        },
        Tampering {
            what: "the hand-over is taken out of the custody, seal and manifests are made anew",
            code: "custody.order",
            act: &|copy| {
                copy.forget_hand_over()?;
                copy.rehash()
            },
        },
        Tampering {
            what: "its proof is exchanged for a genuine one of the same log, about something else",
            code: "log.content",
            act: &|copy| {
                copy.exchange_proof(&other)?;
                copy.rehash()
            },
        },
    ];
    for (number, way) in (1..).zip(&ways) {
        let copy = Copy::of(package, root, &format!("tampered-{number}"))?;
        (way.act)(&copy)?;
        stage.tell(&format!("{number}. {}", way.what));
        if way.code == "seal.hash" && copy.passes_sha256sum() {
            stage.tell("(sha256sum -c finds nothing wrong with it)");
        }
        let answer = package.verify(&cast.ee, &copy.0)?;
        let findings = answer.last().get("findings").and_then(Value::as_array);
        let findings = findings.map_or(&[][..], Vec::as_slice);
        let found = findings
            .iter()
            .find(|finding| text_of(finding, "code") == way.code);
        if let Some(finding) = found.or(findings.first()) {
            let (file, message) = (text_of(finding, "file"), text_of(finding, "message"));
            stage.quote(&format!("NOT VERIFIED: {file}: {message}").into());
        }
        stage.check(
            "caught (exit code 1)",
            answer.code == Some(1) && found.is_some(),
        );
    }
    Ok(())
}

/// A copy of the package that may be changed.
struct Copy(PathBuf);

impl Copy {
    fn of(package: &Package, root: &Path, name: &str) -> anyhow::Result<Self> {
        let to = root.join(name);
        for file in files(&package.path)? {
            let target = to.join(&file);
            if let Some(folder) = target.parent() {
                std::fs::create_dir_all(folder)?;
            }
            // not copied: the rights of the package's files are to read only
            std::fs::write(target, std::fs::read(package.path.join(&file))?)?;
        }
        Ok(Self(to))
    }

    fn read(&self, file: &str) -> anyhow::Result<Vec<u8>> {
        std::fs::read(self.0.join(file)).with_context(|| format!("cannot read `{file}`"))
    }

    fn write(&self, file: &str, content: &[u8]) -> anyhow::Result<()> {
        std::fs::write(self.0.join(file), content).with_context(|| format!("cannot write `{file}`"))
    }

    /// One bit in the middle of a file.
    fn flip(&self, file: &str) -> anyhow::Result<()> {
        let mut content = self.read(file)?;
        let middle = content.len() / 2;
        let octet = content.get_mut(middle).context("an empty file")?;
        *octet ^= 1;
        self.write(file, &content)
    }

    /// Takes the hand-over out, and lets the seal say that this is the custody that was sealed.
    fn forget_hand_over(&self) -> anyhow::Result<()> {
        let custody = String::from_utf8(self.read(CUSTODY)?)?;
        let kept: String = custody
            .split_inclusive('\n')
            .filter(|line| !line.contains("\"kind\":\"transferred\""))
            .collect();
        self.write(CUSTODY, kept.as_bytes())?;
        let mut seal = Seal::parse(&self.read(SEAL)?)?;
        seal.custody_sha256 = sha256(kept.as_bytes());
        self.write(SEAL, seal.to_json().as_bytes())
    }

    /// Puts another proof, and the entry it is about, in the place of the package's.
    fn exchange_proof(&self, proof: &str) -> anyhow::Result<()> {
        let parsed = Proof::parse(proof.as_bytes())?;
        let opening = parsed.extra().and_then(Opening::parse);
        let opening = opening.context("the proof carries no entry")?;
        self.write(ENTRY, &opening.entry)?;
        self.write(PROOF, proof.as_bytes())
    }

    /// Makes both manifests anew, which takes no key.
    fn rehash(&self) -> anyhow::Result<()> {
        let mut payload = String::new();
        for file in files(&self.0)? {
            if file.starts_with("data/") {
                payload.push_str(&self.line(&file)?);
            }
        }
        self.write(MANIFEST, payload.as_bytes())?;
        let mut others = String::new();
        for file in files(&self.0)? {
            if !file.starts_with("data/") && file != TAG_MANIFEST {
                others.push_str(&self.line(&file)?);
            }
        }
        self.write(TAG_MANIFEST, others.as_bytes())
    }

    fn line(&self, file: &str) -> anyhow::Result<String> {
        Ok(format!("{}  {file}\n", Hex(&sha256(&self.read(file)?))))
    }

    /// Whether the tool that BagIt tells people to use is content.
    fn passes_sha256sum(&self) -> bool {
        let status = Command::new("sha256sum")
            .args(["-c", "--quiet", MANIFEST, TAG_MANIFEST])
            .current_dir(&self.0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }
}

/// Every file below a folder, by its path from there, sorted. A package has no links.
fn files(folder: &Path) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        for entry in std::fs::read_dir(folder.join(&below))? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else {
                found.push(path.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    Ok(found)
}
