//! Ways through a tree: its comparisons, its qualifiers, its level.

use super::Level;
use super::ast::{
    Comparator, Comparison, Constant, ConstantKind, Leaf, ObjectPath, Observation, Pattern,
    Qualifier, Step, Test,
};

impl Pattern {
    /// Every comparison, in the order of the text.
    pub fn leaves(&self) -> impl Iterator<Item = &Leaf> {
        self.root.singles().flat_map(Comparison::leaves)
    }

    /// Every qualifier, in the order of the text.
    #[must_use]
    pub fn qualifiers(&self) -> Vec<&Qualifier> {
        let mut found = Vec::new();
        self.root.collect_qualifiers(&mut found);
        found
    }

    /// How much of the language this pattern needs (12.7).
    #[must_use]
    pub fn level(&self) -> Level {
        self.root.level()
    }
}

impl Observation {
    /// The comparisons between each `[ ]`, in the order of the text.
    pub fn singles(&self) -> impl Iterator<Item = &Comparison> {
        let mut ahead = vec![self];
        std::iter::from_fn(move || {
            loop {
                match ahead.pop()? {
                    Self::Single(comparison) => return Some(comparison),
                    Self::Qualified(expression, _) => ahead.push(expression),
                    Self::And(items) | Self::Or(items) | Self::FollowedBy(items) => {
                        ahead.extend(items.iter().rev())
                    }
                }
            }
        })
    }

    /// All of these; one alone stays as it is. `None` for none.
    #[must_use]
    pub fn and(items: Vec<Self>) -> Option<Self> {
        join(items, Self::And)
    }

    /// One of these; one alone stays as it is. `None` for none.
    #[must_use]
    pub fn or(items: Vec<Self>) -> Option<Self> {
        join(items, Self::Or)
    }

    /// These one after the other; one alone stays as it is. `None` for none.
    #[must_use]
    pub fn followed_by(items: Vec<Self>) -> Option<Self> {
        join(items, Self::FollowedBy)
    }

    // the parser's depth limit bounds this recursion for parsed trees
    fn collect_qualifiers<'p>(&'p self, found: &mut Vec<&'p Qualifier>) {
        match self {
            Self::Single(_) => {}
            Self::And(items) | Self::Or(items) | Self::FollowedBy(items) => {
                items.iter().for_each(|item| item.collect_qualifiers(found));
            }
            Self::Qualified(expression, qualifiers) => {
                expression.collect_qualifiers(found);
                found.extend(qualifiers);
            }
        }
    }

    fn level(&self) -> Level {
        match self {
            Self::Single(_) => Level::One,
            Self::And(items) | Self::Or(items) => items
                .iter()
                .map(Self::level)
                .max()
                .map_or(Level::Two, |inner| inner.max(Level::Two)),
            Self::FollowedBy(_) | Self::Qualified(..) => Level::Three,
        }
    }
}

impl Comparison {
    /// Every comparison of this expression, in the order of the text.
    pub fn leaves(&self) -> impl Iterator<Item = &Leaf> {
        let mut ahead = vec![self];
        std::iter::from_fn(move || {
            loop {
                match ahead.pop()? {
                    Self::Leaf(leaf) => return Some(leaf),
                    Self::And(items) | Self::Or(items) => ahead.extend(items.iter().rev()),
                }
            }
        })
    }

    /// All of these; one alone stays as it is. `None` for none.
    #[must_use]
    pub fn and(items: Vec<Self>) -> Option<Self> {
        join(items, Self::And)
    }

    /// One of these; one alone stays as it is. `None` for none.
    #[must_use]
    pub fn or(items: Vec<Self>) -> Option<Self> {
        join(items, Self::Or)
    }
}

fn join<T>(mut items: Vec<T>, many: fn(Vec<T>) -> T) -> Option<T> {
    if items.len() > 1 {
        Some(many(items))
    } else {
        items.pop()
    }
}

impl Leaf {
    /// The constants the value is compared with by `= != < <= > >=` or `IN`; none for other operators.
    #[must_use]
    pub fn constants(&self) -> &[Constant] {
        match &self.test {
            Test::Compare(_, constant) => std::slice::from_ref(constant),
            Test::In(set) => set,
            _ => &[],
        }
    }

    /// The text of `LIKE`, `MATCHES`, `ISSUBSET` or `ISSUPERSET`.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.test {
            Test::Like(text)
            | Test::Matches(text)
            | Test::IsSubset(text)
            | Test::IsSuperset(text) => Some(text),
            _ => None,
        }
    }

    /// The constants one of which the value must equal: those of `=` and `IN` without NOT. What a search by
    /// observable value and an index over patterns look at.
    #[must_use]
    pub fn anchors(&self) -> &[Constant] {
        match &self.test {
            Test::Compare(Comparator::Equal, _) | Test::In(_) if !self.negated => self.constants(),
            _ => &[],
        }
    }
}

impl ObjectPath {
    /// The last name of the path: for `file:hashes.'SHA-256'` it is `SHA-256`.
    #[must_use]
    pub fn last_key(&self) -> Option<&str> {
        self.steps.iter().rev().find_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            _ => None,
        })
    }

    /// Whether the path leaves the object it starts from by a reference (9.7.4).
    #[must_use]
    pub fn follows_reference(&self) -> bool {
        let (_, way) = self.steps.split_last().unwrap_or((&Step::Any, &[]));
        way.iter().any(|step| matches!(step, Step::Key(key) if key.ends_with("_ref") || key.ends_with("_refs")))
    }
}

impl Constant {
    /// The kind, where kinds that compare with each other are one (9.2).
    #[must_use]
    pub const fn kind(&self) -> ConstantKind {
        match self {
            Self::String(_) => ConstantKind::String,
            Self::Integer(_) | Self::Float(_) => ConstantKind::Number,
            Self::Boolean(_) => ConstantKind::Boolean,
            Self::Timestamp(_) => ConstantKind::Timestamp,
            Self::Hex(_) | Self::Binary(_) => ConstantKind::Bytes,
        }
    }

    /// The text of a string constant.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}
