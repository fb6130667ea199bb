//! Cosignatures of both types: what exactly is signed, who may sign, what is refused; `sigsum` and `fips204` as oracles.

use comity_ledger::Hash;
use comity_ledger::checkpoint::Checkpoint;
use comity_ledger::cosignature::{CosignError, Cosigner, TIME_SECONDS_MAX};
use comity_ledger::note::key::{
    ML_DSA_44_PUBLIC_BYTES, TYPE_COSIGNATURE_ED25519, TYPE_COSIGNATURE_ML_DSA_44,
};
use comity_ledger::note::{
    KeyError, KeyName, NoteInvalid, NoteSignature, SIGNATURES_MAX, SignedNote, Signer, VerifierKey,
};
use ed25519_dalek::Signer as _;
use fips204::ml_dsa_44;
use fips204::traits::{KeyGen as _, SerDes as _, Signer as _, Verifier as _};
use proptest::prelude::*;
use sha2::Digest as _;

use crate::support::{ed25519_witness, ml_dsa_witness, name, signer};

const ORIGIN: &str = "example.com/behind-the-sofa";
const TEXT: &str =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
/// The example of tlog-cosignature. The document does not print the keys.
const EXAMPLE: &str = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n\
    \u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n\
    \u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
const TIME: u64 = 1_679_315_147;

fn head() -> Checkpoint {
    Checkpoint::parse(TEXT).unwrap()
}

/// The only way to a cosignature of another log's head: a witness that accepts it.
fn cosign(cosigner: &Cosigner, text: &str, time_seconds: u64) -> NoteSignature {
    let accepted = crate::support::accepted(text);
    cosigner.cosign(&accepted, time_seconds).unwrap()
}

/// The log's signature, with these lines added.
fn note(text: &str, lines: impl IntoIterator<Item = NoteSignature>) -> SignedNote {
    let mut note = SignedNote::sign(text.to_owned(), &[&signer(ORIGIN, 1)]).unwrap();
    for line in lines {
        note.add(line).unwrap();
    }
    note
}

fn forged(key: &VerifierKey, time_seconds: u64, signature: &[u8]) -> NoteSignature {
    let blob = [time_seconds.to_be_bytes().as_slice(), signature].concat();
    NoteSignature::new(key.name().clone(), key.id(), blob).unwrap()
}

#[test]
fn the_example_of_the_specification() {
    let note = SignedNote::parse(EXAMPLE.as_bytes()).unwrap();
    assert_eq!(
        (note.to_string().as_str(), note.text_unverified()),
        (EXAMPLE, TEXT)
    );
    let line = &note.signatures()[1];
    // "struct timestamped_signature": 8 bytes of time, 64 of signature
    assert_eq!((line.key_id(), line.signature().len()), (0x8d66_cf3f, 72));
    assert_eq!(line.signature()[..8], TIME.to_be_bytes());
    // ours has the same shape
    let ours = cosign(&ed25519_witness("witness.example.com/w1", 1), TEXT, TIME);
    assert_eq!(ours.signature().len(), 72);
    assert_eq!(ours.signature()[..8], TIME.to_be_bytes());
    let ours = cosign(&ml_dsa_witness("witness.example.com/w1", 1), TEXT, TIME);
    assert_eq!(ours.signature().len(), 8 + 2420);
}

/// "SHA-256(<name> || "\n" || 0x04 || 32-byte Ed25519 cosigner public key)[:4]", and with 0x06 and 1312 bytes.
#[test]
fn key_ids_and_vkeys() {
    let both = [
        (
            ed25519_witness("w.example", 7),
            TYPE_COSIGNATURE_ED25519,
            32,
        ),
        (
            ml_dsa_witness("w.example", 7),
            TYPE_COSIGNATURE_ML_DSA_44,
            ML_DSA_44_PUBLIC_BYTES,
        ),
    ];
    for (cosigner, signature_type, length) in both {
        let key = cosigner.verifier();
        let preimage = [
            b"w.example\n",
            [signature_type].as_slice(),
            key.public_key(),
        ]
        .concat();
        let digest: Hash = sha2::Sha256::digest(preimage).into();
        assert_eq!(key.id().to_be_bytes(), digest[..4]);
        assert_eq!(
            (key.signature_type(), key.public_key().len()),
            (signature_type, length)
        );
        assert!(key.is_cosigner());
        let vkey = key.to_string();
        assert_eq!(VerifierKey::parse(&vkey).as_ref(), Ok(key));
        assert!(VerifierKey::parse(&format!("{vkey}=")).is_err());
        assert!(VerifierKey::parse(&vkey[..vkey.len() - 1]).is_err());
        assert!(
            !format!("{cosigner:?}").contains("7, 7"),
            "a cosigner shows its seed"
        );
    }
    assert!(!signer(ORIGIN, 1).verifier().is_cosigner());
}

#[test]
fn keys_for_which_anybody_could_sign() {
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(
        VerifierKey::cosignature_ed25519(name("w"), &neutral),
        Err(KeyError::Key)
    );
    let mut zero_t1 = [0; ML_DSA_44_PUBLIC_BYTES];
    zero_t1[..32].fill(9);
    assert_eq!(
        VerifierKey::cosignature_ml_dsa_44(name("w"), &zero_t1),
        Err(KeyError::Key)
    );
    zero_t1[32] = 1;
    assert!(VerifierKey::cosignature_ml_dsa_44(name("w"), &zero_t1).is_ok());
}

/// "two newline terminated lines [...] followed by the whole note body", written out here by hand.
#[test]
fn what_ed25519_signs() {
    let text = format!("{TEXT}an extension\n");
    let message = "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n\
         CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\nan extension\n";
    let key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
    let cosigner = ed25519_witness("w.example", 1);
    let expected = forged(
        cosigner.verifier(),
        TIME,
        &key.sign(message.as_bytes()).to_bytes(),
    );
    assert_eq!(cosign(&cosigner, &text, TIME), expected);
    let keys = [cosigner.verifier().clone()];
    let cosigned = note(&text, [expected.clone()]);
    let verified = cosigned.verify(&keys).unwrap();
    assert_eq!(verified.cosignatures()[0].time_seconds(), Some(TIME));
    // the extension line is part of it
    let other = note(TEXT, [expected]).verify(&keys).map(drop);
    assert_eq!(other, Err(NoteInvalid::Wrong(name("w.example"))));
}

/// "struct cosigned_message", written out here by hand, and signed and verified by another implementation of FIPS 204.
#[test]
fn what_ml_dsa_44_signs() {
    let message = [
        b"subtree/v1\n\0".as_slice(),
        &[9],
        b"w.example",
        &TIME.to_be_bytes(),
        &[27],
        b"example.com/behind-the-sofa",
        &0_u64.to_be_bytes(),
        &20_852_163_u64.to_be_bytes(),
        head().root(),
    ]
    .concat();
    let (public, private) = ml_dsa_44::KG::keygen_from_seed(&[1; 32]);
    let cosigner = ml_dsa_witness("w.example", 1);
    assert_eq!(
        public.clone().into_bytes(),
        cosigner.verifier().public_key()
    );
    let ours = cosign(&cosigner, TEXT, TIME);
    let signature: [u8; 2420] = ours.signature()[8..].try_into().unwrap();
    assert!(public.verify(&message, &signature, &[]));
    // the deterministic variant of FIPS 204: no randomness, so the same bytes
    let theirs = private.try_sign_with_seed(&[0; 32], &message, &[]).unwrap();
    assert_eq!(ours, forged(cosigner.verifier(), TIME, &theirs));
    // a randomised one is as good
    let theirs = private.try_sign_with_seed(&[5; 32], &message, &[]).unwrap();
    let keys = [cosigner.verifier().clone()];
    let randomised = note(TEXT, [forged(&keys[0], TIME, &theirs)]);
    assert_eq!(
        randomised.verify(&keys).unwrap().cosignatures()[0].key(),
        &keys[0]
    );
    // "checkpoint extension lines are not included"
    let extended = note(&format!("{TEXT}an extension\n"), [ours.clone()]);
    assert!(extended.verify(&keys).is_ok());
    // a context or a subtree that does not begin at zero is another message
    let contexts = private
        .try_sign_with_seed(&[0; 32], &message, b"x")
        .unwrap();
    let mut subtree = message.clone();
    subtree[12 + 10 + 8 + 28 + 7] = 1;
    let subtrees = private.try_sign_with_seed(&[0; 32], &subtree, &[]).unwrap();
    for wrong in [contexts, subtrees] {
        let wrong = note(TEXT, [forged(&keys[0], TIME, &wrong)])
            .verify(&keys)
            .map(drop);
        assert_eq!(wrong, Err(NoteInvalid::Wrong(name("w.example"))));
    }
}

/// "if the cosigner doesn't make any statement as to the tree being the largest observed": it counts, and says no time.
#[test]
fn a_cosignature_without_time() {
    let message = [
        b"subtree/v1\n\0".as_slice(),
        &[9],
        b"w.example",
        &[0; 8],
        &[27],
        b"example.com/behind-the-sofa",
        &[0; 8],
        &20_852_163_u64.to_be_bytes(),
        head().root(),
    ]
    .concat();
    let (_, private) = ml_dsa_44::KG::keygen_from_seed(&[1; 32]);
    let signature = private.try_sign_with_seed(&[0; 32], &message, &[]).unwrap();
    let key = ml_dsa_witness("w.example", 1).verifier().clone();
    let timeless = note(TEXT, [forged(&key, 0, &signature)]);
    let verified = timeless.verify(&[key]).unwrap();
    assert_eq!(verified.cosignatures()[0].time_seconds(), None);
}

#[test]
fn times() {
    let accepted = crate::support::accepted(TEXT);
    for cosigner in [ed25519_witness("w", 1), ml_dsa_witness("w", 1)] {
        for wrong in [0, TIME_SECONDS_MAX + 1, u64::MAX] {
            assert_eq!(
                cosigner.cosign(&accepted, wrong),
                Err(CosignError::Time(wrong))
            );
        }
        let keys = [cosigner.verifier().clone()];
        for right in [1, TIME, TIME_SECONDS_MAX] {
            let line = cosigner.cosign(&accepted, right).unwrap();
            let cosigned = note(TEXT, [line.clone()]);
            let verified = cosigned.verify(&keys).unwrap();
            assert_eq!(verified.cosignatures()[0].time_seconds(), Some(right));
            // the time is signed
            let later = forged(&keys[0], right ^ 2, &line.signature()[8..]);
            assert!(note(TEXT, [later]).verify(&keys).is_err());
        }
        // "It MUST NOT exceed 2^63 - 1", though the signature be right
        let too_late = 1 << 63;
        let message = format!("cosignature/v1\ntime {too_late}\n{TEXT}");
        let key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
        let line = forged(&keys[0], too_late, &key.sign(message.as_bytes()).to_bytes());
        assert!(note(TEXT, [line]).verify(&keys).is_err());
    }
}

/// ML-DSA-44 "commits to the cosigner's name"; Ed25519 does not, so that a key under two names would be two witnesses.
#[test]
fn names() {
    let renamed = |cosigner: &Cosigner, other: &Cosigner| {
        let line = cosign(cosigner, TEXT, TIME);
        let key = other.verifier();
        let line = NoteSignature::new(key.name().clone(), key.id(), line.signature().to_vec());
        note(TEXT, line).verify(std::slice::from_ref(key)).map(drop)
    };
    assert_eq!(
        renamed(&ed25519_witness("a", 1), &ed25519_witness("b", 1)),
        Ok(())
    );
    assert_eq!(
        renamed(&ml_dsa_witness("a", 1), &ml_dsa_witness("b", 1)),
        Err(NoteInvalid::Wrong(name("b")))
    );
    let longest = "n".repeat(255);
    for cosigner in [ed25519_witness(&longest, 1), ml_dsa_witness(&longest, 1)] {
        let line = cosign(&cosigner, TEXT, TIME);
        assert!(
            note(TEXT, [line])
                .verify(&[cosigner.verifier().clone()])
                .is_ok()
        );
    }
}

/// "Logs SHOULD use ML-DSA-44 cosignatures to sign the checkpoint": under their own name, and nobody else's head.
#[test]
fn a_log_signs_its_own_heads_only() {
    let own = ml_dsa_witness(ORIGIN, 3);
    let line = own.sign_own(&head(), TIME).unwrap();
    let both = note(TEXT, [line]);
    let log = [signer(ORIGIN, 1).verifier().clone(), own.verifier().clone()];
    for keys in [&log[..1], &log[1..], &log[..]] {
        assert_eq!(both.verify(keys).unwrap().signers(), keys);
    }
    let other = Checkpoint::new("other.example/log", 1, [0; 32]).unwrap();
    assert_eq!(
        own.sign_own(&other, TIME),
        Err(CosignError::NotOwn {
            key: name(ORIGIN),
            origin: "other.example/log".to_owned()
        })
    );
}

/// One call, five kinds of lines.
#[test]
fn a_log_and_its_witnesses_in_one_go() {
    let (ed25519, ml_dsa) = (ed25519_witness("w1", 2), ml_dsa_witness("w2", 3));
    let unknown = cosign(&ed25519_witness("w3", 4), TEXT, TIME);
    let lines = [
        unknown,
        cosign(&ml_dsa, TEXT, TIME + 1),
        cosign(&ed25519, TEXT, TIME),
    ];
    let read = SignedNote::parse(note(TEXT, lines.clone()).to_string().as_bytes()).unwrap();
    let keys = [
        signer(ORIGIN, 1).verifier().clone(),
        ed25519.verifier().clone(),
        ml_dsa.verifier().clone(),
    ];
    let verified = read.verify(&keys).unwrap();
    assert_eq!(verified.signers().len(), 3);
    let cosigned: Vec<_> = verified
        .cosignatures()
        .iter()
        .map(|it| (it.key(), it.time_seconds().unwrap()))
        .collect();
    assert_eq!(cosigned, [(&keys[2], TIME + 1), (&keys[1], TIME)]);
    // a wrong one by a known key spoils all, and so do two by one key, even if they differ in time
    for (at, key) in [(1, "w2"), (2, "w1")] {
        let mut spoiled = lines.clone();
        let mut blob = spoiled[at].signature().to_vec();
        blob[40] ^= 1;
        let known = (spoiled[at].name().clone(), spoiled[at].key_id());
        spoiled[at] = NoteSignature::new(known.0, known.1, blob).unwrap();
        let wrong = note(TEXT, spoiled).verify(&keys).map(drop);
        assert_eq!(wrong, Err(NoteInvalid::Wrong(name(key))));
    }
    let twice = [
        cosign(&ed25519, TEXT, TIME),
        cosign(&ed25519, TEXT, TIME + 5),
    ];
    let twice = note(TEXT, twice).verify(&keys).map(drop);
    assert_eq!(twice, Err(NoteInvalid::Twice(name("w1"))));
}

#[test]
fn a_hundred_signatures() {
    let lines: Vec<_> = (0..SIGNATURES_MAX - 1)
        .map(|number| ed25519_witness(&format!("w{number}"), u8::try_from(number + 2).unwrap()))
        .collect();
    let full = note(
        TEXT,
        lines.iter().map(|cosigner| cosign(cosigner, TEXT, TIME)),
    );
    let keys: Vec<_> = lines.iter().map(|it| it.verifier().clone()).collect();
    let read = SignedNote::parse(full.to_string().as_bytes()).unwrap();
    assert_eq!(
        read.verify(&keys).unwrap().cosignatures().len(),
        SIGNATURES_MAX - 1
    );
    let mut full = full;
    assert!(
        full.add(
            lines[0]
                .cosign(&crate::support::accepted(TEXT), TIME)
                .unwrap()
        )
        .is_err()
    );
}

#[test]
fn only_checkpoints_are_cosigned() {
    let key = ed25519_dalek::SigningKey::from_bytes(&[1; 32]);
    let cosigner = ed25519_witness("w", 1);
    for text in [
        "hello\n",
        "o\n01\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
        "o\n1\nAAAA\n",
    ] {
        let message = format!("cosignature/v1\ntime 5\n{text}");
        let line = forged(
            cosigner.verifier(),
            5,
            &key.sign(message.as_bytes()).to_bytes(),
        );
        let keys = [cosigner.verifier().clone()];
        assert!(note(text, [line]).verify(&keys).is_err(), "{text:?}");
    }
    // and a cosignature is no signature of the text, nor the other way round: same name, same key, other type
    let plain = Signer::from_seed(name("w"), &[1; 32]).unwrap();
    let line = NoteSignature::new(
        name("w"),
        cosigner.verifier().id(),
        [&5_u64.to_be_bytes(), plain.sign(TEXT).signature()].concat(),
    );
    assert!(
        note(TEXT, line)
            .verify(&[cosigner.verifier().clone()])
            .is_err()
    );
}

#[test]
fn every_changed_bit_is_refused() {
    for (cosigner, step) in [(ed25519_witness("w", 1), 1), (ml_dsa_witness("w", 1), 29)] {
        let keys = [cosigner.verifier().clone()];
        let good = note(TEXT, [cosign(&cosigner, TEXT, TIME)]);
        let good = good.only(&keys).unwrap().to_string();
        assert!(
            SignedNote::parse(good.as_bytes())
                .unwrap()
                .verify(&keys)
                .is_ok()
        );
        for bit in (0..good.len() * 8).step_by(step) {
            let mut bytes = good.as_bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let believed = SignedNote::parse(&bytes).is_ok_and(|note| note.verify(&keys).is_ok());
            assert!(!believed, "bit {bit}");
        }
    }
    // shorter and longer signatures
    for cosigner in [ed25519_witness("w", 1), ml_dsa_witness("w", 1)] {
        let good = cosign(&cosigner, TEXT, TIME).signature().to_vec();
        let key = cosigner.verifier();
        for blob in [
            &good[..1],
            &good[..8],
            &good[..good.len() - 1],
            &[&good[..], &[0]].concat(),
        ] {
            let line = NoteSignature::new(key.name().clone(), key.id(), blob.to_vec());
            assert!(note(TEXT, line).verify(std::slice::from_ref(key)).is_err());
        }
    }
}

/// The signature a Sigsum client checks is the same cosignature/v1 over a checkpoint with Sigsum's origin.
#[test]
fn the_sigsum_client_reads_our_cosignatures() {
    fn lower_hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }
    let sign = |seed: u8, message: &[u8]| {
        let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
        (key.verifying_key().to_bytes(), key.sign(message).to_bytes())
    };
    let sha256 = |bytes: &[u8]| -> Hash { sha2::Sha256::digest(bytes).into() };
    // a Sigsum leaf, alone in its tree
    let message: Hash = sha256(b"a file");
    let checksum = sha256(&message);
    let statement = [b"sigsum.org/v1/tree-leaf\0".as_slice(), &checksum].concat();
    let (submitter, leaf_signature) = sign(40, &statement);
    let leaf = [checksum.as_slice(), &leaf_signature, &sha256(&submitter)].concat();
    let root = comity_ledger::tree::leaf_hash(&leaf);
    // its log and two witnesses
    let (log, _) = sign(41, b"");
    let origin = format!("sigsum.org/v1/tree/{}", lower_hex(&sha256(&log)));
    let text = Checkpoint::new(origin, 1, root).unwrap().to_string();
    let (_, log_signature) = sign(41, text.as_bytes());
    let cosigners = [ed25519_witness("w1", 42), ed25519_witness("w2", 43)];
    let mut ascii = format!(
        "version=2\nlog={}\nleaf={} {}\n\nsize=1\nroot_hash={}\nsignature={}\n",
        lower_hex(&sha256(&log)),
        lower_hex(&sha256(&submitter)),
        lower_hex(&leaf_signature),
        lower_hex(&root),
        lower_hex(&log_signature),
    );
    let mut builder = sigsum::policy::PolicyBuilder::new();
    builder.add_log(log.into(), None).unwrap();
    for (number, cosigner) in cosigners.iter().enumerate() {
        let public: [u8; 32] = cosigner.verifier().public_key().try_into().unwrap();
        builder
            .add_witness(format!("w{number}"), public.into(), None)
            .unwrap();
        let line = cosign(cosigner, &text, TIME);
        let (hash, signature) = (sha256(&public), &line.signature()[8..]);
        ascii += &format!(
            "cosignature={} {TIME} {}\n",
            lower_hex(&hash),
            lower_hex(signature)
        );
    }
    ascii += "\nleaf_index=0\n";
    builder
        .add_group("both".to_owned(), 2, vec!["w0".to_owned(), "w1".to_owned()])
        .unwrap();
    builder.set_quorum("both".to_owned()).unwrap();
    let policy = builder.build();
    let verify = |ascii: &str| {
        let signature = sigsum::SigsumSignature::from_ascii(ascii).unwrap();
        sigsum::verify(&message.into(), &signature, &[submitter.into()], &policy)
    };
    verify(&ascii).unwrap();
    assert!(verify(&ascii.replacen(&TIME.to_string(), "1679315148", 1)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any origin, name, size and time: what we cosign we believe, and so does the other implementation of FIPS 204.
    #[test]
    fn cosigned_and_believed(
        origin in "[^\\x00-\\x1f]{1,60}", cosigner in "[a-z/\u{e9}]{1,40}", size in 1_u64..1 << 63, root: [u8; 32],
        time in 1_u64..1 << 63, seed: [u8; 32],
    ) {
        let text = Checkpoint::new(&origin, size, root).unwrap().to_string();
        let name = KeyName::new(cosigner.clone()).unwrap();
        let both = [
            Cosigner::ed25519_from_seed(name.clone(), &seed).unwrap(),
            Cosigner::ml_dsa_44_from_seed(name, &seed).unwrap(),
        ];
        let lines: Vec<_> = both.iter().map(|it| cosign(it, &text, time)).collect();
        let mut note = SignedNote::sign(text, &[&signer("log", 1)]).unwrap();
        for line in &lines {
            note.add(line.clone()).unwrap();
        }
        let read = SignedNote::parse(note.to_string().as_bytes()).unwrap();
        let keys: Vec<_> = both.iter().map(|it| it.verifier().clone()).collect();
        let verified = read.verify(&keys).unwrap();
        prop_assert_eq!(verified.cosignatures().iter().map(|it| it.time_seconds()).collect::<Vec<_>>(), [Some(time); 2]);
        let message = [
            b"subtree/v1\n\0".as_slice(), &[u8::try_from(cosigner.len()).unwrap()], cosigner.as_bytes(), &time.to_be_bytes(),
            &[u8::try_from(origin.len()).unwrap()], origin.as_bytes(), &[0; 8], &size.to_be_bytes(), &root,
        ].concat();
        let (public, private) = ml_dsa_44::KG::keygen_from_seed(&seed);
        let signature: [u8; 2420] = lines[1].signature()[8..].try_into().unwrap();
        prop_assert!(public.verify(&message, &signature, &[]));
        prop_assert_eq!(private.try_sign_with_seed(&[0; 32], &message, &[]).unwrap(), signature);
    }
}
