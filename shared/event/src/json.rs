//! A scanner for JSON text. It finds the start and end of each value in one pass, without building a tree, because
//! few values of an event are ever read.
//!
//! It accepts all JSON of RFC 8259 that `serde_json` accepts. To explain why a text is refused, parse it with
//! `serde_json`.

use std::borrow::Cow;

mod bytes;
mod held;
mod members;

#[cfg(test)]
mod tests;

pub use bytes::is_printable_ascii;
pub use held::first_unheld;
pub use members::without_members;

/// The deepest nesting that the scanner accepts. [`Nesting`] has one bit for each level.
const MAX_DEPTH: u32 = 127;

/// Numbers with more digits than this may exceed the range of a double.
const MAX_DIGITS: usize = 300;

/// A reader of one JSON text. A method that returns `None` has found invalid JSON. The scanner must not be used after
/// that.
pub struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// The depth of the most deeply nested value so far.
    deepest: u32,
    /// Whether the present value has a number or an escape that JSON readers may be unable to represent.
    is_doubtful: bool,
}

/// A value in its original spelling.
#[derive(Clone, Copy)]
pub struct Raw<'t> {
    text: &'t str,
    /// The byte positions of its start and end in `text`.
    start: usize,
    end: usize,
    /// Whether the value is a string without escapes.
    is_plain: bool,
    /// See [`Raw::is_doubtful`].
    is_doubtful: bool,
}

impl<'t> Raw<'t> {
    /// The single value of a text. `None` for invalid JSON.
    pub fn of(json: &'t str) -> Option<Raw<'t>> {
        let mut scanner = Scanner::new(json);
        let value = scanner.value()?;
        scanner.is_at_end().then_some(value)
    }

    /// Whether the value may contain valid JSON that cannot be represented: a number beyond 1.8e308, half a surrogate
    /// pair or a reserved name. `false` is certain.
    pub fn is_doubtful(self) -> bool {
        self.is_doubtful || self.get().contains(held::RESERVED)
    }

    /// The JSON text without surrounding whitespace.
    #[inline]
    pub fn get(self) -> &'t str {
        &self.text[self.start..self.end]
    }

    /// Whether the value is a string.
    #[must_use]
    pub fn is_string(self) -> bool {
        self.text.as_bytes()[self.start] == b'"'
    }

    /// The content of a string without escapes.
    #[inline]
    pub fn plain(self) -> Option<&'t str> {
        if self.is_plain { self.text.get(self.start + 1..self.end - 1) } else { None }
    }

    /// The same as bytes, which is faster.
    #[inline]
    pub fn plain_bytes(self) -> Option<&'t [u8]> {
        if self.is_plain { self.text.as_bytes().get(self.start + 1..self.end - 1) } else { None }
    }

    /// The content of a string, with its escapes resolved.
    #[inline]
    pub fn text(self) -> Option<Cow<'t, str>> {
        match self.plain() {
            Some(plain) => Some(Cow::Borrowed(plain)),
            None => self.unescaped().map(Cow::Owned),
        }
    }

    fn unescaped(self) -> Option<String> {
        if self.is_string() { serde_json::from_str(self.get()).ok() } else { None }
    }
}

/// The kinds of the enclosing values: one bit each, 1 for an object, the innermost last.
#[derive(Clone, Copy)]
struct Nesting {
    objects: u128,
    depth: u32,
}

impl<'t> Scanner<'t> {
    /// A scanner at the start of a text.
    #[must_use]
    pub fn new(text: &'t str) -> Scanner<'t> {
        Scanner { text, at: 0, deepest: 0, is_doubtful: false }
    }

    /// The depth of the most deeply nested value so far, including itself. A scalar has depth 0.
    pub fn deepest(&self) -> u32 {
        self.deepest
    }

    /// The first byte of the next token, after whitespace.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            match *bytes.get(self.at)? {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                other => return Some(other),
            }
        }
    }

    /// Consumes the byte `wanted`.
    #[inline]
    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    /// Whether only whitespace is left.
    pub fn is_at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// Iterates over an object. `each` receives a name and must consume the value.
    pub fn members(&mut self, mut each: impl FnMut(&mut Self, Raw<'t>) -> Option<()>) -> Option<()> {
        self.take(b'{')?;
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            let name = self.string()?;
            self.take(b':')?;
            each(self, name)?;
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// Iterates over an array. `each` must consume an element.
    pub fn elements(&mut self, mut each: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(b'[')?;
        if self.peek()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            each(self)?;
            match self.peek()? {
                b',' => self.at += 1,
                b']' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// Consumes a value and returns it.
    pub fn value(&mut self) -> Option<Raw<'t>> {
        let first = self.peek()?;
        if first == b'"' {
            return self.string();
        }
        let start = self.at;
        self.is_doubtful = false;
        match first {
            b'{' | b'[' => self.nested()?,
            other => self.bare(other)?,
        }
        Some(self.raw(start, false))
    }

    /// Consumes a value without returning it.
    #[inline]
    pub fn pass(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => {
                self.at += 1;
                self.rest_of_string().map(drop)
            }
            b'{' | b'[' => self.nested(),
            first => self.bare(first),
        }
    }

    fn raw(&self, start: usize, is_plain: bool) -> Raw<'t> {
        Raw { text: self.text, start, end: self.at, is_plain, is_doubtful: self.is_doubtful }
    }

    /// Consumes a string.
    pub fn string(&mut self) -> Option<Raw<'t>> {
        self.is_doubtful = false;
        self.take(b'"')?;
        let start = self.at - 1;
        let is_plain = self.rest_of_string()?;
        Some(self.raw(start, is_plain))
    }

    /// Consumes a string after its opening quotation mark. Returns whether the string has no escapes.
    fn rest_of_string(&mut self) -> Option<bool> {
        let bytes = self.text.as_bytes();
        let mut is_plain = true;
        loop {
            self.at = bytes::end_of_run(bytes, self.at)?;
            match bytes[self.at] {
                b'"' => {
                    self.at += 1;
                    return Some(is_plain);
                }
                b'\\' => {
                    is_plain = false;
                    self.escape()?;
                }
                // A control character.
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        match *self.text.as_bytes().get(self.at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => {
                let digits = self.text.as_bytes().get(self.at + 2..self.at + 6)?;
                if !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                // D800 to DFFF are surrogates. Escaped ASCII letters may spell a name that serde_json reserves.
                let is_letter = digits[..2] == *b"00" && matches!(digits[2], b'2'..=b'7');
                self.is_doubtful |= is_letter || matches!(digits[0], b'd' | b'D');
                self.at += 6;
            }
            _ => return None,
        }
        Some(())
    }

    /// Consumes an object or an array without recursion.
    fn nested(&mut self) -> Option<()> {
        let mut nesting = Nesting { objects: 0, depth: 0 };
        loop {
            match self.peek()? {
                b'"' => {
                    self.at += 1;
                    self.rest_of_string()?;
                }
                open @ (b'{' | b'[') => {
                    self.at += 1;
                    if nesting.depth == MAX_DEPTH {
                        return None;
                    }
                    let is_object = open == b'{';
                    nesting.objects = nesting.objects << 1 | u128::from(is_object);
                    nesting.depth += 1;
                    self.deepest = self.deepest.max(nesting.depth);
                    // In ASCII a closing bracket follows its opening one by two.
                    if self.peek()? != open + 2 {
                        if is_object {
                            self.name()?;
                        }
                        continue;
                    }
                }
                first => self.bare(first)?,
            }
            if !self.after_value(&mut nesting)? {
                return Some(());
            }
        }
    }

    /// Consumes the tokens between a value and the next one. Returns `false` when the outermost value is closed.
    fn after_value(&mut self, nesting: &mut Nesting) -> Option<bool> {
        loop {
            let is_object = nesting.objects & 1 == 1;
            match self.peek()? {
                b',' => {
                    self.at += 1;
                    if is_object {
                        self.name()?;
                    }
                    return Some(true);
                }
                close @ (b'}' | b']') if is_object == (close == b'}') => {
                    self.at += 1;
                    nesting.objects >>= 1;
                    nesting.depth -= 1;
                    if nesting.depth == 0 {
                        return Some(false);
                    }
                }
                _ => return None,
            }
        }
    }

    fn name(&mut self) -> Option<()> {
        self.take(b'"')?;
        self.rest_of_string()?;
        self.take(b':')
    }

    /// Consumes a number, `true`, `false` or `null`.
    fn bare(&mut self, first: u8) -> Option<()> {
        let word = match first {
            b't' => "true",
            b'f' => "false",
            b'n' => "null",
            _ => return self.number(),
        };
        self.text.as_bytes()[self.at..].starts_with(word.as_bytes()).then(|| self.at += word.len())
    }

    fn number(&mut self) -> Option<()> {
        let bytes = self.text.as_bytes();
        if bytes[self.at] == b'-' {
            self.at += 1;
        }
        match *bytes.get(self.at)? {
            b'0' => self.at += 1,
            b'1'..=b'9' => self.is_doubtful |= self.digits()? > MAX_DIGITS,
            _ => return None,
        }
        if bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = bytes.get(self.at) {
            self.is_doubtful = true;
            self.at += 1;
            if let Some(b'+' | b'-') = bytes.get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    /// Consumes at least one digit and returns the number of digits.
    fn digits(&mut self) -> Option<usize> {
        let rest = &self.text.as_bytes()[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        (count > 0).then_some(count)
    }
}
