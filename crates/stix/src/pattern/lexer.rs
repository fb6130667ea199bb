//! Text to tokens. Broken constants become [`Kind::Broken`], so that the parser goes on behind them.

use std::ops::Range;

use super::ast::Constant;
use super::error::Code;
use super::literal;
use super::report::Report;

/// A token and where it stands.
#[derive(Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind<'t>,
    pub(super) span: Range<usize>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Kind<'t> {
    LeftBracket,
    RightBracket,
    LeftParen,
    RightParen,
    Colon,
    Dot,
    Comma,
    Star,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// A keyword or a name.
    Word(&'t str),
    Constant(Constant),
    /// Something already reported.
    Broken,
    End,
}

/// All tokens of the text, the last one being [`Kind::End`].
pub(super) fn tokens<'t>(text: &'t str, report: &mut Report) -> Vec<Token<'t>> {
    let mut lexer = Lexer {
        text,
        at: 0,
        tokens: Vec::new(),
        report,
    };
    while lexer.skip_blank() {
        lexer.token();
    }
    lexer.push(Kind::End, text.len()..text.len());
    lexer.tokens
}

struct Lexer<'t, 'r> {
    text: &'t str,
    at: usize,
    tokens: Vec<Token<'t>>,
    report: &'r mut Report,
}

impl<'t> Lexer<'t, '_> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn push(&mut self, kind: Kind<'t>, span: Range<usize>) {
        self.at = span.end;
        self.tokens.push(Token { kind, span });
    }

    /// Skips white space (White_Space of Unicode, 9.4) and comments; false at the end.
    fn skip_blank(&mut self) -> bool {
        loop {
            let rest = self.rest().trim_start();
            self.at = self.text.len() - rest.len();
            let comment = if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else {
                return !rest.is_empty();
            };
            let span = self.at..self.at + comment;
            self.report.tolerable(
                Code::Comment,
                span.clone(),
                "a comment".to_owned(),
                "take it out",
            );
            self.at = span.end;
        }
    }

    fn token(&mut self) {
        let rest = self.rest();
        let (kind, len) = match rest.as_bytes() {
            [b'[', ..] => (Kind::LeftBracket, 1),
            [b']', ..] => (Kind::RightBracket, 1),
            [b'(', ..] => (Kind::LeftParen, 1),
            [b')', ..] => (Kind::RightParen, 1),
            [b':', ..] => (Kind::Colon, 1),
            [b',', ..] => (Kind::Comma, 1),
            [b'*', ..] => (Kind::Star, 1),
            [b'=', b'=', ..] => (self.tolerated(Kind::Equal, "==", "="), 2),
            [b'<', b'>', ..] => (self.tolerated(Kind::NotEqual, "<>", "!="), 2),
            [b'=', ..] => (Kind::Equal, 1),
            [b'!', b'=', ..] => (Kind::NotEqual, 2),
            [b'<', b'=', ..] => (Kind::LessOrEqual, 2),
            [b'>', b'=', ..] => (Kind::GreaterOrEqual, 2),
            [b'<', ..] => (Kind::Less, 1),
            [b'>', ..] => (Kind::Greater, 1),
            [b'\'', ..] => return self.string(),
            [prefix @ (b't' | b'h' | b'b'), b'\'', ..] => return self.prefixed(*prefix),
            [b'.', next, ..] if next.is_ascii_digit() && !self.follows_step() => {
                return self.number();
            }
            [b'.', ..] => (Kind::Dot, 1),
            [b'0'..=b'9', ..] if !self.follows_dot() => return self.number(),
            [b'+' | b'-', b'0'..=b'9' | b'.', ..] => return self.number(),
            [b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z', ..] => return self.word(),
            _ => return self.stranger(),
        };
        self.push(kind, self.at..self.at + len);
    }

    /// An operator other programs write.
    fn tolerated(&mut self, kind: Kind<'t>, given: &str, right: &str) -> Kind<'t> {
        let span = self.at..self.at + given.len();
        self.report.tolerable(
            Code::Operator,
            span,
            format!("`{given}` is not an operator"),
            &format!("write `{right}`"),
        );
        kind
    }

    /// Whether the token before ends here and can be a step of a path: then a full stop goes on with the path.
    fn follows_step(&self) -> bool {
        self.tokens.last().is_some_and(|last| {
            last.span.end == self.at
                && matches!(
                    last.kind,
                    Kind::Word(_) | Kind::RightBracket | Kind::Constant(Constant::String(_))
                )
        })
    }

    /// Whether a full stop of a path stands right before: then digits begin a name.
    fn follows_dot(&self) -> bool {
        self.tokens
            .last()
            .is_some_and(|last| last.kind == Kind::Dot && last.span.end == self.at)
    }

    fn word(&mut self) {
        let rest = self.rest();
        let len = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-')
            .unwrap_or(rest.len());
        self.push(
            Kind::Word(rest.get(..len).unwrap_or(rest)),
            self.at..self.at + len,
        );
    }

    fn number(&mut self) {
        let rest = self.rest();
        let signed = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        let digits = signed
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(signed.len());
        let mut len = rest.len() - signed.len() + digits;
        len += exponent_len(rest.get(len..).unwrap_or(""));
        let span = self.at..self.at + len;
        let constant = literal::number(rest.get(..len).unwrap_or(rest), &span, self.report);
        self.push(constant.map_or(Kind::Broken, Kind::Constant), span);
    }

    fn string(&mut self) {
        let start = self.at;
        let (value, end) = self.quoted(start, true);
        self.push(
            value.map_or(Kind::Broken, |value| {
                Kind::Constant(Constant::String(value))
            }),
            start..end,
        );
    }

    /// `t'..'`, `h'..'`, `b'..'`
    fn prefixed(&mut self, prefix: u8) {
        let start = self.at;
        let (value, end) = self.quoted(start + 1, false);
        let span = start..end;
        let constant = value.and_then(|value| match prefix {
            b't' => literal::timestamp(&value, &span, self.report),
            b'h' => literal::hex(&value, &span, self.report),
            _ => literal::binary(&value, &span, self.report),
        });
        self.push(constant.map_or(Kind::Broken, Kind::Constant), span);
    }

    /// The text between apostrophes from `open` on, and where it ends. Backslashes escape in strings only.
    fn quoted(&mut self, open: usize, escapes: bool) -> (Option<String>, usize) {
        let mut value = String::new();
        let mut whole = true;
        let mut last_escape = None;
        let mut chars = self.text.get(open + 1..).unwrap_or("").char_indices();
        while let Some((offset, c)) = chars.next() {
            let at = open + 1 + offset;
            match c {
                '\'' => return (whole.then_some(value), at + 1),
                '\\' if escapes => match chars.next() {
                    Some((_, next @ ('\'' | '\\'))) => {
                        last_escape = Some((at, next));
                        value.push(next);
                    }
                    Some((_, next)) => {
                        whole = false;
                        let span = at..at + 1 + next.len_utf8();
                        let message = format!("`\\{next}` is not an escape");
                        self.report.error(
                            Code::Escape,
                            span,
                            message,
                            "write a backslash as `\\\\`",
                        );
                    }
                    None => break,
                },
                _ => value.push(c),
            }
        }
        let help = match last_escape {
            Some((_, '\'')) => {
                "the last `\\'` is an apostrophe inside the text; a backslash at the end is `\\\\`"
            }
            _ => "close it with an apostrophe",
        };
        self.report.error(
            Code::Unterminated,
            open..self.text.len(),
            "a constant without end".to_owned(),
            help,
        );
        self.report.cut_short = true;
        (None, self.text.len())
    }

    /// A character that begins nothing: reported, with what was probably meant.
    fn stranger(&mut self) {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return;
        };
        let start = self.at;
        if matches!(
            first,
            '"' | '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}' | '`'
        ) {
            return self.foreign_quote(first);
        }
        let (len, help) = match first {
            _ if rest.starts_with("&&") => (2, "write `AND`"),
            _ if rest.starts_with("||") => (2, "write `OR`"),
            '!' => (1, "write `!=`, or `NOT` before an operator"),
            _ if first.is_alphanumeric() => (
                rest.find(|c: char| !c.is_alphanumeric())
                    .unwrap_or(rest.len()),
                "text stands in apostrophes",
            ),
            _ => (first.len_utf8(), ""),
        };
        let given = rest.get(..len).unwrap_or(rest);
        let message = format!("`{}` has no meaning here", super::report::excerpt(given));
        self.report
            .error(Code::Character, start..start + len, message, help);
        self.push(Kind::Broken, start..start + len);
    }

    /// Text in other quotation marks: reported once, then taken as a constant.
    fn foreign_quote(&mut self, open: char) {
        let start = self.at;
        let close = match open {
            '\u{2018}' => '\u{2019}',
            '\u{201c}' => '\u{201d}',
            other => other,
        };
        let inside = start + open.len_utf8();
        let rest = self.text.get(inside..).unwrap_or("");
        let end = rest
            .find(close)
            .map_or(inside, |len| inside + len + close.len_utf8());
        let message = format!("`{open}` does not open text");
        self.report.error(
            Code::Character,
            start..end,
            message,
            "text stands in apostrophes, `'`",
        );
        self.push(Kind::Broken, start..end);
    }
}

/// Length of an exponent (`e5`, `E-7`) at the start of the text.
fn exponent_len(text: &str) -> usize {
    let Some(after) = text.strip_prefix(['e', 'E']) else {
        return 0;
    };
    let unsigned = after.strip_prefix(['+', '-']).unwrap_or(after);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        0
    } else {
        text.len() - unsigned.len() + digits
    }
}
