//! The tables of the standard: types, their properties, what each takes, what must hold between them.

/// What the standard says about one object type.
#[derive(Debug)]
pub struct Type {
    /// Name, for example `indicator`.
    pub name: &'static str,
    /// Clause that defines it.
    pub clause: &'static str,
    /// Properties that make the deterministic identifier (observables only).
    pub contributing: &'static [&'static str],
}

/// The type of that name, if the standard defines it.
#[must_use]
pub fn object_type(name: &str) -> Option<&'static Type> {
    TYPES.iter().find(|model| model.name == name)
}

static TYPES: &[Type] = &[];
