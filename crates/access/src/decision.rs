//! The answer, with its reasons, and the proof that there was one.

use std::borrow::Cow;
use std::ops::Deref;

/// One reason of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Stable code for programs: the policy's `@code`, or `access.…` where no policy spoke.
    pub code: Cow<'static, str>,
    /// One plain sentence for people.
    pub text: Cow<'static, str>,
    /// The policy that decided, by its `@id`; `None` when no policy permitted and none forbade.
    pub policy: Option<String>,
}

/// Yes or no, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Yes.
    pub permitted: bool,
    /// Why; never empty. For a yes the policies that permitted, for a no those that forbade, or what would be needed.
    pub reasons: Vec<Reason>,
}

impl Decision {
    /// All reasons as one line.
    #[must_use]
    pub fn text(&self) -> String {
        let texts: Vec<&str> = self
            .reasons
            .iter()
            .map(|reason| reason.text.as_ref())
            .collect();
        texts.join("; ")
    }

    /// The code of the first reason, for the log and for API errors.
    #[must_use]
    pub fn code(&self) -> &str {
        self.reasons
            .first()
            .map_or("access.none", |reason| reason.code.as_ref())
    }
}

/// Something an access decision said yes to. Only [`crate::Access::permit`] makes one.
///
/// ```compile_fail
/// let forged = comity_access::Permitted { value: "record", reasons: Vec::new() };
/// ```
#[derive(Debug, Clone)]
pub struct Permitted<T> {
    // INVARIANT: made after a decision with `permitted == true`, whose reasons these are.
    value: T,
    reasons: Vec<Reason>,
}

impl<T> Permitted<T> {
    pub(crate) fn new(value: T, reasons: Vec<Reason>) -> Self {
        Self { value, reasons }
    }

    /// Why it was permitted.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.reasons
    }

    /// The thing itself; the proof ends here.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for Permitted<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.value
    }
}
