//! Policies: the specification's example, every rule with its message, octets, limits, round trips.
//! Quorums are in `quorum`.

use comity_ledger::note::VerifierKey;
use comity_ledger::policy::{
    GROUPS_MAX, LOGS_MAX, POLICY_BYTES_MAX, Policy, PolicyBuilder, PolicyError, PolicyFault,
    Threshold, WITNESSES_MAX,
};
use comity_ledger::verify::TrustedLog;
use proptest::prelude::*;

use crate::support::{ed25519_witness, ml_dsa_witness, name, signer};

/// Distinct keys without end: the seed is the number.
fn seed(number: u32) -> [u8; 32] {
    let mut seed = [0; 32];
    seed[..4].copy_from_slice(&number.to_be_bytes());
    seed
}

fn log_vkey(number: u32) -> String {
    let signer =
        comity_ledger::note::Signer::from_seed(name("log.example"), &seed(number)).unwrap();
    signer.verifier().to_string()
}

pub(crate) fn witness_vkey(number: u32) -> String {
    let name = name(&format!("w{number}.example"));
    let cosigner =
        comity_ledger::cosignature::Cosigner::ed25519_from_seed(name, &seed(number)).unwrap();
    cosigner.verifier().to_string()
}

/// The example of tlog-policy with keys in it; `L`, `A` to `F` stand for vkeys.
pub(crate) fn with_keys(text: &str) -> String {
    let keys = [("<L>", log_vkey(1))];
    let witnesses = (0..6).zip(["<A>", "<B>", "<C>", "<D>", "<E>", "<F>"]);
    let witnesses = witnesses.map(|(number, place)| (place, witness_vkey(number + 10)));
    keys.into_iter()
        .chain(witnesses)
        .fold(text.to_owned(), |text, (place, key)| {
            text.replace(place, &key)
        })
}

const EXAMPLE: &str = "log <L>\n\
    \n\
    witness X1 <A>\nwitness X2 <B>\nwitness X3 <C>\n\
    group X-witnesses 2 X1 X2 X3\n\
    \n\
    witness Y1 <D>\nwitness Y2 <E>\nwitness Y3 <F>\n\
    group Y-witnesses any Y1 Y2 Y3\n\
    \n\
    group X-and-Y all X-witnesses Y-witnesses\n\
    quorum X-and-Y\n";

fn example() -> Policy {
    Policy::parse(with_keys(EXAMPLE).as_bytes()).unwrap()
}

pub(crate) fn met(policy: &Policy, by: &[&str]) -> bool {
    policy.is_met(|witness| {
        by.iter()
            .any(|name| name.as_bytes() == witness.name().as_bytes())
    })
}

/// "it is required that there are valid cosignatures from at least two of the X-witnesses, and from at least one of the
/// Y-witnesses"
#[test]
fn the_example_of_the_specification() {
    let policy = example();
    assert_eq!(
        (
            policy.logs().len(),
            policy.witnesses().len(),
            policy.groups().len()
        ),
        (1, 6, 3)
    );
    assert_eq!(policy.quorum().unwrap().to_string(), "X-and-Y");
    let names: Vec<&str> = vec!["X1", "X2", "X3", "Y1", "Y2", "Y3"];
    for set in 0_u32..64 {
        let by: Vec<&str> = (0..6)
            .filter(|at| set & (1 << at) != 0)
            .map(|at| names[at])
            .collect();
        let count = |letter: char| by.iter().filter(|name| name.starts_with(letter)).count();
        assert_eq!(
            met(&policy, &by),
            count('X') >= 2 && count('Y') >= 1,
            "{by:?}"
        );
    }
    assert_eq!(
        policy.log("log.example").unwrap().keys,
        [policy.logs()[0].key().clone()]
    );
    assert_eq!(policy.log("log.example/2"), None);
    let groups: Vec<Vec<String>> = policy
        .groups()
        .iter()
        .map(|group| policy.members(group).map(ToString::to_string).collect())
        .collect();
    assert_eq!(groups[2], ["X-witnesses", "Y-witnesses"]);
    assert_eq!(policy.groups()[2].needed(), 2);
}

/// Every rule, with what is said to whoever wrote the file.
#[test]
fn errors_name_the_line_and_the_remedy() {
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let file = with_keys(text);
        let error = Policy::parse(file.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, with_keys(expected), "{text:?}");
    }
    let no_quorum =
        "the policy has no quorum line; add one, such as `quorum none` if no witness is needed";
    check("", no_quorum);
    check("# nothing\n", no_quorum);
    check(
        "quorum none",
        "line 1: the last line does not end in a newline; add one",
    );
    check(
        "\nquorum none\n#",
        "line 3: the last line does not end in a newline; add one",
    );
    check(
        "quorum none\r\n",
        "line 1: the character 0x0d is not allowed; only tab and newline are, of the control characters",
    );
    check(
        "# \u{7f}\n",
        "line 1: the character 0x7f is not allowed; only tab and newline are, of the control characters",
    );
    check(
        "# \0\n",
        "line 1: the character 0x00 is not allowed; only tab and newline are, of the control characters",
    );
    check(
        "logs <L>\n",
        "line 1: `logs` is no `log`, `witness`, `group` or `quorum`; correct it, or begin a comment with `#`",
    );
    check(
        "Log <L>\n",
        "line 1: `Log` is no `log`, `witness`, `group` or `quorum`; correct it, or begin a comment with `#`",
    );
    check("log\n", "line 1: write `log <vkey> [<url>]`");
    check(
        "log <L> url # comment\n",
        "line 1: write `log <vkey> [<url>]`",
    );
    check(
        "witness a\n",
        "line 1: write `witness <name> <vkey> [<url>]`",
    );
    check(
        "witness a <A> url more\n",
        "line 1: write `witness <name> <vkey> [<url>]`",
    );
    check(
        "group a\n",
        "line 1: write `group <name> <number>|any|all <name>...`",
    );
    check(
        "group a some b\n",
        "line 1: write `group <name> <number>|any|all <name>...`",
    );
    check(
        "group a 01 b\n",
        "line 1: write `group <name> <number>|any|all <name>...`",
    );
    check(
        "group a +1 b\n",
        "line 1: write `group <name> <number>|any|all <name>...`",
    );
    check(
        "group a ALL b\n",
        "line 1: write `group <name> <number>|any|all <name>...`",
    );
    check("quorum\n", "line 1: write `quorum <name>|none`");
    check("quorum a b\n", "line 1: write `quorum <name>|none`");
    check(
        "log x+y\n",
        "line 1: a verifier key has the form name+id+key, with 8 lower-case hexadecimal digits as id and base64 as key",
    );
    check(
        "log <A>\n",
        "line 1: the key `w10.example` is no log's; give one of type 0x01 (Ed25519) or 0x06 (ML-DSA-44)",
    );
    check(
        "witness a <L>\n",
        "line 1: the key `log.example` is no witness's; give one of type 0x04 (Ed25519 cosignature) or 0x06 (ML-DSA-44 cosignature)",
    );
    check(
        "log <L>\nlog <L>\n",
        "line 2: the public key of `log.example` is that of `log.example` already, whatever their names; remove one of the two",
    );
    check(
        "witness a <A>\nwitness a <B>\n",
        "line 2: the name `a` is taken already; take another",
    );
    check(
        "witness none <A>\n",
        "line 1: the name `none` is taken already; take another",
    );
    check(
        "witness a <A>\ngroup a any a\n",
        "line 2: the name `a` is taken already; take another",
    );
    check(
        "group g any a\nwitness a <A>\n",
        "line 1: `a` is no witness or group defined on a line before; define it first",
    );
    check(
        "group g any g\n",
        "line 1: `g` is no witness or group defined on a line before; define it first",
    );
    check(
        "group g any none\n",
        "line 1: `none` is no witness or group defined on a line before; define it first",
    );
    check(
        "quorum a\nwitness a <A>\n",
        "line 1: `a` is no witness or group defined on a line before; define it first",
    );
    let twice = "`a` is a member of a group already; each may be the member of one group, once";
    check(
        "witness a <A>\ngroup g any a a\n",
        &format!("line 2: {twice}"),
    );
    check(
        "witness a <A>\ngroup g any a\ngroup h any a\n",
        &format!("line 3: {twice}"),
    );
    check(
        "group g any\n",
        "line 1: the group `g` has no members; name at least one",
    );
    check(
        "witness a <A>\ngroup g 0 a\n",
        "line 2: the group `g` needs 0 of its 1 members; give a number from 1 to 1, `any` or `all`",
    );
    check(
        "witness a <A>\ngroup g 2 a\n",
        "line 2: the group `g` needs 2 of its 1 members; give a number from 1 to 1, `any` or `all`",
    );
    check(
        "quorum none\nquorum none\n",
        "line 2: the quorum is defined already; remove one of the two lines",
    );
    let long = "n".repeat(300);
    check(
        &format!("witness {long} <A>\n"),
        &format!(
            "line 1: the name `{}...` is empty, longer than 255 bytes, or has a space or control character; take another",
            "n".repeat(80)
        ),
    );
    check(
        &format!("log <L> {}\n", "u".repeat(2049)),
        &format!(
            "line 1: the URL `{}...` is empty, longer than 2048 bytes, or has a space or control character; correct or leave it out",
            "u".repeat(80)
        ),
    );
    let file = vec![b'#'; POLICY_BYTES_MAX + 1];
    assert_eq!(Policy::parse(&file), Err(PolicyError::Long(file.len())));
}

/// "Two vkeys are considered duplicate if they wrap the same underlying public key, even if they differ by key name and key
/// id"; for Ed25519 witnesses one key under two names would be two votes of one.
#[test]
fn one_key_is_one_vote() {
    let duplicate = |lines: &[(&str, &VerifierKey)]| {
        let file: String = lines
            .iter()
            .map(|(line, key)| format!("{line} {key}\n"))
            .collect();
        let error = Policy::parse(format!("{file}quorum none\n").as_bytes()).unwrap_err();
        assert!(
            matches!(
                error,
                PolicyError::Line {
                    line: 2,
                    fault: PolicyFault::DuplicateKey(..)
                }
            ),
            "{error}"
        );
    };
    let (a, b) = (ed25519_witness("a", 1), ed25519_witness("b", 1));
    assert_ne!(a.verifier().id(), b.verifier().id());
    duplicate(&[("witness a", a.verifier()), ("witness b", b.verifier())]);
    let (a, b) = (ml_dsa_witness("a", 1), ml_dsa_witness("b", 1));
    duplicate(&[("witness a", a.verifier()), ("witness b", b.verifier())]);
    duplicate(&[("log", a.verifier()), ("log", b.verifier())]);
    duplicate(&[
        ("log", signer("a", 1).verifier()),
        ("log", signer("b", 1).verifier()),
    ]);
    // a log that witnesses itself, also under the other signature type
    duplicate(&[("log", a.verifier()), ("witness a", a.verifier())]);
    duplicate(&[
        ("log", signer("a", 1).verifier()),
        ("witness a", ed25519_witness("a", 1).verifier()),
    ]);
    duplicate(&[
        ("witness a", ed25519_witness("a", 1).verifier()),
        ("log", signer("a", 1).verifier()),
    ]);
    // two keys of one witness under two names are two lines, which the policy's author has to group
    let both = format!(
        "witness a {}\nwitness b {}\ngroup w any a b\nquorum w\n",
        ed25519_witness("w", 1).verifier(),
        ml_dsa_witness("w", 1).verifier()
    );
    assert!(Policy::parse(both.as_bytes()).is_ok());
}

/// "names must be handled as opaque octet strings, e.g., the name 0x4B [...] is different from the name 0xE2 0x84 0xAA"
#[test]
fn octets() {
    let line = |name: &[u8], key: u32| {
        [b"witness ", name, b" ", witness_vkey(key).as_bytes(), b"\n"].concat()
    };
    let file = [
        line(b"K", 1),
        line(b"\xe2\x84\xaa", 2),
        line(b"\xff\x80", 3),
        b"quorum \xff\x80\n".to_vec(),
    ]
    .concat();
    let policy = Policy::parse(&file).unwrap();
    assert_eq!(policy.to_bytes(), file);
    assert_eq!(policy.quorum().unwrap().as_bytes(), b"\xff\x80");
    assert!(policy.is_met(|witness| witness.name().as_bytes() == b"\xff\x80"));
    assert!(!policy.is_met(|witness| witness.name().as_bytes() == b"K"));
    assert_eq!(
        format!("{:?}", policy.quorum().unwrap()),
        "PolicyName(\\xff\\x80)"
    );
    // white space is space and tab, at either end too; others are part of a name
    let spaced = format!(
        " \t witness\t\tK \t{} http://x/\u{e9} \t\n\t# a comment \u{20ac}\n \t\n\tquorum K\t\n",
        witness_vkey(1)
    );
    let policy = Policy::parse(spaced.as_bytes()).unwrap();
    assert_eq!(
        policy.witnesses()[0].url().unwrap().as_str(),
        Some("http://x/\u{e9}")
    );
    let odd = format!("witness K\u{a0}L {}\nquorum K\u{a0}L\n", witness_vkey(1));
    assert_eq!(
        Policy::parse(odd.as_bytes())
            .unwrap()
            .quorum()
            .unwrap()
            .to_string(),
        "K\u{a0}L"
    );
    // a comment only at the beginning of a line
    let hash = format!("witness #K {}\nquorum #K\n", witness_vkey(1));
    assert_eq!(
        Policy::parse(hash.as_bytes())
            .unwrap()
            .quorum()
            .unwrap()
            .to_string(),
        "#K"
    );
    let url = [b"log ", log_vkey(1).as_bytes(), b" \xff\nquorum none\n"].concat();
    let policy = Policy::parse(&url).unwrap();
    assert_eq!(
        (policy.logs()[0].url().unwrap().as_str(), policy.to_bytes()),
        (None, url)
    );
}

/// "supports at least up to 32 logs, 32 witnesses, and 32 groups"
#[test]
fn limits() {
    let file = |logs: usize, witnesses: usize, groups: usize| {
        let mut file = String::new();
        for number in 0..logs {
            let number = u32::try_from(number).unwrap();
            file += &format!("log {}\n", log_vkey(number));
        }
        for number in 0..witnesses {
            file += &format!(
                "witness w{number} {}\n",
                witness_vkey(1000 + u32::try_from(number).unwrap())
            );
        }
        for number in 0..groups {
            // each the member of the next: as deep as it gets
            let member = if number == 0 {
                "w0".to_owned()
            } else {
                format!("g{}", number - 1)
            };
            file += &format!("group g{number} all {member}\n");
        }
        file + "quorum g31\n"
    };
    for count in [32, 128] {
        let policy = Policy::parse(file(count, count, count).as_bytes()).unwrap();
        assert!(met(&policy, &["w0"]) && !met(&policy, &["w1", "w2"]));
    }
    let too_many = |logs, witnesses, groups, what| {
        let error = Policy::parse(file(logs, witnesses, groups).as_bytes()).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with(&format!("the policy has more than 128 {what}; remove some")),
            "{error}"
        );
    };
    too_many(LOGS_MAX + 1, 1, 32, "logs");
    too_many(1, WITNESSES_MAX + 1, 32, "witnesses");
    too_many(1, 1, GROUPS_MAX + 1, "groups");
    // the longest keys there are fit in
    let longest = "n".repeat(255);
    let mut builder = PolicyBuilder::default();
    for number in 0..128_u32 {
        let key = |at: u32| {
            let mut public = [1; 1312];
            public[..4].copy_from_slice(&at.to_be_bytes());
            VerifierKey::cosignature_ml_dsa_44(name(&longest), &public).unwrap()
        };
        let url = "u".repeat(200);
        builder.log(key(number), Some(url.as_bytes())).unwrap();
        builder
            .witness(
                format!("{number:0>255}").as_bytes(),
                key(1000 + number),
                Some(url.as_bytes()),
            )
            .unwrap();
    }
    builder.quorum(b"none").unwrap();
    let policy = builder.build().unwrap();
    assert_eq!(Policy::parse(&policy.to_bytes()), Ok(policy));
}

#[test]
fn what_is_built_keeps_the_same_rules() {
    let key = |number: u32| VerifierKey::parse(&witness_vkey(number)).unwrap();
    let mut builder = PolicyBuilder::default();
    for wrong in [b"".as_slice(), b"a b", b"a\tb", b"a\n", b"\x7f"] {
        assert!(matches!(
            builder.witness(wrong, key(1), None),
            Err(PolicyFault::Name(_))
        ));
        assert!(matches!(
            builder.witness(b"w", key(1), Some(wrong)),
            Err(PolicyFault::Url(_))
        ));
        assert!(matches!(builder.quorum(wrong), Err(PolicyFault::Name(_))));
    }
    // a key's name may have characters a policy cannot
    let odd = ed25519_witness("a\u{7f}", 9);
    assert_eq!(
        builder.witness(b"w", odd.verifier().clone(), None),
        Err(PolicyFault::KeyCharacter(name("a\u{7f}")))
    );
    builder
        .witness(b"w", key(1), Some(b"https://w.example/"))
        .unwrap();
    builder.group(b"g", Threshold::AtLeast(1), &[b"w"]).unwrap();
    assert_eq!(builder.clone().build(), Err(PolicyFault::NoQuorum));
    builder.quorum(b"g").unwrap();
    let policy = builder.build().unwrap();
    let expected = format!(
        "witness w {} https://w.example/\ngroup g 1 w\nquorum g\n",
        witness_vkey(1)
    );
    assert_eq!(policy.to_bytes(), expected.as_bytes());
    // to change a quorum, go on from the lines
    let mut builder = PolicyBuilder::from(policy);
    builder.quorum(b"none").unwrap();
    assert_eq!(builder.build().unwrap().quorum(), None);
}

#[test]
fn the_same_witnesses_for_another_log() {
    let policy = example();
    let log = |keys| TrustedLog {
        origin: "other.example/1".to_owned(),
        keys,
    };
    let (ed25519, ml_dsa) = (
        signer("other.example/1", 50),
        ml_dsa_witness("other.example/1", 51),
    );
    let other = log(vec![ed25519.verifier().clone(), ml_dsa.verifier().clone()]);
    let for_other = policy.for_log(&other).unwrap();
    assert_eq!(
        (
            for_other.log("other.example/1"),
            for_other.log("log.example")
        ),
        (Some(other.clone()), None)
    );
    assert_eq!(
        (for_other.witnesses(), for_other.quorum()),
        (policy.witnesses(), policy.quorum())
    );
    assert_eq!(Policy::parse(&for_other.to_bytes()), Ok(for_other));
    // "This name MUST correspond to the log's origin line"
    let misnamed = log(vec![signer("another", 50).verifier().clone()]);
    assert_eq!(
        policy.for_log(&misnamed),
        Err(PolicyFault::LogName(
            name("another"),
            "other.example/1".to_owned()
        ))
    );
    // a witness is not its own log
    let key = policy.witnesses()[0].key();
    let itself = VerifierKey::ed25519(
        name("other.example/1"),
        key.public_key().try_into().unwrap(),
    )
    .unwrap();
    assert!(matches!(
        policy.for_log(&log(vec![itself])),
        Err(PolicyFault::DuplicateKey(..))
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Any octets: nothing panics, and what is read prints to a file that reads the same.
    #[test]
    fn reading_and_printing(lines in prop::collection::vec(
        prop_oneof![
            Just(b"log L U\n".to_vec()), Just(b"witness a A\n".to_vec()), Just(b"witness b B U\n".to_vec()),
            Just(b"group g any a b\n".to_vec()), Just(b"group g 1 a\n".to_vec()), Just(b"group h all g\n".to_vec()),
            Just(b"quorum g\n".to_vec()), Just(b"quorum none\n".to_vec()), Just(b"quorum b\n".to_vec()),
            prop::collection::vec(any::<u8>(), 0..20),
        ], 0..8,
    )) {
        let file = lines.concat();
        let mut bytes = Vec::new();
        for byte in file {
            match byte {
                b'L' => bytes.extend(log_vkey(1).into_bytes()),
                b'A' => bytes.extend(witness_vkey(1).into_bytes()),
                b'B' => bytes.extend(witness_vkey(2).into_bytes()),
                other => bytes.push(other),
            }
        }
        if let Ok(policy) = Policy::parse(&bytes) {
            prop_assert_eq!(Policy::parse(&policy.to_bytes()), Ok(policy));
        }
    }
}
