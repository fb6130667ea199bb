//! What an officer is told.

use comity_access::{Access, Action, GranularLabel, LabelSet, Resource, Role};
use comity_stix::marking::Tlp;

use crate::support::{label, party, reader};

fn access() -> Access {
    Access::new(party("ua")).unwrap()
}

fn peer(name: &str, granted: bool) -> comity_access::Reader {
    reader(name, Role::Peer, |account| {
        if granted {
            account.grants.read.insert("feed".to_owned());
        }
    })
}

#[test]
fn a_yes_says_which_rule() {
    let set = label("AMBER ua -> eu");
    let lines = access().explain(
        &peer("node@eu", true),
        Action::Read,
        Resource::record_in(&set, "feed"),
    );
    insta::assert_snapshot!(lines.join("\n"), @r"
    `node@eu` (peer of `eu`) may read this record in collection `feed`: the source named this organisation in the audience
    its label: TLP:AMBER, from `ua`, for `eu`
    ");
}

#[test]
fn a_no_says_what_would_have_to_change() {
    let set = label("AMBER eu -> ua");
    let lines = access().explain(
        &peer("node@ee", true),
        Action::Read,
        Resource::record_in(&set, "feed"),
    );
    insta::assert_snapshot!(lines.join("\n"), @r"
    `node@ee` (peer of `ee`) may not read this record in collection `feed`: TLP:AMBER is for the organisations named and their clients
    its label: TLP:AMBER, from `eu`, for `ua`
    it would be allowed if `eu`, whose record it is, named `node@ee` in the audience
    it would be allowed if `eu`, whose record it is, named `ee` in the audience
    ");
}

#[test]
fn two_locks_need_two_keys() {
    let set = label("RED ua -> anna@eu / ex1");
    let lines = access().explain(
        &peer("node@eu", false),
        Action::Read,
        Resource::record_in(&set, "feed"),
    );
    insta::assert_snapshot!(lines.join("\n"), @r"
    `node@eu` (peer of `eu`) may not read this record in collection `feed`: this account is not granted reading in this collection; it was made in an exercise this account takes no part in
    its label: TLP:RED, from `ua`, for `anna@eu`, made in exercise `ex1`
    it would be allowed if `node@eu` were granted reading in collection `feed`, and `node@eu` took part in exercise `ex1`, and `ua`, whose record it is, named `node@eu` in the audience
    ");
}

#[test]
fn anothers_red_cannot_be_passed_on_by_anything_we_do() {
    let set = label("RED eu -> node@ee");
    let lines = access().explain(
        &peer("node@ee", true),
        Action::Receive,
        Resource::record(&set),
    );
    insta::assert_snapshot!(lines.join("\n"), @r"
    `node@ee` (peer of `ee`) may not receive this record: another party's TLP:RED is never passed on
    its label: TLP:RED, from `eu`, for `node@ee`
    it would be allowed if `eu`, whose record it is, lowered its label to TLP:AMBER
    ");
}

#[test]
fn an_administrator_learns_why_not() {
    let set = label("RED ua -> anna@eu");
    let admin = reader("admin@ua", Role::Administrator, |_| {});
    let lines = access().explain(&admin, Action::Read, Resource::record(&set));
    insta::assert_snapshot!(lines.join("\n"), @r"
    `admin@ua` (administrator of `ua`) may not read this record: TLP:RED is for its author and the persons named in its audience only
    its label: TLP:RED, from `ua`, for `anna@eu`
    it would be allowed if `ua`, whose record it is, named `admin@ua` in the audience
    it would be allowed if `ua`, whose record it is, lowered its label to TLP:AMBER+STRICT
    ");
}

#[test]
fn a_role_is_named_when_the_role_is_the_matter() {
    let analyst = reader("olena@ua", Role::Analyst, |_| {});
    insta::assert_snapshot!(access().explain(&analyst, Action::Backup, Resource::Node).join("\n"), @r"
    `olena@ua` (analyst of `ua`) may not copy the node: backup is not an analyst's work here
    it would be allowed if the account's role were administrator
    ");
}

#[test]
fn parts_left_out_are_named() {
    let mut draft = label("AMBER ua -> eu").to_draft();
    draft.granular = vec![GranularLabel {
        marking_ref: Tlp::Red.id().to_owned(),
        tlp: Tlp::Red,
    }];
    let set = LabelSet::new(draft).unwrap();
    let lines = access().explain(
        &peer("node@eu", true),
        Action::Read,
        Resource::record_in(&set, "feed"),
    );
    insta::assert_snapshot!(lines.join("\n"), @r"
    `node@eu` (peer of `eu`) may read this record in collection `feed`: the source named this organisation in the audience
    its label: TLP:AMBER, from `ua`, for `eu`
    left out are the parts marked `marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1`
    ");
}

#[test]
fn a_wrong_question_is_a_no() {
    let admin = reader("admin@ua", Role::Administrator, |_| {});
    let decision = access().decide(&admin, Action::Read, Resource::Node);
    assert_eq!(
        (decision.permitted, decision.code()),
        (false, "access.mismatch")
    );
}

#[test]
fn every_decision_has_a_reason() {
    let access = access();
    let watch = reader("watch@ee", Role::Observer, |_| {});
    let set = label("GREEN ua -> eu");
    for action in Action::ALL {
        for thing in [
            Resource::record(&set),
            Resource::Collection("feed"),
            Resource::Node,
        ] {
            assert!(
                !access.decide(&watch, action, thing).reasons.is_empty(),
                "{action}"
            );
        }
    }
}
