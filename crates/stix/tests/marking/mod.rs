use comity_stix::marking::{
    MarkingDefinition, MarkingParts, PAP_EXTENSION_ID, Pap, TLP2_EXTENSION_ID, Tlp,
    extension_definition, is_tlp1, strictest_tlp, tlp_of, tlp2_definition,
};
use proptest::prelude::*;

const WHITE: &str = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9";
const AMBER1: &str = "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";
const RED1: &str = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed";

#[test]
fn s7_2_1_4_predefined_ids() {
    assert_eq!(tlp_of(WHITE), Some(Tlp::Clear));
    assert_eq!(
        tlp_of("marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"),
        Some(Tlp::Green)
    );
    assert_eq!(tlp_of(AMBER1), Some(Tlp::Amber));
    assert_eq!(tlp_of(RED1), Some(Tlp::Red));
    assert!(is_tlp1(RED1) && !is_tlp1(Tlp::Red.id()));
    for level in Tlp::ALL {
        assert_eq!(tlp_of(level.id()), Some(level));
    }
    // OpenCTI's own, which it calls a statement
    assert_eq!(
        tlp_of("marking-definition--826578e1-40ad-459f-bc73-ede076f81f37"),
        Some(Tlp::AmberStrict)
    );
    // one digit off: an id some libraries ship is not the published one
    assert_eq!(
        tlp_of("marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8488"),
        None
    );
    assert_eq!(tlp_of(""), None);
}

#[test]
fn tlp2_objects_are_those_oasis_publishes() {
    for level in Tlp::ALL {
        let object: serde_json::Value = serde_json::from_str(tlp2_definition(level)).unwrap();
        assert_eq!(object["id"], level.id());
        assert_eq!(object["name"], level.to_string());
        assert_eq!(object["created"], "2022-10-01T00:00:00.000Z");
        assert_eq!(object["spec_version"], "2.1");
        assert_eq!(object.as_object().unwrap().len(), 6);
        let extension = &object["extensions"][TLP2_EXTENSION_ID];
        assert_eq!(extension["extension_type"], "property-extension");
        assert_eq!(extension["tlp_2_0"], level.word().to_ascii_lowercase());
    }
    let definition: serde_json::Value = serde_json::from_str(extension_definition()).unwrap();
    assert_eq!(definition["id"], TLP2_EXTENSION_ID);
    assert_eq!(
        definition["extension_types"],
        serde_json::json!(["property-extension"])
    );
}

#[test]
fn words_in_every_spelling() {
    for (text, level) in [
        ("WHITE", Tlp::Clear),
        ("tlp:white", Tlp::Clear),
        ("TLP:CLEAR", Tlp::Clear),
        (" Tlp: green ", Tlp::Green),
        ("amber", Tlp::Amber),
        ("TLP:AMBER+STRICT", Tlp::AmberStrict),
        ("amber-strict", Tlp::AmberStrict),
        ("tlp:amber strict", Tlp::AmberStrict),
        ("AMBER_STRICT", Tlp::AmberStrict),
        ("amber + strict", Tlp::AmberStrict),
        ("tlp red", Tlp::Red),
    ] {
        assert_eq!(text.parse(), Ok(level), "{text}");
    }
    for text in [
        "",
        "TLP",
        "TLP:",
        "tlp:unclear",
        "strict",
        "amber+",
        "amber+strictly",
        "PAP:RED",
        "rot",
    ] {
        assert!(text.parse::<Tlp>().is_err(), "{text}");
    }
    assert_eq!("pap:white".parse(), Ok(Pap::Clear));
    assert!("PAP:AMBER+STRICT".parse::<Pap>().is_err());
    assert_eq!(
        "purple".parse::<Tlp>().unwrap_err().to_string(),
        "`purple` is not a TLP level (expected one of CLEAR, GREEN, AMBER, AMBER+STRICT, RED)"
    );
}

#[test]
fn strictest_wins_and_unknown_is_none() {
    assert_eq!(
        strictest_tlp([
            WHITE,
            AMBER1,
            "marking-definition--00000000-0000-4000-8000-000000000000"
        ]),
        Some(Tlp::Amber)
    );
    assert_eq!(strictest_tlp([RED1, Tlp::AmberStrict.id()]), Some(Tlp::Red));
    assert_eq!(
        strictest_tlp(["marking-definition--00000000-0000-4000-8000-000000000000"]),
        None
    );
    assert_eq!(strictest_tlp([]), None);
    assert!(Tlp::ALL.is_sorted() && Pap::ALL.is_sorted());
}

#[test]
fn meanings() {
    let foreign = "marking-definition--00000000-0000-4000-8000-000000000000";
    let of = |parts: MarkingParts<'_>| MarkingDefinition::of(&parts);
    assert_eq!(
        of(MarkingParts {
            id: WHITE,
            name: Some("TLP:RED"),
            ..Default::default()
        }),
        MarkingDefinition::Tlp(Tlp::Clear)
    );
    let calls_itself_tlp = MarkingParts {
        id: foreign,
        name: Some("TLP:CLEAR"),
        definition_type: Some("tlp"),
        ..Default::default()
    };
    assert_eq!(of(calls_itself_tlp), MarkingDefinition::Other);
    for parts in [
        MarkingParts {
            id: foreign,
            name: Some("PAP:AMBER"),
            ..Default::default()
        },
        MarkingParts {
            id: foreign,
            statement: Some("pap:amber"),
            definition_type: Some("statement"),
            ..Default::default()
        },
        MarkingParts {
            id: foreign,
            definition_type: Some("PAP:AMBER"),
            ..Default::default()
        },
        MarkingParts {
            id: foreign,
            pap_extension: Some("amber"),
            ..Default::default()
        },
    ] {
        assert_eq!(of(parts), MarkingDefinition::Pap(Pap::Amber));
    }
    assert!(PAP_EXTENSION_ID.starts_with("extension-definition--"));
    let statement = MarkingParts {
        id: foreign,
        statement: Some("red"),
        ..Default::default()
    };
    assert_eq!(of(statement), MarkingDefinition::Statement("red".into()));
}

proptest! {
    #[test]
    fn printed_levels_parse_back(level in proptest::sample::select(&Tlp::ALL[..]), pap in proptest::sample::select(&Pap::ALL[..])) {
        prop_assert_eq!(level.to_string().parse(), Ok(level));
        prop_assert_eq!(level.to_string().to_lowercase().parse(), Ok(level));
        prop_assert_eq!(pap.to_string().parse(), Ok(pap));
    }

    #[test]
    fn no_text_panics(text in any::<String>(), around in "(TLP|tlp:|PAP:|AMBER\\+)?\\PC{0,8}") {
        for text in [&text, &around] {
            let _ = text.parse::<Tlp>();
            let _ = text.parse::<Pap>();
            let _ = MarkingDefinition::of(&MarkingParts { id: text, name: Some(text), ..Default::default() });
        }
    }
}
