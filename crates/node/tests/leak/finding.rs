//! Searching, and deleting what one may not see.

use serde_json::Value;

use super::doors::all_of;
use super::judge::Sight;
use super::world::World;

impl World {
    /// Words of records are found by who may read them; words of marked parts by nobody.
    pub(super) fn searches(&self, asker: usize) {
        let tries = 8.min(self.records.len());
        for _ in 0..tries {
            let record = self.random.below(self.records.len());
            let rec = &self.records[record];
            let field = self.random.below(rec.fields.len());
            let place =
                (!self.random.once_in(4)).then(|| self.random.below(self.collections.len()));
            let collection = place.map_or_else(String::new, |place| {
                format!("&collection={}", self.collections[place].0)
            });
            let path = format!("/api/v1/records?q={}{collection}", rec.fields[field].secret);
            let answer = self.ask(asker, "GET", &path, &[]);
            self.scan(&path, asker, place, &answer.body);
            let found = answer.status == 200 && {
                let hits: Value = serde_json::from_slice(&answer.body).unwrap();
                hits["records"]
                    .as_array()
                    .is_some_and(|hits| !hits.is_empty())
            };
            let shown = match self.sight(asker, record, place) {
                Sight::Shown(hidden) => !hidden.contains(&field),
                _ => false,
            };
            let newest = self.newest(asker, record, place);
            assert!(
                !found || (shown && newest),
                "{path} finds\n{}",
                self.case(asker, record, place)
            );
            if shown && newest && rec.fields[field].tlp.is_none() {
                assert!(
                    found,
                    "{path} does not find\n{}",
                    self.case(asker, record, place)
                );
            }
            let path = format!(
                "/api/v1/records?limit=500&id={}{collection}",
                &rec.id[..rec.id.len() - 32]
            );
            let answer = self.ask(asker, "GET", &path, &[]);
            self.scan(&path, asker, place, &answer.body);
            let hits: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            for hit in hits["records"].as_array().into_iter().flatten() {
                let (id, version) = (
                    hit["id"].as_str().unwrap(),
                    hit["version"].as_str().unwrap(),
                );
                let found = self.find(id, version).unwrap();
                assert!(
                    matches!(self.sight(asker, found, place), Sight::Shown(_)),
                    "{path} names\n{}",
                    self.case(asker, found, place)
                );
            }
        }
    }

    /// No later version may be read there.
    fn newest(&self, asker: usize, record: usize, place: Option<usize>) -> bool {
        let rec = &self.records[record];
        (0..self.records.len()).all(|other| {
            self.records[other].id != rec.id
                || self.records[other].version <= rec.version
                || self.sight(asker, other, place) == Sight::Hidden
        })
    }

    /// Deleting what one may not see gives the answer it gives for what is not there.
    pub(super) fn deletions(&self, asker: usize) {
        for place in 0..self.collections.len() {
            if !(self.reads(asker, place) && self.askers[asker].writes.contains(&place)) {
                continue;
            }
            let base = format!("/ua/collections/{}/objects", self.collections[place].0);
            let nothing = format!("{base}/tool--{}/", super::world::uuid(&self.random));
            let nothing = self.ask(asker, "DELETE", &nothing, &[]);
            for rec in &self.records {
                if self.told(asker, place, &all_of(&rec.id), false).is_empty()
                    && self.random.once_in(8)
                {
                    let path = format!("{base}/{}/", rec.id);
                    let answer = self.ask(asker, "DELETE", &path, &[]);
                    assert_eq!(
                        (answer.status, without_numbers(&answer.body)),
                        (nothing.status, without_numbers(&nothing.body)),
                        "{path}"
                    );
                }
            }
        }
    }
}

fn without_numbers(body: &[u8]) -> String {
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    format!("{} {}", value["title"], value["description"])
}
