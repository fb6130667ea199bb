//! Words of other servers, before they reach a terminal, a log or the register: cut, and without characters that move a
//! cursor, ring a bell or turn the direction of what follows.

use serde::{Deserialize as _, Deserializer};

/// Longest name or title kept, characters.
pub const SHORT_CHARACTERS_MAX: usize = 200;
/// Longest explanation kept, characters.
pub const SENTENCE_CHARACTERS_MAX: usize = 500;

/// `text` as one line of at most `characters_max` characters; what was cut shows as `…`.
#[must_use]
pub fn plain(text: &str, characters_max: usize) -> String {
    let shown = |letter: char| if hostile(letter) { ' ' } else { letter };
    let mut letters = text.chars();
    let mut plain: String = letters.by_ref().take(characters_max).map(shown).collect();
    if letters.next().is_some() {
        plain.push('…');
    }
    plain
}

/// Control characters, and those that change the direction or the place of others (Unicode bidirectional controls, line and
/// paragraph separators, tags).
fn hostile(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{061c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// For `#[serde(deserialize_with)]`: a name or title.
///
/// # Errors
/// When it is no string.
pub fn short<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Ok(plain(&String::deserialize(from)?, SHORT_CHARACTERS_MAX))
}

/// [`short`] where it may be missing.
///
/// # Errors
/// When it is no string.
pub fn short_option<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.map(|text| plain(&text, SHORT_CHARACTERS_MAX)))
}

/// An explanation that may be missing.
///
/// # Errors
/// When it is no string.
pub fn sentence_option<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.map(|text| plain(&text, SENTENCE_CHARACTERS_MAX)))
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn nothing_moves_the_cursor_or_turns_the_line() {
        assert_eq!(plain("a\u{1b}[31mb\r\nc\u{202e}d", 99), "a [31mb  c d");
        assert_eq!(plain("Ґанок", 3), "Ґан…");
    }
}
