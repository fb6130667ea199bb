//! Prints how long construction and one decision take. `cargo run --release -p comity-access --example latency`

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a measurement run by hand"
)]

use std::hint::black_box;
use std::time::Instant;

use comity_access::{
    Access, Account, Action, Draft, LabelSet, PartyId, PrincipalId, Reader, Resource, Role,
};

const ROUNDS: u32 = 20_000;

fn main() {
    let party = |name: &str| PartyId::parse(name).unwrap();
    let start = Instant::now();
    for _ in 0..20 {
        black_box(Access::new(party("ua")).unwrap());
    }
    println!("construction      {:>9.2?}", start.elapsed() / 20);

    let access = Access::new(party("ua")).unwrap();
    let mut account = Account::new(
        PrincipalId::parse("node@eu").unwrap(),
        Role::Peer,
        party("eu"),
    );
    account.grants.read.insert("feed".to_owned());
    let reader = Reader::new(account).unwrap();
    for (what, parties, colour) in [
        ("CLEAR", 0, "CLEAR"),
        ("AMBER to 3", 3, "AMBER"),
        ("AMBER to 30", 30, "AMBER"),
        ("AMBER to 256", 256, "AMBER"),
        ("RED to 3", 3, "RED"),
    ] {
        let mut draft = Draft::new(party("ua"));
        draft.tlp = Some(colour.parse().unwrap());
        draft.audience.parties = (0..parties).map(|n| party(&format!("p{n}"))).collect();
        let label = LabelSet::new(draft).unwrap();
        let start = Instant::now();
        for _ in 0..ROUNDS {
            black_box(access.decide(&reader, Action::Read, Resource::record_in(&label, "feed")));
        }
        println!("{what:<17} {:>9.2?}", start.elapsed() / ROUNDS);
    }
}
