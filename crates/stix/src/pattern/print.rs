//! Prints a tree as a pattern: one spelling per tree, and it parses back to the same tree.

use std::fmt::{self, Display, Formatter, Write as _};

use super::ast::{
    Comparator, Comparison, Constant, ConstantKind, Leaf, ObjectPath, Observation, Pattern,
    Qualifier, Step, Test,
};

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

impl Observation {
    /// How tightly the outermost operator binds (9.5.3).
    const fn strength(&self) -> u8 {
        match self {
            Self::FollowedBy(_) => 0,
            Self::Or(_) => 1,
            Self::And(_) => 2,
            Self::Qualified(..) => 3,
            Self::Single(_) => 4,
        }
    }

    fn joined(&self, items: &[Self], keyword: &str, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                write!(f, " {keyword} ")?;
            }
            grouped(item, item.strength() <= self.strength(), f)?;
        }
        Ok(())
    }
}

impl Display for Observation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Single(comparison) => write!(f, "[{comparison}]"),
            Self::And(items) => self.joined(items, "AND", f),
            Self::Or(items) => self.joined(items, "OR", f),
            Self::FollowedBy(items) => self.joined(items, "FOLLOWEDBY", f),
            Self::Qualified(expression, qualifiers) => {
                grouped(expression, expression.strength() <= self.strength(), f)?;
                qualifiers
                    .iter()
                    .try_for_each(|qualifier| write!(f, " {qualifier}"))
            }
        }
    }
}

fn grouped(item: &dyn Display, parentheses: bool, f: &mut Formatter<'_>) -> fmt::Result {
    if parentheses {
        write!(f, "({item})")
    } else {
        item.fmt(f)
    }
}

impl Display for Qualifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeats(times) => write!(f, "REPEATS {times} TIMES"),
            Self::Within(seconds) => write!(f, "WITHIN {seconds} SECONDS"),
            Self::StartStop { start, stop } => {
                write!(f, "START t'{}' STOP t'{}'", start.as_str(), stop.as_str())
            }
        }
    }
}

impl Comparison {
    const fn strength(&self) -> u8 {
        match self {
            Self::Or(_) => 1,
            Self::And(_) => 2,
            Self::Leaf(_) => 3,
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (items, keyword) = match self {
            Self::Leaf(leaf) => return leaf.fmt(f),
            Self::And(items) => (items, " AND "),
            Self::Or(items) => (items, " OR "),
        };
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                f.write_str(keyword)?;
            }
            grouped(item, item.strength() <= self.strength(), f)?;
        }
        Ok(())
    }
}

impl Display for Leaf {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let not = if self.negated { "NOT " } else { "" };
        if self.test == Test::Exists {
            return write!(f, "{not}EXISTS {}", self.path);
        }
        write!(f, "{} {not}{}", self.path, self.operator())?;
        match &self.test {
            Test::Compare(_, constant) => write!(f, " {constant}"),
            Test::Like(text)
            | Test::Matches(text)
            | Test::IsSubset(text)
            | Test::IsSuperset(text) => {
                f.write_char(' ')?;
                quoted(text, f)
            }
            Test::In(set) => {
                for (index, constant) in set.iter().enumerate() {
                    write!(f, "{}{constant}", if index == 0 { " (" } else { ", " })?;
                }
                f.write_char(')')
            }
            Test::Exists => Ok(()),
        }
    }
}

impl Leaf {
    /// The operator as written, without NOT.
    #[must_use]
    pub const fn operator(&self) -> &'static str {
        match &self.test {
            Test::Compare(comparator, _) => comparator.as_str(),
            Test::In(_) => "IN",
            Test::Like(_) => "LIKE",
            Test::Matches(_) => "MATCHES",
            Test::IsSubset(_) => "ISSUBSET",
            Test::IsSuperset(_) => "ISSUPERSET",
            Test::Exists => "EXISTS",
        }
    }
}

impl Comparator {
    /// The operator as written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

impl Qualifier {
    /// The keyword it begins with.
    #[must_use]
    pub const fn keyword(&self) -> &'static str {
        match self {
            Self::Repeats(_) => "REPEATS",
            Self::Within(_) => "WITHIN",
            Self::StartStop { .. } => "START",
        }
    }
}

impl ConstantKind {
    /// The kind's name in the standard (9.2).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
            Self::Bytes => "binary or hex constant",
        }
    }
}

impl Display for ObjectPath {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.object_type)?;
        for (index, step) in self.steps.iter().enumerate() {
            match step {
                Step::Key(key) => {
                    if index > 0 {
                        f.write_char('.')?;
                    }
                    if is_plain(key) {
                        f.write_str(key)?
                    } else {
                        quoted(key, f)?
                    }
                }
                Step::Index(item) => write!(f, "[{item}]")?,
                Step::Any => f.write_str("[*]")?,
            }
        }
        Ok(())
    }
}

/// Whether a name may stand without apostrophes, for us and for readers that take keywords as such everywhere.
fn is_plain(key: &str) -> bool {
    const KEYWORDS: [&str; 19] = [
        "AND",
        "OR",
        "NOT",
        "FOLLOWEDBY",
        "LIKE",
        "MATCHES",
        "ISSUPERSET",
        "ISSUBSET",
        "EXISTS",
        "LAST",
        "IN",
        "START",
        "STOP",
        "SECONDS",
        "true",
        "false",
        "WITHIN",
        "REPEATS",
        "TIMES",
    ];
    let head = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    head && key
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !KEYWORDS.contains(&key)
}

impl Display for Constant {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(text) => quoted(text, f),
            Self::Integer(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::Boolean(value) => value.fmt(f),
            Self::Timestamp(instant) => write!(f, "t'{}'", instant.as_str()),
            Self::Hex(bytes) => {
                f.write_str("h'")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_char('\'')
            }
            Self::Binary(bytes) => {
                let text = base64::display::Base64Display::new(
                    bytes,
                    &base64::engine::general_purpose::STANDARD,
                );
                write!(f, "b'{text}'")
            }
        }
    }
}

/// Text in apostrophes; only `'` and `\` are escaped (9.2).
fn quoted(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_char('\'')?;
    for c in text.chars() {
        if matches!(c, '\'' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('\'')
}
