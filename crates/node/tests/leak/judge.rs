//! What each account should see, by the oracle alone.

use comity_testkit::oracle;

use super::world::{COLOURS, HOLDER, Rec, World};

/// A record as one account should see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    Hidden,
    /// It may be read, but without the parts that may not it is no valid object.
    Withheld,
    /// Shown without the fields of these indexes.
    Shown(Vec<usize>),
}

/// Which versions are asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    pub(super) id: Option<String>,
    pub(super) kind: Option<&'static str>,
    /// `None` is TAXII's default, the last.
    pub(super) version: Option<String>,
}

impl World {
    /// How `asker` should see a record at `place`: in a collection or, `None`, in the whole register.
    pub(super) fn sight(&self, asker: usize, record: usize, place: Option<usize>) -> Sight {
        let mut known = self.sights.borrow_mut();
        let sights = known.entry((asker, place)).or_insert_with(|| {
            (0..self.records.len())
                .map(|record| self.judge(asker, record, place))
                .collect()
        });
        sights[record].clone()
    }

    fn judge(&self, asker: usize, record: usize, place: Option<usize>) -> Sight {
        let (who, rec) = (&self.askers[asker].who, &self.records[record]);
        if place.is_some_and(|place| !rec.collections.contains(&place)) {
            return Sight::Hidden;
        }
        let place = place.map(|place| self.collections[place].0.as_str());
        if !oracle::may_read(HOLDER, who, &rec.what, place) {
            return Sight::Hidden;
        }
        let hidden: Vec<usize> = (0..rec.fields.len())
            .filter(|field| {
                rec.fields[*field]
                    .tlp
                    .is_some_and(|tlp| !oracle::may_read_part(HOLDER, who, &rec.what, tlp, place))
            })
            .collect();
        if hidden.iter().any(|field| rec.fields[*field].needed) {
            Sight::Withheld
        } else {
            Sight::Shown(hidden)
        }
    }

    /// Whether an account gets a record although nothing on it says its colour: the node's own people do, nodes that ask for
    /// labels beside the objects, and everybody of the party whose record it is.
    fn learns(&self, asker: usize, record: usize, beside: bool) -> bool {
        let who = &self.askers[asker].who;
        let rank = |colour: &str| COLOURS.iter().position(|one| *one == colour).unwrap();
        let rec = &self.records[record];
        let colour = rank(rec.what.tlp.as_deref().unwrap_or("AMBER"));
        let says = rec.own.as_deref().is_some_and(|own| rank(own) >= colour);
        let own = who.party == HOLDER || who.party == rec.what.originator;
        colour < rank("AMBER") || says || own || (beside && who.role == "peer")
    }

    /// The records a list over TAXII should hold, in order.
    pub(super) fn told(
        &self,
        asker: usize,
        place: usize,
        filter: &Filter,
        beside: bool,
    ) -> Vec<usize> {
        let listed = self.listed(asker, place, filter).into_iter();
        listed
            .filter(|record| self.learns(asker, *record, beside))
            .collect()
    }

    /// A list holds what it should, no more and no less, in order.
    pub(super) fn same(
        &self,
        asker: usize,
        place: usize,
        filter: &Filter,
        door: &str,
        got: &[usize],
        beside: bool,
    ) {
        let expected = self.told(asker, place, filter, beside);
        let odd = got
            .iter()
            .find(|record| !expected.contains(record))
            .or_else(|| expected.iter().find(|record| !got.contains(record)));
        assert!(
            got == expected,
            "at {door} {filter:?} {got:?}, expected {expected:?}\n{}",
            odd.map_or_else(String::new, |odd| self.case(asker, *odd, Some(place)))
        );
    }

    /// The records that may be read, in order.
    pub(super) fn listed(&self, asker: usize, place: usize, filter: &Filter) -> Vec<usize> {
        let readable: Vec<usize> = (0..self.records.len())
            .filter(|record| self.sight(asker, *record, Some(place)) != Sight::Hidden)
            .collect();
        let of = |record: usize| &self.records[record];
        let versions = filter.version.as_deref().unwrap_or("last");
        let asked = |record: usize| {
            let rec = of(record);
            let same = || readable.iter().filter(|other| of(**other).id == rec.id);
            versions.split(',').any(|word| match word {
                "all" => true,
                "last" => same().all(|other| of(*other).version <= rec.version),
                "first" => same().all(|other| of(*other).version >= rec.version),
                exact => exact == rec.version,
            })
        };
        readable
            .iter()
            .copied()
            .filter(|record| filter.id.as_ref().is_none_or(|id| of(*record).id == *id))
            .filter(|record| filter.kind.is_none_or(|kind| of(*record).kind == kind))
            .filter(|record| asked(*record))
            .filter(|record| self.sight(asker, *record, Some(place)) != Sight::Withheld)
            .collect()
    }

    /// Looks for secrets in what an account got. Every one must be of a record and a part it may see there.
    pub(super) fn scan(&self, door: &str, asker: usize, place: Option<usize>, bytes: &[u8]) {
        for (record, field) in self.found(bytes) {
            let sight = self.sight(asker, record, place);
            let fine = matches!(&sight, Sight::Shown(hidden) if !hidden.contains(&field));
            assert!(
                fine,
                "LEAK at {door}: field {field} {sight:?}\n{}",
                self.case(asker, record, place)
            );
        }
    }

    /// No secret at all belongs in here.
    pub(super) fn scan_for_any(&self, door: &str, asker: usize, bytes: &[u8]) {
        if let Some((record, field)) = self.found(bytes).first() {
            panic!(
                "LEAK at {door}: field {field}\n{}",
                self.case(asker, *record, None)
            );
        }
    }

    fn found(&self, bytes: &[u8]) -> Vec<(usize, usize)> {
        bytes
            .windows(12)
            .filter(|window| window.starts_with(b"zq"))
            .filter_map(|window| self.secrets.get(std::str::from_utf8(window).ok()?))
            .copied()
            .collect()
    }

    /// Every field that should be there is, and nothing else.
    pub(super) fn check_object(
        &self,
        door: &str,
        asker: usize,
        record: usize,
        place: Option<usize>,
        text: &str,
    ) {
        let Sight::Shown(hidden) = self.sight(asker, record, place) else {
            panic!(
                "at {door} an object that should not be there\n{}",
                self.case(asker, record, place)
            );
        };
        for (index, field) in self.records[record].fields.iter().enumerate() {
            assert_eq!(
                text.contains(&field.secret),
                !hidden.contains(&index),
                "at {door}: field {index}\n{}",
                self.case(asker, record, place)
            );
        }
    }

    /// Index of a record by identifier and version.
    pub(super) fn find(&self, id: &str, version: &str) -> Option<usize> {
        self.records
            .iter()
            .position(|rec| rec.id == id && rec.version == version)
    }

    /// Everything that matters of one question, to be made a case of.
    pub(super) fn case(&self, asker: usize, record: usize, place: Option<usize>) -> String {
        let rec: &Rec = &self.records[record];
        format!(
            "seed {}\n{:#?}\n{:#?}\nin {:?} asked in {place:?}\n{}",
            self.seed,
            self.askers[asker].who,
            rec.what,
            rec.collections,
            String::from_utf8_lossy(&rec.bytes)
        )
    }
}
