//! Items, names, exhibits, custody lines and their signatures.

use comity_evidence::custody::{Event, Invalid, Kind, Line, sign_hash};
use comity_evidence::{Exhibit, Item, ItemName, Manifest, Time};

use crate::support::{authority, chain, fields, person, signed, signer};

const ITEM: &str = concat!(
    r#"{"item":1,"media_type":"text/plain","modified":"2026-01-01T00:00:00Z","name":"dir/a%0Ab.txt","#,
    r#""sha256":"0000000000000000000000000000000000000000000000000000000000000000","size":12}"#,
    "\n"
);

#[test]
fn the_item_of_the_contract() {
    let item = Item::parse_line(ITEM.as_bytes()).unwrap();
    assert_eq!(item.name.decode(), b"dir/a\nb.txt");
    assert_eq!(item.to_line(), ITEM);
}

#[test]
fn items_of_other_shapes_are_refused() {
    for (from, to) in [
        ("\n", ""),
        ("\n", "\n\n"),
        ("\"item\":1", "\"item\":0"),
        ("text/plain", "text"),
        ("text/plain", "text/plain; a=b"),
        ("00Z", "00.0Z"),
        ("01-01", "02-30"),
        ("%0A", "%0a"),
        ("a%0Ab", "%41"),
        ("dir/", "../"),
        ("dir/", "/"),
        ("dir/", "a//"),
        ("dir/", "./"),
        ("a%0Ab", "%00"),
        ("\"size\":12", "\"size\":12,\"x\":1"),
        ("0000\"", "000\""),
        ("0000\"", "000A\""),
        ("dir/a%0Ab.txt", ""),
        ("txt\"", "txt/\""),
        ("%0A", "%2F"),
        ("%0A", "\u{202e}"),
    ] {
        let text = ITEM.replacen(from, to, 1);
        assert!(Item::parse_line(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn hostile_names_are_kept_and_look_different() {
    let check = |path: &[u8], expect: &str| {
        let name = ItemName::encode(path).unwrap();
        assert_eq!(name.as_str(), expect);
        assert_eq!(name.decode(), path);
    };
    check("é".as_bytes(), "%C3%A9");
    check("e\u{301}".as_bytes(), "e%CC%81");
    check("\u{202e}gpj.exe".as_bytes(), "%E2%80%AEgpj.exe");
    check(b"a%0Ab", "a%250Ab");
    check(b"a\nb\r", "a%0Ab%0D");
    check(b"\xff\x7f~\\", "%FF%7F%7E%5C");
    check(b"...", "...");
    check(b"a/..b/-rf *", "a/..b/-rf %2A");
    for bad in [
        &b""[..],
        b"/a",
        b"a/",
        b"a//b",
        b"..",
        b"a/../b",
        b".",
        b"a\0b",
        &[b'a'; 13_000],
    ] {
        assert!(ItemName::encode(bad).is_err());
    }
}

#[test]
fn the_list_adds_up_and_numbers_follow() {
    let mut item = Item::parse_line(ITEM.as_bytes()).unwrap();
    let mut manifest = Manifest::default();
    manifest.add(&item).unwrap();
    assert!(manifest.add(&item).is_err());
    item.number = 2;
    manifest.add(&item).unwrap();
    assert_eq!((manifest.items(), manifest.size()), (2, 24));
    let both = format!("{ITEM}{}", item.to_line());
    assert_eq!(manifest.sha256(), comity_evidence::sha256(both.as_bytes()));
    item.number = 3;
    item.size = u64::MAX;
    assert!(manifest.add(&item).is_err());
}

#[test]
fn an_exhibit_has_one_line() {
    let line = concat!(
        r#"{"exhibit":"comity-exhibit--5afe0000-2021-4603-8c0d-000000000001","items":1,"#,
        r#""items_sha256":"0000000000000000000000000000000000000000000000000000000000000000","number":"UA-2026-0001","size":12,"title":"t"}"#,
        "\n"
    );
    assert_eq!(
        Exhibit::parse_line(line.as_bytes()).unwrap().to_line(),
        line
    );
    for (from, to) in [
        ("8c0d", "8C0D"),
        ("4603", "1603"),
        ("UA-", "-"),
        ("UA-", "U A"),
        ("\"t\"", "\"\""),
        ("\"t\"", "\"a\\nb\""),
    ] {
        assert!(
            Exhibit::parse_line(line.replacen(from, to, 1).as_bytes()).is_err(),
            "{to}"
        );
    }
}

#[test]
fn each_kind_says_what_it_must() {
    let refused = |kind: Kind, edit: fn(&mut comity_evidence::custody::Fields)| {
        let mut fields = fields(kind, "ua", 1);
        edit(&mut fields);
        Event::new(fields).unwrap_err().to_string()
    };
    assert!(refused(Kind::Transferred, |f| f.counterparty = None).contains("counterparty"));
    assert!(
        refused(Kind::Transferred, |f| f.counterparty = Some("ua".into()))
            .contains("own authority")
    );
    assert!(
        refused(Kind::Transferred, |f| f.counterparty =
            Some("the court".into()))
        .contains("no authority")
    );
    assert!(refused(Kind::Received, |f| f.rehashed = None).contains("rehashed"));
    assert!(refused(Kind::Received, |f| f.rehashed = Some([1; 32])).contains("anomaly"));
    assert!(refused(Kind::Destroyed, |f| f.reason = None).contains("reason"));
    assert!(refused(Kind::Derived, |f| f.outputs.clear()).contains("outputs"));
    assert!(refused(Kind::Sealed, |f| f.items = 0).contains("items"));
    assert!(refused(Kind::Sealed, |f| f.place = "a\nb".into()).contains("place"));
    assert!(refused(Kind::Sealed, |f| f.id = "x".into()).contains("id"));
    assert!(refused(Kind::Sealed, |f| f.actor.name = "olena@eu".into()).contains("person@ua"));
    assert!(refused(Kind::Sealed, |f| f.actor.name = "jan@ua".into()).contains("named"));
}

#[test]
fn a_line_is_signed_twice_and_read_back() {
    let event = chain(&["sealed/ua"]).remove(0);
    let line = signed(event);
    let text = line.to_line();
    let read = Line::parse_line(text.as_bytes()).unwrap();
    assert_eq!(read, line);
    let keys = [authority("ua").verifier().clone()];
    let verified = read.verify(&keys, &[]).unwrap();
    assert_eq!(verified.event().fields().place, "Kyiv");
    assert!(verified.countersigned().is_none() && verified.unknown_signers().is_empty());
    assert_eq!(read.signatures().len(), 2);
    assert!(text.contains("\u{2014} olena@ua "));
}

#[test]
fn other_signatures_do_not_count() {
    let event = || chain(&["sealed/ua"]).remove(0);
    let keys = [authority("ua").verifier().clone()];
    let line = signed(event());
    assert!(matches!(line.verify(&[], &[]), Err(Invalid::NoKey(_))));
    let other = [signer("comity.ua/custody/1", 9).verifier().clone()];
    assert!(matches!(
        line.verify(&other, &[]),
        Err(Invalid::Authority(..))
    ));
    // signatures of another event
    let lines = signed(chain(&["acquired/ua"]).remove(0)).signatures();
    let moved = Line::assemble(event(), lines.iter().map(String::as_str)).unwrap();
    assert!(matches!(moved.verify(&keys, &[]), Err(Invalid::Person(..))));
    // the person alone, or the authority twice
    let signatures = line.signatures();
    assert!(Line::assemble(event(), [signatures[0].as_str()]).is_err());
    assert!(Line::assemble(event(), [signatures[1].as_str(), signatures[1].as_str()]).is_err());
    assert!(Line::assemble(event(), ["— x", "— y"]).is_err());
    assert!(Line::assemble(event(), ["— olena@ua AAAAAAA=\n", signatures[1].as_str()]).is_err());
    // a forged person beside a true authority
    let forged = signer("olena@ua", 5);
    let forged = sign_hash(event().hash(), &forged).to_string();
    let line = Line::assemble(event(), [forged.trim_end(), signatures[1].as_str()]).unwrap();
    assert!(matches!(line.verify(&keys, &[]), Err(Invalid::Person(..))));
    assert!(Line::sign(event(), &signer("olena@ua", 5), &authority("ua")).is_err());
    assert!(Line::sign(event(), &person("ua"), &authority("eu")).is_err());
}

#[test]
fn a_hand_over_is_counter_signed() {
    let event = chain(&["sealed/ua", "transferred/ua"]).remove(1);
    let mut line = signed(event);
    let keys = [
        authority("ua").verifier().clone(),
        authority("eu").verifier().clone(),
    ];
    assert!(line.verify(&keys, &[]).unwrap().countersigned().is_none());
    let hash = *line.event_unverified().hash();
    line.countersign(sign_hash(&hash, &person("eu"))).unwrap();
    line.countersign(sign_hash(&hash, &authority("eu")))
        .unwrap();
    line.countersign(sign_hash(&hash, &authority("eu")))
        .unwrap();
    assert_eq!(line.signatures().len(), 4);
    let jan = [person("eu").verifier().clone()];
    let verified = line.verify(&keys, &jan).unwrap();
    assert_eq!(verified.countersigned(), Some(authority("eu").verifier()));
    assert!(verified.unknown_signers().is_empty());
    let unknown = line.verify(&keys, &[]).unwrap();
    assert_eq!(unknown.unknown_signers()[0].as_str(), "jan@eu");
    // wrong, by a key that is known
    line.countersign(sign_hash(&[0; 32], &signer("comity.xx/custody/1", 2)))
        .unwrap();
    assert!(line.verify(&keys, &jan).is_ok());
    let mut wrong = signed(chain(&["sealed/ua", "transferred/ua"]).remove(1));
    wrong
        .countersign(sign_hash(&[0; 32], &authority("eu")))
        .unwrap();
    assert!(matches!(wrong.verify(&keys, &[]), Err(Invalid::Counter(_))));
}

#[test]
fn times_have_one_spelling() {
    for good in [
        "1970-01-01T00:00:00Z",
        "2024-02-29T23:59:59.123456789Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59.9Z",
        "1969-12-31T23:59:59.5Z",
    ] {
        assert_eq!(Time::parse(good).unwrap().to_string(), good);
    }
    for bad in [
        "2023-02-29T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:60Z",
        "2026-01-01T00:00:00.10Z",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+00:00",
        "2026-01-01 00:00:00Z",
        "2026-1-01T00:00:00Z",
        "2026-01-01T00:00:00.1234567891Z",
        "+026-01-01T00:00:00Z",
        "",
        "Z",
    ] {
        assert!(Time::parse(bad).is_none(), "{bad}");
    }
    assert_eq!(
        Time::from_micros(1_622_678_400_000_001).to_string(),
        "2021-06-03T00:00:00.000001Z"
    );
    assert_eq!(Time::from_micros(-1).micros(), -1);
}
/// The seed of the fuzz target, kept as a file: a chain of three signed events.
#[test]
fn the_seed_of_the_fuzz_target_stays_readable() {
    let text = include_bytes!("../../../../fuzz/seeds/custody/chain");
    let lines: Vec<Line> = text
        .split_inclusive(|byte| *byte == b'\n')
        .map(|line| Line::parse_line(line).unwrap())
        .collect();
    let events: Vec<Event> = chain(&["sealed/ua", "transferred/ua", "received/eu"]);
    let expected: String = events
        .into_iter()
        .map(|event| signed(event).to_line())
        .collect();
    assert_eq!(str::from_utf8(text).unwrap(), expected);
    assert_eq!(lines.len(), 3);
}
