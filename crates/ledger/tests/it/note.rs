//! Signed notes and keys: the specification's example, parse errors, round trips, `signed_note` as oracle.

use comity_ledger::note::{
    KeyError, KeyName, NOTE_BYTES_MAX, NoteError, NoteInvalid, NoteSignature, SIGNATURES_MAX,
    SignedNote, Signer, VerifierKey,
};
use proptest::prelude::*;
use signed_note::{StandardVerifier, VerifierList};

const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

fn signer(name: &str, seed: u8) -> Signer {
    Signer::from_seed(KeyName::new(name).unwrap(), &[seed; 32]).unwrap()
}

#[test]
fn the_example_of_the_specification() {
    let key = VerifierKey::parse(VKEY).unwrap();
    let note = SignedNote::parse(NOTE.as_bytes()).unwrap();
    assert_eq!(
        note.verify(std::slice::from_ref(&key)).unwrap().text(),
        "This is an example message.\n"
    );
    assert_eq!(
        (
            note.to_string().as_str(),
            key.to_string().as_str(),
            key.id()
        ),
        (NOTE, VKEY, 0x530d_903a)
    );
    // well-formed, though by a key of which only the name is printed
    let poem = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned \u{e8} subito sera.\n\n\
        \u{2014} quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
    let note = SignedNote::parse(poem.as_bytes()).unwrap();
    assert!(
        note.text_unverified()
            .ends_with("\n\ned \u{e8} subito sera.\n")
    );
    assert_eq!(
        (note.to_string().as_str(), note.verify(&[key])),
        (poem, Err(NoteInvalid::Unknown))
    );
}

#[test]
fn every_changed_bit_is_refused() {
    let keys = [VerifierKey::parse(VKEY).unwrap()];
    for bit in 0..NOTE.len() * 8 {
        let mut bytes = NOTE.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let believed = SignedNote::parse(&bytes).is_ok_and(|note| note.verify(&keys).is_ok());
        assert!(!believed, "bit {bit}");
    }
    for end in 0..NOTE.len() {
        assert!(
            SignedNote::parse(&NOTE.as_bytes()[..end]).is_err(),
            "cut at {end}"
        );
    }
    for extra in ["\n", " ", "x", "\0", "\u{2014}", NOTE] {
        let parsed = SignedNote::parse(format!("{NOTE}{extra}").as_bytes());
        assert!(
            !parsed.is_ok_and(|note| note.verify(&keys).is_ok()),
            "{extra:?}"
        );
    }
}

#[test]
fn parse_errors() {
    fn check(note: &str, expected: &str) {
        assert_eq!(
            SignedNote::parse(note.as_bytes()).unwrap_err().to_string(),
            expected,
            "{note:?}"
        );
    }
    let no_separator = "the note has no empty line between text and signatures";
    check("", no_separator);
    check("text\n", no_separator);
    check("text\n\u{2014} n AAAAAAE=\n", no_separator);
    check("text\n\n", "the note has no signature");
    check(
        "a\tb\n\n\u{2014} n AAAAAAE=\n",
        "the note has a control character at byte 1",
    );
    check(
        "a\r\n\n\u{2014} n AAAAAAE=\n",
        "the note has a control character at byte 1",
    );
    check(
        "a\n\n\u{2014} n AAAAAAE=\nx\n",
        "signature line 2 is malformed",
    );
    for line in [
        "- n AAAAAAE=\n",               // hyphen
        "\u{2014}n AAAAAAE=\n",         // no space
        "\u{2014} n AAAAAAE=",          // no newline
        "\u{2014} n  AAAAAAE=\n",       // two spaces
        "\u{2014} n AAAAAAE= \n",       // trailing space
        "\u{2014}  AAAAAAE=\n",         // no name
        "\u{2014} a+b AAAAAAE=\n",      // plus in name
        "\u{2014} a\u{a0}b AAAAAAE=\n", // Unicode space in name
        "\u{2014} n AAAAAAE\n",         // no padding
        "\u{2014} n AAAAAAF=\n",        // stray bits
        "\u{2014} n AAAAA_E=\n",        // other alphabet
        "\u{2014} n AAAAAA==\n",        // no signature
        "\u{2014} n AAA=\n",            // no key ID
    ] {
        check(&format!("text\n\n{line}"), "signature line 1 is malformed");
    }
    assert_eq!(
        SignedNote::parse(b"\xff\n\n\xe2\x80\x94 n AAAAAAE=\n"),
        Err(NoteError::Utf8)
    );
    assert_eq!(
        SignedNote::parse(&vec![b'a'; NOTE_BYTES_MAX + 1]),
        Err(NoteError::Long(NOTE_BYTES_MAX + 1))
    );
    let many = |count| format!("text\n\n{}", "\u{2014} n AAAAAAE=\n".repeat(count));
    assert_eq!(
        SignedNote::parse(many(SIGNATURES_MAX).as_bytes())
            .unwrap()
            .signatures()
            .len(),
        SIGNATURES_MAX
    );
    assert_eq!(
        SignedNote::parse(many(SIGNATURES_MAX + 1).as_bytes()),
        Err(NoteError::Signatures)
    );
}

#[test]
fn key_errors() {
    fn check(vkey: &str, expected: KeyError) {
        assert_eq!(VerifierKey::parse(vkey), Err(expected), "{vkey}");
    }
    check("", KeyError::Form);
    check("name", KeyError::Form);
    check("name+530d903a", KeyError::Form);
    check(&VKEY.replace("530d903a", "530D903A"), KeyError::Form);
    check(&VKEY.replace("530d903a", "30d903a"), KeyError::Form);
    check(
        &VKEY.replace("530d903a", "530d903b"),
        KeyError::Id {
            said: 0x530d_903b,
            is: 0x530d_903a,
        },
    );
    check(&VKEY.replace("U2k", "U2"), KeyError::Form);
    check(&format!("{VKEY}="), KeyError::Form);
    check(
        &VKEY.replacen("example.com/foo", "", 1),
        KeyError::Name(String::new()),
    );
    check(
        &VKEY.replacen('/', " ", 1),
        KeyError::Name("example.com foo".to_owned()),
    );
    check(&"a".repeat(10_000), KeyError::Form);
    assert_eq!(
        KeyName::new("n".repeat(256)),
        Err(KeyError::Name("n".repeat(256)))
    );
    let name = || KeyName::new("n").unwrap();
    // the neutral point, for which every signature of zeros would hold; and y = 3 written as 3 + p
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(VerifierKey::ed25519(name(), &neutral), Err(KeyError::Key));
    let mut above_p = [0xff; 32];
    (above_p[0], above_p[31]) = (0xed + 3, 0x7f);
    assert_eq!(VerifierKey::ed25519(name(), &above_p), Err(KeyError::Key));
}

/// A vkey of a type we do not have yet is named as such, not as malformed.
#[test]
fn other_signature_types() {
    use sha2::Digest as _;
    let vkey = |signature_type: u8, length: usize| {
        let mut key = vec![signature_type];
        key.extend(vec![7; length]);
        let id = sha2::Sha256::digest([b"w\n".as_slice(), &key].concat());
        let id: String = id[..4].iter().map(|b| format!("{b:02x}")).collect();
        let (_, base64) = signed_note_line(&key);
        format!("w+{id}+{base64}")
    };
    for other in [0x00, 0x02, 0x03, 0x05, 0x07, 0xfa, 0xff] {
        assert_eq!(
            VerifierKey::parse(&vkey(other, 32)),
            Err(KeyError::Type(other))
        );
    }
    for (known, right) in [(0x01, 32), (0x04, 32), (0x06, 1312)] {
        for length in [4, right - 1, right + 1] {
            assert_eq!(
                VerifierKey::parse(&vkey(known, length)),
                Err(KeyError::Key),
                "type {known}, {length} bytes"
            );
        }
    }
}

/// base64 by way of a signature line, which has none of its own
fn signed_note_line(bytes: &[u8]) -> (u32, String) {
    let id = u32::from_be_bytes(bytes[..4].try_into().unwrap());
    let line = NoteSignature::new(KeyName::new("w").unwrap(), id, bytes[4..].to_vec())
        .unwrap()
        .to_string();
    (id, line.trim_end().rsplit_once(' ').unwrap().1.to_owned())
}

#[test]
fn unknown_signatures_are_kept_and_ignored() {
    let (log, witness) = (signer("log.example/1", 1), signer("witness.example", 2));
    let mut note = SignedNote::sign("text\n".to_owned(), &[&log, &witness]).unwrap();
    // an ML-DSA-44 cosignature has 8 + 2420 bytes; sixteen signatures must be accepted
    for number in 0..14 {
        note.add(
            NoteSignature::new(
                KeyName::new(format!("w{number}")).unwrap(),
                number,
                vec![9; 2428],
            )
            .unwrap(),
        )
        .unwrap();
    }
    let read = SignedNote::parse(note.to_string().as_bytes()).unwrap();
    assert_eq!((&read, read.signatures().len()), (&note, 16));
    let verified = read.verify(&[log.verifier().clone()]).unwrap();
    assert_eq!(verified.signers(), [log.verifier().clone()]);
    assert_eq!(
        read.verify(&[log.verifier().clone(), witness.verifier().clone()])
            .unwrap()
            .signers()
            .len(),
        2
    );
    // same name, other key
    assert_eq!(
        read.verify(&[signer("log.example/1", 3).verifier().clone()]),
        Err(NoteInvalid::Unknown)
    );
}

#[test]
fn one_wrong_signature_by_a_known_key_spoils_the_note() {
    let (log, other) = (signer("log.example/1", 1), signer("other.example/1", 2));
    let keys = [log.verifier().clone(), other.verifier().clone()];
    let mut note = SignedNote::sign("text\n".to_owned(), &[&log]).unwrap();
    note.add(other.sign("another text\n")).unwrap();
    assert_eq!(
        note.verify(&keys),
        Err(NoteInvalid::Wrong(KeyName::new("other.example/1").unwrap()))
    );
    assert!(note.verify(&keys[..1]).is_ok());
    let mut note = SignedNote::sign("text\n".to_owned(), &[&log]).unwrap();
    note.add(log.sign("text\n")).unwrap();
    assert_eq!(
        note.verify(&keys),
        Err(NoteInvalid::Twice(KeyName::new("log.example/1").unwrap()))
    );
}

/// RFC 8032 section 5.1.7 wants S below the group order L: S + L would be a second spelling of the same signature.
#[test]
fn a_signature_has_one_spelling() {
    let log = signer("log.example/1", 1);
    let good = log.sign("text\n");
    let mut order = [0_u8; 32];
    order[..16].copy_from_slice(&0x14de_f9de_a2f7_9cd6_5812_631a_5cf5_d3ed_u128.to_le_bytes());
    order[31] = 0x10;
    let mut spelled = good.signature().to_vec();
    let mut carry = 0;
    for (byte, add) in spelled[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        (*byte, carry) = (u8::try_from(sum & 0xff).unwrap(), sum >> 8);
    }
    let mut note = SignedNote::sign("text\n".to_owned(), &[&signer("other.example", 2)]).unwrap();
    note.add(NoteSignature::new(good.name().clone(), good.key_id(), spelled).unwrap())
        .unwrap();
    assert_eq!(
        note.verify(&[log.verifier().clone()]),
        Err(NoteInvalid::Wrong(good.name().clone()))
    );
}

#[test]
fn what_cannot_be_signed() {
    let log = signer("log.example/1", 1);
    for text in ["", "no newline", "tab\t\n"] {
        assert!(
            SignedNote::sign(text.to_owned(), &[&log]).is_err(),
            "{text:?}"
        );
    }
    assert_eq!(
        SignedNote::sign("text\n".to_owned(), &[]),
        Err(NoteError::Unsigned)
    );
    assert!(
        !format!("{log:?}").contains("1, 1"),
        "a signer shows its seed"
    );
}

proptest! {
    /// `signed_note` reads what we sign and believes it, and prints the same bytes.
    #[test]
    fn the_oracle_reads_our_notes(text in "[^\\x00-\\x09\\x0b-\\x1f]{0,200}", name in "[a-z.]{1,20}", seed: [u8; 32]) {
        let text = format!("{text}\n");
        let ours = Signer::from_seed(KeyName::new(name).unwrap(), &seed).unwrap();
        let note = SignedNote::sign(text.clone(), &[&ours]).unwrap();
        let read = SignedNote::parse(note.to_string().as_bytes()).unwrap();
        prop_assert_eq!(&read, &note);
        prop_assert_eq!(read.verify(&[ours.verifier().clone()]).unwrap().text(), &text);

        let theirs = signed_note::Note::from_bytes(note.to_string().as_bytes()).unwrap();
        let key = StandardVerifier::new(&ours.verifier().to_string()).unwrap();
        let (verified, _) = theirs.verify(&VerifierList::new(vec![Box::new(key)])).unwrap();
        prop_assert_eq!((verified.len(), theirs.text(), theirs.to_bytes()), (1, text.as_bytes(), note.to_string().into_bytes()));
    }

    /// Any bytes: what is read prints back to the same bytes, and the oracle reads it too.
    #[test]
    fn reading_is_exact(bytes in "[a\\n\u{2014} +=A]{0,60}") {
        if let Ok(note) = SignedNote::parse(bytes.as_bytes()) {
            prop_assert_eq!(note.to_string(), &bytes[..]);
            prop_assert!(signed_note::Note::from_bytes(bytes.as_bytes()).is_ok());
        }
    }
}
