//! RFC 3161 tokens by `openssl ts`, good ones and everything that is wrong with others (evidence-log E.12).

use comity_verify::tsp::{Anchor, ChainFault, TspError, certificates, certificates_strict, verify};

use crate::tsa::{P256, P384, RSA, Shape, Tsa};

const TEXT: &str = "comity.ua/log/1\n10\nAAAA\n";

/// `None`, and the test passes without having tested, where there is no openssl.
fn one(shape: &Shape) -> Option<Tsa> {
    Tsa::new(shape)
}

/// Verifies with the chain beside, and the root given or not.
fn check(tsa: &Tsa, token: &[u8], given: Option<&str>) -> Result<Anchor, TspError> {
    let chain = certificates_strict(&tsa.read("chain.pem")).unwrap();
    let given = given.map(|name| certificates(&tsa.read(name)).unwrap());
    verify(token, TEXT.as_bytes(), &chain, given.as_deref()).map(|stamp| stamp.anchor)
}

#[test]
fn tokens_by_every_kind_of_key_are_verified() {
    for key in [P256, P384, RSA] {
        for digest in ["sha256", "sha384", "sha512"] {
            let Some(tsa) = one(&Shape {
                key,
                digest,
                ..Shape::default()
            }) else {
                return;
            };
            let (token, _) = tsa.stamp(TEXT);
            let what = format!("{key:?} {digest}");
            assert_eq!(
                check(&tsa, &token, Some("ca.crt")),
                Ok(Anchor::Given),
                "{what}"
            );
            assert_eq!(
                check(&tsa, &token, Some("tsa.crt")),
                Ok(Anchor::Given),
                "{what}"
            );
            assert_eq!(check(&tsa, &token, None), Ok(Anchor::PackageOnly), "{what}");
        }
    }
}

#[test]
fn e12_another_authority_s_token_is_refused() {
    let (Some(ours), Some(theirs)) = (one(&Shape::default()), one(&Shape::default())) else {
        return;
    };
    let (token, chain) = theirs.stamp(TEXT);
    let chain = certificates(&chain).unwrap();
    let given = certificates(&ours.read("ca.crt")).unwrap();
    // both roots are called the same: names alone anchor nothing
    let result = verify(&token, TEXT.as_bytes(), &chain, Some(&given));
    assert_eq!(result, Err(TspError::NoAnchor));
    let result = verify(&token, TEXT.as_bytes(), &given, Some(&given));
    assert_eq!(result, Err(TspError::Chain(ChainFault::Signature)));
}

#[test]
fn a_token_over_another_text_is_refused() {
    let Some(tsa) = one(&Shape::default()) else {
        return;
    };
    let (token, _) = tsa.stamp("another text\n");
    assert_eq!(check(&tsa, &token, Some("ca.crt")), Err(TspError::Imprint));
}

#[test]
fn e12_a_certificate_that_is_not_for_time_stamping_alone_is_refused() {
    for usage in [
        "timeStamping",
        "critical,timeStamping,codeSigning",
        "critical,codeSigning",
    ] {
        // openssl's own authority refuses to sign with it, so it is signed by hand
        let (Some(good), Some(tsa)) = (
            one(&Shape::default()),
            one(&Shape {
                usage,
                ..Shape::default()
            }),
        ) else {
            return;
        };
        let info = good.stamp_by_hand(TEXT, &[]).map(|_| good.read("info"));
        std::fs::write(tsa.path().join("info"), info.unwrap()).unwrap();
        let token = by_hand(&tsa, &[]);
        let result = check(&tsa, &token, Some("ca.crt"));
        assert_eq!(result, Err(TspError::Chain(ChainFault::Purpose)), "{usage}");
    }
}

fn by_hand(tsa: &Tsa, more: &[&str]) -> Vec<u8> {
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
    tsa.run(&[&fixed, more].concat());
    let token = tsa.read("signed");
    let length = u16::try_from(5 + token.len()).unwrap();
    [
        &[0x30, 0x82],
        &length.to_be_bytes()[..],
        &[0x30, 3, 2, 1, 0],
        &token,
    ]
    .concat()
}

#[test]
fn a_token_signed_by_hand_is_as_good_if_all_is_there() {
    let Some(tsa) = one(&Shape::default()) else {
        return;
    };
    let token = tsa.stamp_by_hand(TEXT, &[]).unwrap();
    assert_eq!(check(&tsa, &token, Some("ca.crt")), Ok(Anchor::Given));
    let token = tsa.stamp_by_hand(TEXT, &["-keyid"]).unwrap();
    assert_eq!(check(&tsa, &token, Some("ca.crt")), Ok(Anchor::Given));
    // without the certificate there is nothing to pin
    let token = tsa.stamp_by_hand(TEXT, &["-nocerts"]).unwrap();
    assert_eq!(check(&tsa, &token, Some("ca.crt")), Err(TspError::Signer));
}

#[test]
fn a_token_signed_with_pss_is_verified() {
    let Some(tsa) = one(&Shape {
        key: RSA,
        ..Shape::default()
    }) else {
        return;
    };
    let pss = [
        "-keyopt",
        "rsa_padding_mode:pss",
        "-keyopt",
        "rsa_pss_saltlen:32",
    ];
    let token = tsa.stamp_by_hand(TEXT, &pss).unwrap();
    assert_eq!(check(&tsa, &token, Some("ca.crt")), Ok(Anchor::Given));
}

#[test]
fn e12_a_time_outside_the_certificate_s_validity_is_refused() {
    let Some(tsa) = one(&Shape::default()) else {
        return;
    };
    tsa.stamp_by_hand(TEXT, &[]).unwrap();
    // the same certificate, but for a period that is over
    tsa.write("index", "");
    tsa.write("serial-ca", "77\n");
    tsa.write(
        "ca.cnf",
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index\nserial=serial-ca\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n",
    );
    tsa.run(&[
        "ca",
        "-batch",
        "-config",
        "ca.cnf",
        "-cert",
        "ca.crt",
        "-keyfile",
        "ca.key",
        "-in",
        "tsa.csr",
        "-out",
        "old.crt",
        "-extfile",
        "ext",
        "-startdate",
        "20200101000000Z",
        "-enddate",
        "20210101000000Z",
        "-notext",
    ]);
    std::fs::copy(tsa.path().join("old.crt"), tsa.path().join("tsa.crt")).unwrap();
    let token = by_hand(&tsa, &[]);
    let result = check(&tsa, &token, Some("ca.crt"));
    assert_eq!(result, Err(TspError::Chain(ChainFault::Validity)));
}

#[test]
fn nothing_may_be_added_to_a_token() {
    let Some(tsa) = one(&Shape::default()) else {
        return;
    };
    let (token, _) = tsa.stamp(TEXT);
    let mut longer = token.clone();
    longer.push(0);
    assert!(matches!(
        check(&tsa, &longer, Some("ca.crt")),
        Err(TspError::Form(_))
    ));
    // what openssl accepts without a word: two tokens one after the other
    let twice = [token.clone(), token.clone()].concat();
    assert!(matches!(
        check(&tsa, &twice, Some("ca.crt")),
        Err(TspError::Form(_))
    ));
    // a certificate nobody needs, in the token
    tsa.run(&[
        "req",
        "-x509",
        "-nodes",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-keyout",
        "other.key",
        "-out",
        "other.crt",
        "-subj",
        "/CN=Other",
    ]);
    let token = tsa
        .stamp_by_hand(TEXT, &["-certfile", "other.crt"])
        .unwrap();
    assert_eq!(check(&tsa, &token, Some("ca.crt")), Err(TspError::Unused));
}

#[test]
fn flipped_bits_of_a_token_and_of_its_chain_are_found() {
    bits(13);
}

#[test]
#[ignore = "every single bit: a minute"]
fn every_bit_of_a_token_and_of_its_chain_counts() {
    bits(1);
}

fn bits(every: usize) {
    for key in [P256, RSA] {
        let Some(tsa) = one(&Shape {
            key,
            ..Shape::default()
        }) else {
            return;
        };
        let (token, _) = tsa.stamp(TEXT);
        let given = certificates(&tsa.read("ca.crt")).unwrap();
        let chain = certificates_strict(&tsa.read("chain.pem")).unwrap();
        for place in (0..token.len() * 8).step_by(every) {
            let mut changed = token.clone();
            changed[place / 8] ^= 1 << (place % 8);
            let result = verify(&changed, TEXT.as_bytes(), &chain, Some(&given));
            assert!(result.is_err(), "bit {place}: {result:?}");
        }
        for place in (0..chain[0].len() * 8).step_by(every) {
            let mut changed = chain.clone();
            changed[0][place / 8] ^= 1 << (place % 8);
            let result = verify(&token, TEXT.as_bytes(), &changed, Some(&given));
            assert!(result.is_err(), "bit {place} of the root: {result:?}");
            assert!(verify(&token, TEXT.as_bytes(), &changed, None).is_err());
        }
    }
}

#[test]
fn pem_has_one_spelling_in_a_package() {
    let Some(tsa) = one(&Shape::default()) else {
        return;
    };
    let text = String::from_utf8(tsa.read("chain.pem")).unwrap();
    assert!(certificates_strict(text.as_bytes()).is_ok());
    for changed in [
        text.clone() + "\n",
        format!("# root\n{text}"),
        text.replace('\n', "\r\n"),
        text.trim_end().to_owned(),
        text.replacen("\nM", "\n M", 1),
        String::new(),
    ] {
        assert!(
            certificates_strict(changed.as_bytes()).is_err(),
            "{changed:?}"
        );
    }
}
