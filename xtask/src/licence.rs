//! SPDX licence expressions, as far as package manifests use them.

/// Whether `expression` can be satisfied with licences that `allowed` accepts.
///
/// Understands `OR`, `AND`, `WITH`, parentheses and the old `MIT/Apache-2.0`. A licence with an exception is asked for
/// as one name, `Apache-2.0 WITH LLVM-exception`.
///
/// # Errors
/// When the text is no such expression.
pub(crate) fn satisfied(expression: &str, allowed: &dyn Fn(&str) -> bool) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut parser = Parser { words: &words, allowed };
    match (parser.alternatives(), parser.words) {
        (Some(answer), []) => Ok(answer),
        _ => Err(format!("`{expression}` is no licence expression")),
    }
}

struct Parser<'a> {
    words: &'a [&'a str],
    allowed: &'a dyn Fn(&str) -> bool,
}

impl<'a> Parser<'a> {
    fn alternatives(&mut self) -> Option<bool> {
        let mut answer = self.conjunction()?;
        while self.take("OR") {
            answer |= self.conjunction()?;
        }
        Some(answer)
    }

    fn conjunction(&mut self) -> Option<bool> {
        let mut answer = self.term()?;
        while self.take("AND") {
            answer &= self.term()?;
        }
        Some(answer)
    }

    fn term(&mut self) -> Option<bool> {
        if self.take("(") {
            let answer = self.alternatives()?;
            return self.take(")").then_some(answer);
        }
        let licence = self.name()?;
        if self.take("WITH") {
            let exception = self.name()?;
            return Some((self.allowed)(&format!("{licence} WITH {exception}")));
        }
        Some((self.allowed)(licence))
    }

    fn name(&mut self) -> Option<&'a str> {
        let (&name, rest) = self.words.split_first()?;
        self.words = rest;
        (!["AND", "OR", "WITH", "(", ")"].contains(&name)).then_some(name)
    }

    fn take(&mut self, word: &str) -> bool {
        let Some((&first, rest)) = self.words.split_first() else {
            return false;
        };
        let found = first == word;
        if found {
            self.words = rest;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(expression: &str) -> Result<bool, String> {
        satisfied(expression, &|licence| ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&licence))
    }

    #[test]
    fn expressions_that_can_be_satisfied() {
        for expression in [
            "MIT",
            "MIT OR GPL-3.0",
            "GPL-3.0/MIT",
            "ISC AND (GPL-3.0 OR MIT)",
            "GPL-3.0 OR MIT AND ISC",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0",
        ] {
            assert_eq!(ask(expression), Ok(true), "{expression}");
        }
    }

    #[test]
    fn expressions_that_cannot() {
        for expression in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "Apache-2.0", "MIT WITH odd"] {
            assert_eq!(ask(expression), Ok(false), "{expression}");
        }
    }

    #[test]
    fn text_that_is_no_expression() {
        for expression in ["", "MIT OR", "(MIT", "MIT ISC", "AND", "MIT WITH", "()"] {
            assert!(ask(expression).is_err(), "{expression}");
        }
    }
}
