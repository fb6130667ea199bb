//! Doors behind the records, through the eyes of each account: the command line, files, what may be handed over, where a record went.

use comity_node::control::{self, Command, Export, Kept, Search, Show};
use comity_node::peers::push;
use comity_testkit::oracle;
use serde_json::Value;

use super::doors::opening;
use super::judge::{Filter, Sight};
use super::world::{HOLDER, World};

impl World {
    /// The command line, looking through the eyes of each account.
    pub(super) fn control(&self) {
        for asker in 0..self.askers.len() {
            let name = Some(self.askers[asker].who.person.clone());
            for _ in 0..8 {
                let record = self.random.below(self.records.len());
                self.show(asker, record);
                let rec = &self.records[record];
                let word = rec.fields[self.random.below(rec.fields.len())]
                    .secret
                    .clone();
                let mut kept = Kept::default();
                let search = Search {
                    text: word.clone(),
                    reader: name.clone(),
                    all_versions: true,
                    limit: 100,
                    ..Search::default()
                };
                self.execute(Command::Search(search), &mut kept).unwrap();
                self.scan("search", asker, None, format!("{:?}", kept.rows).as_bytes());
                if !matches!(self.sight(asker, record, None), Sight::Shown(_)) {
                    assert!(
                        kept.rows.is_empty(),
                        "search {word}\n{}",
                        self.case(asker, record, None)
                    );
                }
            }
            let place = self.random.below(self.collections.len());
            for person in [false, true] {
                self.export(asker, place, person);
            }
        }
    }

    fn execute(&self, command: Command, kept: &mut Kept) -> Result<Value, control::ControlError> {
        control::execute(&self.app, "root", command, &mut std::iter::empty(), kept)
    }

    fn show(&self, asker: usize, record: usize) {
        let rec = &self.records[record];
        let show = Show {
            id: rec.id.clone(),
            version: Some(rec.version.clone()),
            reader: Some(self.askers[asker].who.person.clone()),
            opens: false,
        };
        let Ok(value) = self.execute(Command::Show(show), &mut Kept::default()) else {
            assert!(
                !matches!(self.sight(asker, record, None), Sight::Shown(_)),
                "show {}",
                self.case(asker, record, None)
            );
            return;
        };
        self.scan("show", asker, None, value.to_string().as_bytes());
        let Sight::Shown(hidden) = self.sight(asker, record, None) else {
            panic!("show shows\n{}", self.case(asker, record, None));
        };
        let object = value["object"].as_str().unwrap();
        self.check_object("show", asker, record, None, object);
        // with the hash of the whole and its salt the hidden parts could be guessed
        let proof = value["proof"]["text"].as_str().unwrap_or_default();
        let salted = opening(proof.as_bytes())
            .windows(32)
            .any(|window| window == self.salt(record));
        assert_eq!(salted, hidden.is_empty(), "show gives the salt");
        assert_eq!(
            value["content_sha256"].is_null(),
            !hidden.is_empty(),
            "show gives the hash"
        );
        assert_eq!(
            value["proof"]["content_sha256"].is_null(),
            !hidden.is_empty(),
            "show gives the hash in the proof"
        );
    }

    /// A file holds what its reader may read; RED only in a file for one person, and never another party's.
    fn export(&self, asker: usize, place: usize, person: bool) {
        let name = Some(self.askers[asker].who.person.clone());
        let export = Export {
            collection: self.collections[place].0.clone(),
            reader: name.clone(),
            person: name.filter(|_| person),
            all_versions: true,
            ..Export::default()
        };
        let mut kept = Kept::default();
        self.execute(Command::Export(export), &mut kept).unwrap();
        self.scan("export", asker, Some(place), kept.text.as_bytes());
        let all = Filter {
            version: Some("all".to_owned()),
            ..Filter::default()
        };
        let red_stays = |record: usize| self.records[record].what.originator != HOLDER || !person;
        let red = |word: Option<&str>| word == Some("RED");
        for record in self.listed(asker, place, &all) {
            let rec = &self.records[record];
            let Sight::Shown(hidden) = self.sight(asker, record, Some(place)) else {
                continue;
            };
            let whole_stays = red(rec.what.tlp.as_deref()) && red_stays(record);
            // without a part it needs it is left out as a whole
            let needed_stays = rec
                .fields
                .iter()
                .any(|field| field.needed && red(field.tlp) && red_stays(record));
            for (index, field) in rec.fields.iter().enumerate() {
                let stays = whole_stays
                    || needed_stays
                    || hidden.contains(&index)
                    || (red(field.tlp) && red_stays(record));
                assert_eq!(
                    kept.text.contains(&field.secret),
                    !stays,
                    "export field {index} person {person}\n{}",
                    self.case(asker, record, Some(place))
                );
            }
        }
    }

    /// What may be handed over to each peer's account, unasked.
    pub(super) fn handing_over(&self) {
        let sets = self
            .app
            .store
            .label_sets(comity_store::LabelSetId(0))
            .unwrap();
        let labels: Vec<_> = sets
            .iter()
            .map(|(_, text)| comity_access::LabelSet::from_json(text).unwrap())
            .collect();
        for asker in &self.askers {
            if asker.who.role != "peer" {
                continue;
            }
            let reader = self.app.reader(&asker.who.person).unwrap();
            for label in &labels {
                let what = oracle::What {
                    tlp: Some(
                        label
                            .tlp()
                            .to_string()
                            .trim_start_matches("TLP:")
                            .to_owned(),
                    ),
                    originator: label.originator().to_string(),
                    author: label.author().map(ToString::to_string),
                    parties: label
                        .audience()
                        .parties
                        .iter()
                        .map(ToString::to_string)
                        .collect(),
                    persons: label
                        .audience()
                        .persons
                        .iter()
                        .map(ToString::to_string)
                        .collect(),
                    exercise: label.exercise().map(str::to_owned),
                };
                // a record for a person may travel to the node of that person's party
                let for_somebody_there = what.persons.iter().any(|person| {
                    let there = person.split('@').nth(1) == Some(asker.who.party.as_str());
                    let who = oracle::Who {
                        person: person.clone(),
                        role: "officer".to_owned(),
                        exercise: what
                            .exercise
                            .is_some()
                            .then(|| asker.who.exercise.clone())
                            .flatten(),
                        ..asker.who.clone()
                    };
                    there && oracle::may_receive(HOLDER, &who, &what)
                });
                let expected = oracle::may_receive(HOLDER, &asker.who, &what) || for_somebody_there;
                let got = push::released(&self.app, &reader, label);
                assert_eq!(got.is_ok(), expected, "{:?} {what:?} {got:?}", asker.who);
            }
        }
    }

    /// What `comity show ID --as READER` gives.
    pub(super) fn shown(&self, reader: &str, id: &str) -> Value {
        let show = Show {
            id: id.to_owned(),
            version: None,
            reader: Some(reader.to_owned()),
            opens: false,
        };
        self.execute(Command::Show(show), &mut Kept::default())
            .unwrap()
    }

    /// What `comity export c0 --as READER` writes, or `--person READER`.
    pub(super) fn exported(&self, reader: &str, person: bool) -> String {
        let name = Some(reader.to_owned());
        let export = Export {
            collection: "c0".to_owned(),
            reader: name.clone(),
            person: name.filter(|_| person),
            ..Export::default()
        };
        let mut kept = Kept::default();
        self.execute(Command::Export(export), &mut kept).unwrap();
        kept.text
    }

    /// Who has a record is shown to the party's own staff, of records they may see, and never what is in it.
    pub(super) fn sent(&self, asker: usize, record: usize) {
        let path = self.api(record, None, "/sent");
        let answer = self.ask(asker, "GET", &path, &[]);
        self.scan_for_any(&path, asker, &answer.body);
        let own = self.askers[asker].who.party == HOLDER;
        let seen = !matches!(self.sight(asker, record, None), Sight::Hidden);
        if !(own && seen) {
            assert!(
                [403, 404].contains(&answer.status),
                "{path} {}\n{}",
                answer.status,
                self.case(asker, record, None)
            );
        }
    }
}
