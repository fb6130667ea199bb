//! Held against age's own test kit, against the crate `age`, and against changes of every octet that matters.

use std::io::Read as _;
use std::path::Path;

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::chunks::Chunks;
use super::*;
use crate::evidence::recipient;

fn sealer(identity: &[u8; 32], size: u64) -> Sealer {
    let recipient = recipient_of(identity).unwrap();
    Sealer::new(&[9; 32], &[b"hand-over", b"1"], &recipient, size).unwrap()
}

fn sealed(contents: &[u8], identity: &[u8; 32]) -> Vec<u8> {
    let sealer = sealer(identity, contents.len() as u64);
    let mut file = sealer.header().to_vec();
    let mut pieces: Vec<&[u8]> = contents.chunks(CHUNK).collect();
    if pieces.is_empty() {
        pieces.push(&[]);
    }
    for (number, piece) in pieces.into_iter().enumerate() {
        let mut chunk = piece.to_vec();
        sealer.seal(number as u64, &mut chunk).unwrap();
        file.extend_from_slice(&chunk);
    }
    assert_eq!(Some(file.len() as u64), sealed_size(contents.len() as u64));
    file
}

/// Reads a file whose contents have `size` octets, as it comes in pieces of `piece` octets.
fn read(file: &[u8], identity: &[u8; 32], size: u64, piece: usize) -> Result<Vec<u8>, AgeError> {
    let (header, rest) = file.split_at_checked(HEADER).ok_or(AgeError::Header)?;
    let payload = Payload::open(header, identity, size)?;
    let mut chunks = Chunks::new(size, 0, u64::MAX);
    let mut contents = Vec::new();
    for piece in rest.chunks(piece) {
        chunks.push(&payload, piece, &mut contents)?;
    }
    if chunks.is_done() {
        Ok(contents)
    } else {
        Err(AgeError::Chunk(chunks.next()))
    }
}

/// The same for who knows only the file.
fn read_whole(file: &[u8], identity: &[u8; 32]) -> Result<Vec<u8>, AgeError> {
    let payload = (file.len() as u64).saturating_sub(HEADER as u64);
    let size = payload
        .checked_sub(payload.div_ceil(CHUNK_SEALED as u64) * TAG as u64)
        .filter(|size| sealed_size(*size) == Some(file.len() as u64));
    // not the length of any age file: a chunk is missing, or the last one is empty
    read(file, identity, size.ok_or(AgeError::Chunk(0))?, CHUNK)
}

fn some(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 7 + at / 251) as u8).collect()
}

#[test]
fn what_is_sealed_is_opened_and_is_the_same_each_time() {
    for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5] {
        let contents = some(size);
        let file = sealed(&contents, &[7; 32]);
        assert_eq!(file, sealed(&contents, &[7; 32]));
        assert_eq!(read_whole(&file, &[7; 32]).unwrap(), contents);
        for piece in [1_000, CHUNK_SEALED - 1, CHUNK_SEALED + 1, 1 << 20] {
            assert_eq!(read(&file, &[7; 32], size as u64, piece).unwrap(), contents);
        }
    }
}

#[test]
fn a_part_is_opened_alone_and_where_it_belongs() {
    let contents = some(5 * CHUNK + 100);
    let size = contents.len() as u64;
    let file = sealed(&contents, &[7; 32]);
    let payload = Payload::open(&file[..HEADER], &[7; 32], size).unwrap();
    for (from, end) in [(0, 1), (1, 3), (4, 6), (5, 6), (2, 2)] {
        let mut chunks = Chunks::new(size, from, end);
        let (first, after) = chunks.ask();
        let mut out = Vec::new();
        chunks
            .push(&payload, &file[first as usize..after as usize], &mut out)
            .unwrap();
        assert!(chunks.is_done());
        let last = contents.len().min(end as usize * CHUNK);
        assert_eq!(out, contents[from as usize * CHUNK..last]);
        // not one octet more
        assert_eq!(
            chunks.push(&payload, b"x", &mut out),
            Err(AgeError::Trailing)
        );
    }
    // broken off within a chunk: it is asked for again from its beginning
    let mut chunks = Chunks::new(size, 1, 4);
    let (first, after) = chunks.ask();
    let mut out = Vec::new();
    let broken = first as usize + CHUNK_SEALED + 77;
    chunks
        .push(&payload, &file[first as usize..broken], &mut out)
        .unwrap();
    assert_eq!(chunks.ask(), (first + CHUNK_SEALED as u64, after));
    let again = (first as usize + CHUNK_SEALED)..after as usize;
    chunks.push(&payload, &file[again], &mut out).unwrap();
    assert_eq!(out, contents[CHUNK..4 * CHUNK]);
}

#[test]
fn changes_other_recipients_and_lost_ends_are_found() {
    let contents = vec![5; 2 * CHUNK + 9];
    let size = contents.len() as u64;
    let file = sealed(&contents, &[7; 32]);
    assert_eq!(read(&file, &[8; 32], size, CHUNK), Err(AgeError::Recipient));
    let every = (0..HEADER).chain([
        HEADER,
        HEADER + CHUNK_SEALED + 3,
        file.len() - 17,
        file.len() - 1,
    ]);
    for place in every {
        let mut changed = file.clone();
        changed[place] ^= 1;
        assert!(read(&changed, &[7; 32], size, CHUNK).is_err(), "{place}");
    }
    // cut after a chunk: what ends it is not its last chunk
    let (header, rest) = file.split_at(HEADER);
    let cut = [header, &rest[..CHUNK_SEALED]].concat();
    assert_eq!(read_whole(&cut, &[7; 32]), Err(AgeError::Chunk(0)));
    let swapped = [
        header,
        &rest[CHUNK_SEALED..2 * CHUNK_SEALED],
        &rest[..CHUNK_SEALED],
        &rest[2 * CHUNK_SEALED..],
    ]
    .concat();
    assert_eq!(read_whole(&swapped, &[7; 32]), Err(AgeError::Chunk(0)));
    // longer than it says
    let longer = [&file[..], b"x"].concat();
    assert!(read_whole(&longer, &[7; 32]).is_err());
    assert_eq!(
        read(&longer, &[7; 32], size, CHUNK),
        Err(AgeError::Trailing)
    );
    // a smaller size than the sender meant: its last chunk is not the last
    assert!(read(&file, &[7; 32], CHUNK as u64, CHUNK).is_err());
}

#[test]
fn every_item_and_every_hand_over_has_keys_of_its_own() {
    let recipient = recipient_of(&[7; 32]).unwrap();
    let other = recipient_of(&[8; 32]).unwrap();
    let header = |secret: u8, context: [&[u8]; 3], recipient| {
        let sealer = Sealer::new(&[secret; 32], &context, recipient, 1).unwrap();
        sealer.header().to_vec()
    };
    let one: [&[u8]; 3] = [&[1; 32], &[0; 8], &[2; 32]];
    let all = [
        header(1, one, &recipient),
        header(2, one, &recipient),
        header(1, one, &other),
        header(1, [&[3; 32], &[0; 8], &[2; 32]], &recipient),
        header(1, [&[1; 32], &[1; 8], &[2; 32]], &recipient),
        header(1, [&[1; 32], &[0; 8], &[3; 32]], &recipient),
    ];
    for (at, one) in all.iter().enumerate() {
        for other in &all[at + 1..] {
            let (one, other) = (Header::parse(one).unwrap(), Header::parse(other).unwrap());
            assert_ne!(one.share, other.share);
            assert_ne!(one.body, other.body);
            assert_ne!(one.nonce, other.nonce);
        }
    }
}

/// RFC 7748 section 6.1, and the list of points of small order on the curve and its twist (<https://cr.yp.to/ecdh.html>).
#[test]
fn points_of_low_order_are_no_keys() {
    let mut minus_one = [0xff; 32];
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let (mut zero_again, mut one_again) = (minus_one, minus_one);
    (zero_again[0], one_again[0]) = (0xed, 0xee);
    let mut one = [0; 32];
    one[0] = 1;
    let eight = "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800";
    let eight_too = "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157";
    let points = [
        [0; 32],
        one,
        minus_one,
        zero_again,
        one_again,
        hex(eight),
        hex(eight_too),
    ];
    for point in points {
        assert!(!is_usable(&point), "{point:?}");
        assert_eq!(
            Sealer::new(&[9; 32], &[], &point, 1).err(),
            Some(AgeError::Key)
        );
        let header = Header {
            share: point,
            body: [1; 32],
            mac: [1; 32],
            nonce: [1; 16],
        };
        let bytes = header.to_bytes().unwrap();
        assert_eq!(
            Payload::open(&bytes, &[7; 32], 1).err(),
            Some(AgeError::Recipient)
        );
    }
    assert!(is_usable(&recipient_of(&[7; 32]).unwrap()));
}

fn hex(text: &str) -> [u8; 32] {
    let octets = text.as_bytes().chunks(2);
    let octets: Vec<u8> = octets
        .map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap())
        .collect();
    octets.try_into().unwrap()
}

#[test]
fn sizes_that_no_file_has() {
    assert_eq!(sealed_size(0), Some(HEADER as u64 + 16));
    assert_eq!(sealed_size(u64::MAX), None);
    assert_eq!(HEADER, 184);
}

/// Vectors that are good age files, and not of the one shape that crosses between nodes.
const OTHER_SHAPES: &[&str] = &[
    "stanza_empty_body",
    "stanza_empty_last_line",
    "stanza_valid_characters",
    "x25519_grease",
    "x25519_multiple_recipients",
];

#[test]
fn the_vectors_of_ages_test_kit() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/age");
    let (mut good, mut bad, mut other) = (0, 0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name == "README.md" {
            continue;
        }
        let bytes = std::fs::read(entry.path()).unwrap();
        let end = bytes.windows(2).position(|two| two == b"\n\n").unwrap();
        let about = str::from_utf8(&bytes[..end]).unwrap();
        let field = |field: &str| {
            let mut lines = about.lines();
            lines.find_map(|line| line.strip_prefix(field)?.strip_prefix(": "))
        };
        let mut file = bytes[end + 2..].to_vec();
        if field("compressed").is_some() {
            let mut plain = Vec::new();
            flate2::read::ZlibDecoder::new(&file[..])
                .read_to_end(&mut plain)
                .unwrap();
            file = plain;
        }
        let identity = field("identity").map_or([7; 32], secret);
        let read = read_whole(&file, &identity);
        if field("expect") != Some("success") {
            assert!(read.is_err(), "{name}");
            bad += 1;
        } else if OTHER_SHAPES.contains(&name.as_str()) {
            assert_eq!(read, Err(AgeError::Header), "{name}");
            other += 1;
        } else {
            let digest: [u8; 32] = Sha256::digest(read.expect(&name)).into();
            assert_eq!(digest, hex(field("payload").unwrap()), "{name}");
            good += 1;
        }
    }
    assert_eq!((good, bad, other), (GOOD, BAD, OTHER_SHAPES.len()));
}

/// So that a folder that lost its files is noticed.
const GOOD: usize = 6;
const BAD: usize = 53;

/// Octets of an `AGE-SECRET-KEY-1..`, without its checksum.
fn secret(text: &str) -> [u8; 32] {
    const LETTERS: &str = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L";
    let data = text.strip_prefix("AGE-SECRET-KEY-1").unwrap();
    let mut bits = Vec::new();
    for letter in data[..data.len() - 6].chars() {
        let value = LETTERS.find(letter).unwrap();
        bits.extend((0..5).rev().map(|bit| value >> bit & 1));
    }
    let octets = bits.chunks_exact(8);
    let octets = octets.map(|bits| bits.iter().fold(0, |octet, bit| octet << 1 | *bit as u8));
    octets.take(32).collect::<Vec<u8>>().try_into().unwrap()
}

/// `AGE-SECRET-KEY-1..` of a secret, made by way of the crate's own type.
fn theirs() -> (age::x25519::Identity, [u8; 32]) {
    use age::secrecy::ExposeSecret as _;
    let identity = age::x25519::Identity::generate();
    let ours = secret(identity.to_string().expose_secret());
    (identity, ours)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 24, ..ProptestConfig::default() })]

    /// What we write, the crate `age` reads.
    #[test]
    fn the_crate_reads_ours(chunks in 0..4_usize, more in prop::sample::select(vec![0, 1, 17, CHUNK - 1])) {
        let (identity, ours) = theirs();
        let contents = some(chunks * CHUNK + more);
        let recipient = recipient_of(&ours).unwrap();
        prop_assert_eq!(recipient::encode(&recipient), identity.to_public().to_string());
        let file = sealed(&contents, &ours);
        prop_assert_eq!(age::decrypt(&identity, &file).unwrap(), contents);
    }

    /// What the crate `age` writes, we read, once the stanza it adds for nobody is taken out.
    #[test]
    fn we_read_the_crates(chunks in 0..4_usize, more in prop::sample::select(vec![0, 1, 17, CHUNK - 1])) {
        let (identity, ours) = theirs();
        let contents = some(chunks * CHUNK + more);
        let file = age::encrypt(&identity.to_public(), &contents).unwrap();
        let marks = file.windows(5).position(|five| five == b"\n--- ").unwrap() + 4;
        let text = str::from_utf8(&file[..marks]).unwrap();
        let rest = &file[marks + 1 + 43 + 1..];
        let mut lines = text.lines().skip_while(|line| !line.starts_with("-> X25519 "));
        let (share, body) = (lines.next().unwrap(), lines.next().unwrap());
        let decode = |text: &str| -> [u8; 32] {
            use base64::Engine as _;
            base64::engine::general_purpose::STANDARD_NO_PAD.decode(text).unwrap().try_into().unwrap()
        };
        let mut header = Header {
            share: decode(share.strip_prefix("-> X25519 ").unwrap()),
            body: decode(body),
            mac: [0; 32],
            nonce: *rest.first_chunk().unwrap(),
        };
        // its MAC is ours over its own header, and then over the header without that stanza
        let key = header_mac(&unwrapped(&header, &ours).unwrap()).unwrap();
        let tag = decode(str::from_utf8(&file[marks + 1..marks + 44]).unwrap());
        verify_mac(&key, text.as_bytes(), &tag).unwrap();
        header.mac = mac(&key, header.signed().as_bytes()).as_ref().try_into().unwrap();
        let file = [&header.to_bytes().unwrap()[..], &rest[16..]].concat();
        prop_assert_eq!(read_whole(&file, &ours).unwrap(), contents);
    }

    /// The crate finds a changed file of ours as we do.
    #[test]
    fn both_refuse_what_was_changed(place in any::<prop::sample::Index>(), flip in 1..=255_u8) {
        let (identity, ours) = theirs();
        let mut file = sealed(&some(CHUNK + 5), &ours);
        let at = place.index(file.len());
        file[at] ^= flip;
        prop_assert!(read_whole(&file, &ours).is_err());
        prop_assert!(age::decrypt(&identity, &file).is_err());
    }
}

/// The seeds of the fuzz target were made by another implementation still, in another language; they reach all of the reader.
#[test]
fn the_seeds_of_the_fuzz_target_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/age");
    let seed = |name: &str| std::fs::read(folder.join(name)).unwrap();
    let contents = b"contents of an exhibit\n".repeat(10);
    assert_eq!(read_whole(&seed("file")[8..], &[7; 32]).unwrap(), contents);
    assert_eq!(read_whole(&seed("empty")[8..], &[7; 32]).unwrap(), b"");
    assert!(Header::parse(&seed("header")).is_some());
    let recipient = String::from_utf8(seed("recipient")).unwrap();
    assert!(recipient::decode(&recipient).is_some_and(|key| is_usable(&key)));
}
