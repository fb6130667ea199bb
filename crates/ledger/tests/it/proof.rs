//! Proof files: shape, parse errors, round trips. What they prove is in `verify`.

use comity_ledger::note::{KeyName, SignedNote, Signer};
use comity_ledger::proof::{EXTRA_BYTES_MAX, Opening, PROOF_BYTES_MAX, Proof, ProofError};
use proptest::prelude::*;

const NOTE: &str = "log.example/1\n4\ngSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n\n\u{2014} log.example/1 AAAAAAE=\n";

fn text() -> String {
    format!(
        "c2sp.org/tlog-proof@v1\nextra ZXh0cmE=\nindex 2\ngSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n\
         B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n\n{NOTE}"
    )
}

#[test]
fn reads_and_prints() {
    let proof = Proof::parse(text().as_bytes()).unwrap();
    assert_eq!(
        (proof.index(), proof.path().len(), proof.extra()),
        (2, 2, Some(b"extra".as_slice()))
    );
    assert_eq!(
        (proof.to_string(), proof.checkpoint().to_string().as_str()),
        (text(), NOTE)
    );
    let bare = format!("c2sp.org/tlog-proof@v1\nindex 0\n\n{NOTE}");
    let proof = Proof::parse(bare.as_bytes()).unwrap();
    assert_eq!(
        (proof.index(), proof.path().len(), proof.extra()),
        (0, 0, None)
    );
    assert_eq!(proof.to_string(), bare);
}

#[test]
fn parse_errors() {
    fn check(from: &str, to: &str, expected: ProofError) {
        let changed = text().replacen(from, to, 1);
        assert_ne!(changed, text());
        assert_eq!(Proof::parse(changed.as_bytes()), Err(expected), "{changed}");
    }
    check("proof@v1", "proof@v2", ProofError::Header);
    check("c2sp", " c2sp", ProofError::Header);
    check("extra ZXh0cmE=", "extra ZXh0cmE", ProofError::Extra);
    check("extra ", "extra  ", ProofError::Extra);
    check("extra ", "extra", ProofError::Index);
    check(
        "extra ZXh0cmE=",
        "extra ZXh0cmE=\nextra ZXh0cmE=",
        ProofError::Index,
    );
    check(
        "extra ZXh0cmE=\nindex 2",
        "index 2\nextra ZXh0cmE=",
        ProofError::Path(1),
    );
    check("index 2", "index 02", ProofError::Index);
    check("index 2", "index  2", ProofError::Index);
    check("index 2", "Index 2", ProofError::Index);
    check("index 2", "index", ProofError::Index);
    check("index 2", "index 9223372036854775808", ProofError::Index);
    check("gSKy", "gSKyAAAA", ProofError::Path(1));
    check("gSKy", "\r", ProofError::Path(1));
    check("XmA=\n", "XmB=\n", ProofError::Path(2));
    check("XmA=\n\n", "XmA=\n", ProofError::Path(3));
    check(
        "XmA=\n",
        &format!(
            "XmA=\n{}",
            "B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n".repeat(62)
        ),
        ProofError::Path(64),
    );
    let large = " ".repeat(PROOF_BYTES_MAX + 1);
    assert_eq!(
        Proof::parse(large.as_bytes()),
        Err(ProofError::Long(PROOF_BYTES_MAX + 1))
    );
    assert_eq!(Proof::parse(b"\xff"), Err(ProofError::Header));
    assert_eq!(Proof::parse(b""), Err(ProofError::Header));
    for end in 0..text().len() {
        assert!(
            text()
                .get(..end)
                .is_none_or(|cut| Proof::parse(cut.as_bytes()).is_err()),
            "cut at {end}"
        );
    }
    assert!(Proof::parse(format!("{}\n", text()).as_bytes()).is_err());
    assert!(Proof::parse(format!("{}x", text()).as_bytes()).is_err());
}

#[test]
fn limits_of_what_is_put_together() {
    let note = || SignedNote::parse(NOTE.as_bytes()).unwrap();
    assert_eq!(
        Proof::new(u64::MAX, vec![], note(), None),
        Err(ProofError::Index)
    );
    assert_eq!(
        Proof::new(0, vec![[0; 32]; 64], note(), None),
        Err(ProofError::Path(64))
    );
    assert_eq!(
        Proof::new(0, vec![], note(), Some(vec![0; EXTRA_BYTES_MAX + 1])),
        Err(ProofError::Extra)
    );
    let largest = Proof::new(0, vec![[0; 32]; 63], note(), Some(vec![0; EXTRA_BYTES_MAX])).unwrap();
    assert_eq!(Proof::parse(largest.to_string().as_bytes()), Ok(largest));
}

#[test]
fn openings() {
    for opening in [
        Opening {
            entry: [7; 76],
            salt: None,
        },
        Opening {
            entry: [7; 76],
            salt: Some([8; 32]),
        },
    ] {
        assert_eq!(Opening::parse(&opening.to_bytes()), Some(opening));
    }
    for length in (0..150).filter(|length| ![76, 108].contains(length)) {
        assert_eq!(Opening::parse(&vec![0; length]), None, "{length}");
    }
}

proptest! {
    #[test]
    fn round_trip(
        index in 0..=i64::MAX as u64, path in prop::collection::vec(any::<[u8; 32]>(), 0..64),
        extra in prop::option::of(prop::collection::vec(any::<u8>(), 0..120)), seed: [u8; 32],
    ) {
        let signer = Signer::from_seed(KeyName::new("log.example/1").unwrap(), &seed).unwrap();
        let note = SignedNote::sign("log.example/1\n4\n".to_owned(), &[&signer]).unwrap();
        let proof = Proof::new(index, path, note, extra).unwrap();
        prop_assert_eq!(Proof::parse(proof.to_string().as_bytes()), Ok(proof));
    }
}
