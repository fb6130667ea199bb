//! Every name a file of a package may have. Anything else is refused before it is opened.

use std::fmt;

/// Most payload files of a package: its lists are read line by line, but a digest per file is kept.
pub const PAYLOAD_FILES_MAX: u32 = 1_000_000;
/// Most receipts of a package.
pub const RECEIPTS_MAX: u32 = 9_999;

/// A file of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// `bagit.txt`
    BagIt,
    /// `bag-info.txt`
    BagInfo,
    /// `manifest-sha256.txt`
    Manifest,
    /// `tagmanifest-sha256.txt`
    TagManifest,
    /// `seal/files.jsonl`
    Files,
    /// `seal/exhibits.jsonl`
    Exhibits,
    /// `seal/custody.jsonl`
    Custody,
    /// `seal/keys.txt`
    Keys,
    /// `seal/seal.json`
    Seal,
    /// `seal/seal.tlog-proof`
    Proof,
    /// `seal/entry.bin`
    Entry,
    /// `seal/policy.txt`
    Policy,
    /// `seal/case.jsonld`
    Case,
    /// `seal/checkpoint.tsr`
    Timestamp,
    /// `seal/tsa-chain.pem`
    TsaChain,
    /// `seal/receipts/<n>.receipt`, from 1
    Receipt(u32),
    /// `seal/receipts/<n>.tlog-proof`
    ReceiptProof(u32),
    /// `verify/verify.sh`
    Script,
    /// `verify/README`
    Readme,
    /// `data/<n>.bin`, from 1, six digits or more
    Payload(u32),
}

/// Why a name cannot be a file's in a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    /// `..`, `.`, an empty part, a leading slash, a drive, a backslash.
    #[error("the name leads, or could lead, out of the package")]
    Escapes,
    /// A control character or NUL.
    #[error("the name has a control character")]
    Control,
    /// Not ASCII: look-alikes and several spellings of one name.
    #[error("the name has characters other than ASCII")]
    Ascii,
    /// The name of a package's file but for upper and lower case, which some file systems hold to be the same.
    #[error("the name is a package's but for upper and lower case")]
    CaseTwin,
    /// Sound, but no package has it.
    #[error("no file of a package has this name")]
    Unknown,
}

/// Names without a number, in the order of `Name`.
const FIXED: &[(Name, &str)] = &[
    (Name::BagIt, "bagit.txt"),
    (Name::BagInfo, "bag-info.txt"),
    (Name::Manifest, "manifest-sha256.txt"),
    (Name::TagManifest, "tagmanifest-sha256.txt"),
    (Name::Files, "seal/files.jsonl"),
    (Name::Exhibits, "seal/exhibits.jsonl"),
    (Name::Custody, "seal/custody.jsonl"),
    (Name::Keys, "seal/keys.txt"),
    (Name::Seal, "seal/seal.json"),
    (Name::Proof, "seal/seal.tlog-proof"),
    (Name::Entry, "seal/entry.bin"),
    (Name::Policy, "seal/policy.txt"),
    (Name::Case, "seal/case.jsonld"),
    (Name::Timestamp, "seal/checkpoint.tsr"),
    (Name::TsaChain, "seal/tsa-chain.pem"),
    (Name::Script, "verify/verify.sh"),
    (Name::Readme, "verify/README"),
];

impl Name {
    /// Reads a path relative to the package, with slashes. There is one spelling of each.
    ///
    /// # Errors
    /// See [`NameFault`].
    pub fn parse(path: &[u8]) -> Result<Self, NameFault> {
        if path.iter().any(|byte| *byte < 0x20 || *byte == 0x7f) {
            return Err(NameFault::Control);
        }
        let text = str::from_utf8(path).map_err(|_| NameFault::Ascii)?;
        let parts = || text.split('/');
        if text.contains(['\\', ':']) || parts().any(|part| matches!(part, "" | "." | "..")) {
            return Err(NameFault::Escapes);
        }
        if !text.is_ascii() {
            return Err(NameFault::Ascii);
        }
        Self::known(text).ok_or_else(|| {
            let folded = text.to_ascii_lowercase();
            let twin = Self::known(&folded).is_some() || folded == "verify/readme";
            if twin {
                NameFault::CaseTwin
            } else {
                NameFault::Unknown
            }
        })
    }

    fn known(text: &str) -> Option<Self> {
        if let Some((name, _)) = FIXED.iter().find(|(_, path)| *path == text) {
            return Some(*name);
        }
        let number = |digits: &str| -> Option<u32> {
            let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse().ok())?
        };
        let name = if let Some(rest) = text.strip_prefix("data/") {
            Self::Payload(number(rest.strip_suffix(".bin")?)?)
        } else {
            let rest = text.strip_prefix("seal/receipts/")?;
            match rest.split_once('.')? {
                (digits, "receipt") => Self::Receipt(number(digits)?),
                (digits, "tlog-proof") => Self::ReceiptProof(number(digits)?),
                _ => return None,
            }
        };
        // one spelling: no other zeros in front, and a number that there is
        (name.is_numbered_rightly() && name.to_string() == text).then_some(name)
    }

    fn is_numbered_rightly(self) -> bool {
        match self {
            Self::Payload(number) => (1..=PAYLOAD_FILES_MAX).contains(&number),
            Self::Receipt(number) | Self::ReceiptProof(number) => {
                (1..=RECEIPTS_MAX).contains(&number)
            }
            _ => true,
        }
    }

    /// A payload file, listed in `manifest-sha256.txt`; all others but one are listed in the tag manifest.
    #[must_use]
    pub fn is_payload(self) -> bool {
        matches!(self, Self::Payload(_))
    }

    /// Whether every package has it.
    #[must_use]
    pub fn is_required(self) -> bool {
        !matches!(
            self,
            Self::Timestamp
                | Self::TsaChain
                | Self::Receipt(_)
                | Self::ReceiptProof(_)
                | Self::Payload(_)
        )
    }

    /// The files every package has.
    pub fn required() -> impl Iterator<Item = Self> {
        FIXED
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| name.is_required())
    }

    /// Whether `seal.json` has its hash under `others`: files written before the log's answer that have no field of their own.
    #[must_use]
    pub fn is_other(self) -> bool {
        matches!(
            self,
            Self::BagIt
                | Self::BagInfo
                | Self::Policy
                | Self::Case
                | Self::Receipt(_)
                | Self::ReceiptProof(_)
                | Self::Script
                | Self::Readme
        )
    }

    /// Directories a package has.
    #[must_use]
    pub fn is_directory(path: &str) -> bool {
        matches!(path, "data" | "seal" | "seal/receipts" | "verify")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payload(number) => write!(f, "data/{number:06}.bin"),
            Self::Receipt(number) => write!(f, "seal/receipts/{number}.receipt"),
            Self::ReceiptProof(number) => write!(f, "seal/receipts/{number}.tlog-proof"),
            fixed => {
                let path = FIXED.iter().find(|(name, _)| name == fixed);
                f.write_str(path.map_or("", |(_, path)| path))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        let numbered = [1, 2, 9_999].into_iter().flat_map(|number| {
            [
                Name::Payload(number),
                Name::Receipt(number),
                Name::ReceiptProof(number),
            ]
        });
        let fixed = FIXED.iter().map(|(name, _)| *name);
        for name in fixed
            .chain(numbered)
            .chain([Name::Payload(PAYLOAD_FILES_MAX)])
        {
            assert_eq!(Name::parse(name.to_string().as_bytes()), Ok(name));
        }
    }

    #[test]
    fn other_names_are_refused_for_what_they_are() {
        use NameFault::*;
        for (path, fault) in [
            ("../seal/seal.json", Escapes),
            ("data/../../outside.txt", Escapes),
            ("/etc/passwd", Escapes),
            ("C:/x", Escapes),
            ("data\\000001.bin", Escapes),
            ("data//000001.bin", Escapes),
            ("data/./000001.bin", Escapes),
            ("data/", Escapes),
            ("", Escapes),
            ("data/00\u{0}0001.bin", Control),
            ("data/000001.bin\n", Control),
            ("data/000001.bi\u{202e}n", Ascii),
            ("d\u{430}ta/000001.bin", Ascii),
            ("Data/000001.bin", CaseTwin),
            ("verify/readme", CaseTwin),
            ("data/1.bin", Unknown),
            ("data/0000001.bin", Unknown),
            ("data/000000.bin", Unknown),
            ("data/1000001.bin", Unknown),
            ("data/+00001.bin", Unknown),
            ("seal/receipts/01.receipt", Unknown),
            ("seal/receipts/0.receipt", Unknown),
            ("seal/receipts/1.txt", Unknown),
            ("seal", Unknown),
            ("fetch.txt", Unknown),
        ] {
            assert_eq!(Name::parse(path.as_bytes()), Err(fault), "{path:?}");
        }
        assert_eq!(Name::parse(b"data/\xff.bin"), Err(Ascii));
    }
}
