//! An independent judge of release, written from the text of TLP 2.0 and the project's own words, not from the policies.
//!
//! Plain strings, no other crate of ours, no sharing with `comity-access`: a mistake there cannot be a mistake here.
//! One rule is one `if`; whoever doubts a result can follow it with a finger.
//!
//! The words. *Holder*: the party whose node is asked. *Place*: the collection asked through, `None` for the whole
//! register. *Staff*: administrators, officers, analysts and auditors of the holder.

/// Who asks.
#[derive(Debug, Clone, Default)]
pub struct Who {
    /// `olena@ua`.
    pub person: String,
    /// `administrator`, `officer`, `analyst`, `entity`, `peer`, `observer` or `auditor`.
    pub role: String,
    /// Its own organisation.
    pub party: String,
    /// For a constituent the party it is a client of.
    pub client_of: Option<String>,
    /// Belongs to the community.
    pub community: bool,
    /// The exercise it takes part in.
    pub exercise: Option<String>,
    /// Collections it may read.
    pub reads: Vec<String>,
}

/// A record, as far as its label tells.
#[derive(Debug, Clone, Default)]
pub struct What {
    /// `CLEAR`, `GREEN`, `AMBER`, `AMBER+STRICT`, `RED`; `None` if it came without a label.
    pub tlp: Option<String>,
    /// The party whose record it is.
    pub originator: String,
    /// Who wrote it.
    pub author: Option<String>,
    /// Organisations in the audience.
    pub parties: Vec<String>,
    /// Persons in the audience.
    pub persons: Vec<String>,
    /// The exercise it was made in.
    pub exercise: Option<String>,
}

/// May `who` see the contents of `what`, held by `holder`, through `place`?
#[must_use]
pub fn may_read(holder: &str, who: &Who, what: &What, place: Option<&str>) -> bool {
    let door_open = match place {
        Some(collection) => who.reads.iter().any(|granted| granted == collection),
        None => staff(holder, who),
    };
    // What a peer reads goes to another node: that is passing on.
    let onward = who.role != "peer" || onward_allowed(holder, who, what);
    door_open && onward && released(holder, who, what)
}

/// May the holder pass `what` on to `who`?
#[must_use]
pub fn may_receive(holder: &str, who: &Who, what: &What) -> bool {
    onward_allowed(holder, who, what) && released(holder, who, what)
}

/// May `who`, who may read the record, see a part of it marked `tlp`?
#[must_use]
pub fn may_read_part(holder: &str, who: &Who, what: &What, tlp: &str, place: Option<&str>) -> bool {
    if strictness(tlp) <= strictness(colour(what)) {
        return true;
    }
    may_read(
        holder,
        who,
        &What {
            tlp: Some(tlp.to_owned()),
            ..what.clone()
        },
        place,
    )
}

fn released(holder: &str, who: &Who, what: &What) -> bool {
    // Exercise records never reach a reader outside the exercise.
    if what.exercise.is_some() && what.exercise != who.exercise {
        return false;
    }
    // And who plays sees nothing real; only a peer's node carries both.
    if who.exercise.is_some() && who.role != "peer" && what.exercise != who.exercise {
        return false;
    }
    let named_person = what.persons.contains(&who.person);
    let named_organisation = what.parties.contains(&who.party);
    let client_of_named = who
        .client_of
        .as_ref()
        .is_some_and(|csirt| what.parties.contains(csirt));
    let source = who.party == what.originator && who.role != "observer";
    let nobody_named = what.parties.is_empty() && what.persons.is_empty();
    let kept_in_house = nobody_named && staff(holder, who);
    let organisation = named_person || named_organisation || source || kept_in_house;
    match colour(what) {
        // "There is no limit on disclosure."
        "CLEAR" => true,
        // "Recipients can spread this within their community"; further restrictions of the source "must be adhered to".
        "GREEN" if nobody_named => organisation || who.community,
        "GREEN" => organisation || client_of_named,
        // "Within their organization and its clients."
        "AMBER" => organisation || client_of_named,
        // "Restricts sharing to the organization only."
        "AMBER+STRICT" => organisation,
        // "For the eyes and ears of individual recipients only."
        "RED" => named_person || what.author.as_ref() == Some(&who.person),
        _ => false,
    }
}

/// What another party gave may not go further than that party allowed.
fn onward_allowed(holder: &str, who: &Who, what: &What) -> bool {
    if what.originator == holder {
        return true;
    }
    match colour(what) {
        "RED" => false,
        "AMBER+STRICT" => what.parties.contains(&who.party) || who.party == what.originator,
        _ => true,
    }
}

fn staff(holder: &str, who: &Who) -> bool {
    who.party == holder
        && ["administrator", "officer", "analyst", "auditor"].contains(&who.role.as_str())
}

/// No label is AMBER.
fn colour(what: &What) -> &str {
    what.tlp.as_deref().unwrap_or("AMBER")
}

fn strictness(tlp: &str) -> usize {
    ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"]
        .iter()
        .position(|word| *word == tlp)
        .unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_label_and_nobody_named_stays_in_house() {
        let what = What {
            originator: "ua".into(),
            ..What::default()
        };
        let olena = Who {
            person: "olena@ua".into(),
            role: "analyst".into(),
            party: "ua".into(),
            ..Who::default()
        };
        let eu = Who {
            person: "node@eu".into(),
            role: "peer".into(),
            party: "eu".into(),
            reads: vec!["c".into()],
            ..Who::default()
        };
        assert!(may_read("ua", &olena, &what, None));
        assert!(!may_read("ua", &eu, &what, Some("c")));
    }
}
