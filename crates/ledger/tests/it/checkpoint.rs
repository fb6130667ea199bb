//! Checkpoints: the specification's example, parse errors, round trips, `tlog_tiles` as oracle.

use comity_ledger::checkpoint::{Checkpoint, CheckpointError};
use comity_ledger::tree::empty_root;
use proptest::prelude::*;

const TEXT: &str =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

#[test]
fn the_example_of_the_specification() {
    let checkpoint = Checkpoint::parse(TEXT).unwrap();
    assert_eq!(
        (checkpoint.origin(), checkpoint.size()),
        ("example.com/behind-the-sofa", 20_852_163)
    );
    assert_eq!(checkpoint.to_string(), TEXT);
    assert_eq!(
        Checkpoint::new(checkpoint.origin(), checkpoint.size(), *checkpoint.root()).unwrap(),
        checkpoint
    );
    let extended = format!("{TEXT}one\ntwo\n");
    assert_eq!(
        Checkpoint::parse(&extended).unwrap().extensions(),
        ["one", "two"]
    );
    assert_eq!(Checkpoint::parse(&extended).unwrap().to_string(), extended);
}

#[test]
fn parse_errors() {
    fn check(text: &str, expected: CheckpointError) {
        assert_eq!(Checkpoint::parse(text), Err(expected), "{text:?}");
    }
    let with_size = |size: &str| TEXT.replace("20852163", size);
    check("", CheckpointError::Lines);
    check("origin\n1\n", CheckpointError::Lines);
    check(TEXT.trim_end(), CheckpointError::Lines);
    check(&format!("{TEXT}\n"), CheckpointError::Lines);
    check(&format!("{TEXT}one\n\ntwo\n"), CheckpointError::Lines);
    check(
        &format!("{TEXT}{}", "x\n".repeat(17)),
        CheckpointError::Lines,
    );
    check(
        &format!("{TEXT}{}\n", "x".repeat(20_000)),
        CheckpointError::Lines,
    );
    check(
        &TEXT.replace("example.com/behind-the-sofa", ""),
        CheckpointError::Origin,
    );
    check(
        &TEXT.replace("sofa", &"a".repeat(256)),
        CheckpointError::Origin,
    );
    for size in [
        "",
        "01",
        "00",
        "+1",
        "-1",
        " 1",
        "1 ",
        "1e3",
        "\u{661}",
        "9223372036854775808",
        "99999999999999999999",
    ] {
        check(&with_size(size), CheckpointError::Size);
    }
    assert!(Checkpoint::parse(&with_size("9223372036854775807")).is_ok());
    check(&TEXT.replace("q2I=", "q2I"), CheckpointError::Root);
    check(&TEXT.replace("q2I=", "q2J="), CheckpointError::Root);
    check(&TEXT.replace("CsUY", ""), CheckpointError::Root);
    check(&with_size("0"), CheckpointError::EmptyRoot);
    assert!(Checkpoint::new("o", 0, empty_root()).is_ok());
    assert_eq!(
        Checkpoint::new("a\nb", 1, [0; 32]),
        Err(CheckpointError::Origin)
    );
    assert_eq!(
        Checkpoint::new("o", u64::MAX, [0; 32]),
        Err(CheckpointError::Size)
    );
}

proptest! {
    #[test]
    fn round_trip(origin in "[!-~]{1,40}", size in 1_u64..=i64::MAX as u64, root: [u8; 32]) {
        let checkpoint = Checkpoint::new(origin, size, root).unwrap();
        let text = checkpoint.to_string();
        prop_assert_eq!(&Checkpoint::parse(&text).unwrap(), &checkpoint);
        let theirs = tlog_tiles::Checkpoint::from_bytes(text.as_bytes()).unwrap();
        prop_assert_eq!((theirs.origin(), theirs.size(), theirs.hash().0), (checkpoint.origin(), size, root));
    }

    /// We read nothing that the oracle refuses.
    #[test]
    fn no_laxer_than_the_oracle(text in "o\n[0-9]{1,3}\n[A-D]{42}[A-H]={0,2}\n[a\n]{0,4}") {
        if let Ok(checkpoint) = Checkpoint::parse(&text) {
            prop_assert_eq!(checkpoint.to_string(), &text[..]);
            prop_assert!(tlog_tiles::Checkpoint::from_bytes(text.as_bytes()).is_ok());
        }
    }
}
