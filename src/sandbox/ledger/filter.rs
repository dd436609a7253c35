//! The query language of `$filter`: reading it, checking it against an entity, judging rows by it.

use std::borrow::Cow;
use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::cell::{self, Cell};
use super::refusal::Refusal;
use super::schema::{Entity, Kind};

/// Brackets and signs within each other; more is refused, so that no stack runs out.
const DEPTH_MAX: usize = 100;

/// A checked condition on rows of one entity.
#[derive(Debug, PartialEq)]
pub(super) enum Expr {
    Literal(Cell),
    Property(u16),
    Call(Function, Vec<Expr>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Compare(Compare, Box<Expr>, Box<Expr>),
    Math(Math, Box<Expr>, Box<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Math {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    SubstringOf,
    StartsWith,
    EndsWith,
    IndexOf,
    Length,
    ToLower,
    ToUpper,
    Trim,
    Concat,
    Substring,
    Replace,
    Year,
    Month,
    Day,
    Round,
    Floor,
    Ceiling,
}

/// The kinds of values that may stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Boolean,
    Text,
    Guid,
    Number,
    Time,
    Null,
}

impl Sort {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Guid => Self::Guid,
            Kind::Text | Kind::Binary | Kind::Collection | Kind::Complex => Self::Text,
            Kind::Int16 | Kind::Int32 | Kind::Int64 | Kind::Byte | Kind::Double => Self::Number,
            Kind::Boolean => Self::Boolean,
            Kind::DateTime => Self::Time,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Boolean => "System.Boolean",
            Self::Text => "System.String",
            Self::Guid => "System.Guid",
            Self::Number => "System.Double",
            Self::Time => "System.DateTime",
            Self::Null => "null",
        }
    }

    fn meets(self, other: Self) -> bool {
        self == other || self == Self::Null || other == Self::Null
    }
}

impl Expr {
    /// Reads and checks a condition.
    ///
    /// # Errors
    /// Status 400 for what is no condition on this entity, 501 for a function the service lacks.
    pub(super) fn parse(entity: &Entity, text: &str) -> Result<Self, Refusal> {
        let tokens = tokens(text)?;
        let mut parser = Parser {
            entity,
            tokens: &tokens,
            next: 0,
            depth: 0,
        };
        let (expr, sort) = parser.or()?;
        if parser.next < tokens.len() {
            return Err(Refusal::syntax());
        }
        if sort != Sort::Boolean {
            return Err(Refusal::bad(
                "Expression of type 'System.Boolean' expected at position 0.",
            ));
        }
        Ok(expr)
    }

    /// The properties it reads, each once, in the order of the text.
    pub(super) fn properties(&self, into: &mut Vec<u16>) {
        match self {
            Self::Literal(_) => {}
            Self::Property(at) => {
                if !into.contains(at) {
                    into.push(*at);
                }
            }
            Self::Call(_, inner) | Self::And(inner) | Self::Or(inner) => {
                inner.iter().for_each(|expr| expr.properties(into));
            }
            Self::Not(inner) | Self::Negative(inner) => inner.properties(into),
            Self::Compare(_, left, right) | Self::Math(_, left, right) => {
                left.properties(into);
                right.properties(into);
            }
        }
    }

    /// Whether a row passes; `read` gives its values.
    pub(super) fn holds<'a>(&'a self, read: &dyn Fn(u16) -> Cow<'a, Cell>) -> bool {
        *self.value(read) == Cell::Bool(true)
    }

    fn value<'a>(&'a self, read: &dyn Fn(u16) -> Cow<'a, Cell>) -> Cow<'a, Cell> {
        let made = match self {
            Self::Literal(cell) => return Cow::Borrowed(cell),
            Self::Property(at) => return read(*at),
            Self::Not(inner) => match *inner.value(read) {
                Cell::Bool(flag) => Cell::Bool(!flag),
                _ => Cell::Null,
            },
            Self::Negative(inner) => inner
                .value(read)
                .number()
                .map_or(Cell::Null, |number| Cell::Number(-number)),
            Self::And(all) => Cell::Bool(all.iter().all(|expr| expr.holds(read))),
            Self::Or(any) => Cell::Bool(any.iter().any(|expr| expr.holds(read))),
            Self::Compare(how, left, right) => {
                Cell::Bool(compare(*how, &left.value(read), &right.value(read)))
            }
            Self::Math(how, left, right) => math(*how, &left.value(read), &right.value(read)),
            Self::Call(function, inner) => {
                let values: Vec<_> = inner.iter().map(|expr| expr.value(read)).collect();
                call(*function, &values)
            }
        };
        Cow::Owned(made)
    }
}

/// Null equals null only, and is neither more nor less than anything.
fn compare(how: Compare, left: &Cell, right: &Cell) -> bool {
    let order = order(left, right);
    match how {
        Compare::Eq => order == Some(Ordering::Equal),
        Compare::Ne => order != Some(Ordering::Equal),
        Compare::Gt => order == Some(Ordering::Greater),
        Compare::Ge => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Compare::Lt => order == Some(Ordering::Less),
        Compare::Le => matches!(order, Some(Ordering::Less | Ordering::Equal)),
    }
}

/// How two values stand to each other, texts as the database compares them.
pub(super) fn order(left: &Cell, right: &Cell) -> Option<Ordering> {
    match (left, right) {
        (Cell::Null, Cell::Null) => Some(Ordering::Equal),
        (Cell::Text(a), Cell::Text(b)) => Some(cell::fold(a).cmp(&cell::fold(b))),
        (Cell::Guid(a), Cell::Guid(b)) => Some(a.cmp(b)),
        (Cell::Bool(a), Cell::Bool(b)) => Some(a.cmp(b)),
        (Cell::Time(a), Cell::Time(b)) | (Cell::Int(a), Cell::Int(b)) => Some(a.cmp(b)),
        _ => Some(left.number()?.cmp(&right.number()?)),
    }
}

fn math(how: Math, left: &Cell, right: &Cell) -> Cell {
    let (Some(left), Some(right)) = (left.number(), right.number()) else {
        return Cell::Null;
    };
    let result = match how {
        Math::Add => left.checked_add(right),
        Math::Sub => left.checked_sub(right),
        Math::Mul => left.checked_mul(right),
        Math::Div => left.checked_div(right),
        Math::Mod => left.checked_rem(right),
    };
    result.map_or(Cell::Null, Cell::Number)
}

fn call(function: Function, values: &[Cow<'_, Cell>]) -> Cell {
    let text = |at: usize| match values.get(at).map(Cow::as_ref) {
        Some(Cell::Text(text)) => text.to_string(),
        _ => String::new(),
    };
    let number = |at: usize| values.get(at).and_then(|value| value.number());
    let place = |at: usize| {
        number(at)
            .and_then(|n| usize::try_from(n).ok())
            .unwrap_or_default()
    };
    let date = || match values.first().map(Cow::as_ref) {
        Some(Cell::Time(time)) => Some(cell::date_of(*time)),
        _ => None,
    };
    let count = |n: usize| Cell::Int(i64::try_from(n).unwrap_or(i64::MAX));
    let part = |n: Option<i64>| n.map_or(Cell::Null, Cell::Int);
    let rounded = |n: Option<Decimal>| n.map_or(Cell::Null, Cell::Number);
    match function {
        Function::SubstringOf => Cell::Bool(cell::fold(&text(1)).contains(&cell::fold(&text(0)))),
        Function::StartsWith => Cell::Bool(cell::fold(&text(0)).starts_with(&cell::fold(&text(1)))),
        Function::EndsWith => Cell::Bool(cell::fold(&text(0)).ends_with(&cell::fold(&text(1)))),
        Function::IndexOf => {
            let (within, wanted) = (text(0).to_lowercase(), text(1).to_lowercase());
            within
                .find(&wanted)
                .map_or(Cell::Int(-1), |at| count(within[..at].chars().count()))
        }
        Function::Length => count(text(0).chars().count()),
        Function::ToLower => Cell::text(&text(0).to_lowercase()),
        Function::ToUpper => Cell::text(&text(0).to_uppercase()),
        Function::Trim => Cell::text(text(0).trim()),
        Function::Concat => Cell::text(&(text(0) + &text(1))),
        Function::Substring => {
            let rest: String = text(0).chars().skip(place(1)).collect();
            if values.len() < 3 {
                Cell::text(&rest)
            } else {
                Cell::text(&rest.chars().take(place(2)).collect::<String>())
            }
        }
        Function::Replace if text(1).is_empty() => Cell::text(&text(0)),
        Function::Replace => Cell::text(&text(0).replace(&text(1), &text(2))),
        Function::Year => part(date().map(|date| date.year().into())),
        Function::Month => part(date().map(|date| date.month().into())),
        Function::Day => part(date().map(|date| date.day().into())),
        Function::Round => rounded(number(0).map(|n| super::amounts::round(n, 0))),
        Function::Floor => rounded(number(0).map(|n| n.floor())),
        Function::Ceiling => rounded(number(0).map(|n| n.ceil())),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Literal(Cell, usize),
    Open,
    Close,
    Comma,
    Minus,
}

/// Cuts a condition into its words; the second part of a literal is where it stands.
fn tokens(text: &str) -> Result<Vec<(Token, usize)>, Refusal> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        let start = at;
        let token = match next {
            ' ' | '\t' | '\r' | '\n' => {
                at += 1;
                continue;
            }
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '\'' => {
                let (value, end) = quoted(text, at)?;
                at = end;
                found.push((Token::Literal(Cell::Text(value.into()), start), start));
                continue;
            }
            '-' if !text[at + 1..].starts_with(|c: char| c.is_ascii_digit()) => Token::Minus,
            '0'..='9' | '-' | '.' => {
                let length = text[at + 1..].find(|c: char| !c.is_ascii_alphanumeric() && c != '.');
                let end = length.map_or(text.len(), |length| at + 1 + length);
                found.push((Token::Literal(digits(&text[at..end])?, start), start));
                at = end;
                continue;
            }
            c if c.is_alphabetic() || c == '_' => {
                let end = text[at..]
                    .find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '/' | '.'));
                let end = end.map_or(text.len(), |length| at + length);
                let word = &text[at..end];
                at = end;
                let token = if text[at..].starts_with('\'') {
                    let (value, end) = quoted(text, at)?;
                    at = end;
                    Token::Literal(prefixed(word, &value)?, start)
                } else {
                    Token::Word(word.to_owned())
                };
                found.push((token, start));
                continue;
            }
            _ => return Err(Refusal::syntax()),
        };
        at += 1;
        found.push((token, start));
    }
    Ok(found)
}

/// The text in quotes that begins at `start`, doubled quotes made one, and where it ends.
fn quoted(text: &str, start: usize) -> Result<(String, usize), Refusal> {
    let mut value = String::new();
    let mut at = start + 1;
    loop {
        let length = text[at..].find('\'').ok_or_else(Refusal::syntax)?;
        value.push_str(&text[at..at + length]);
        at += length + 1;
        if !text[at..].starts_with('\'') {
            return Ok((value, at));
        }
        value.push('\'');
        at += 1;
    }
}

fn prefixed(word: &str, value: &str) -> Result<Cell, Refusal> {
    let cell = match word.to_ascii_lowercase().as_str() {
        "guid" => cell::guid(value).map(Cell::Guid),
        "datetime" => cell::time(value).map(Cell::Time),
        _ => None,
    };
    cell.ok_or_else(Refusal::syntax)
}

/// A number; the suffixes say its type, which makes no difference here.
fn digits(text: &str) -> Result<Cell, Refusal> {
    let plain = text
        .strip_suffix(['L', 'l', 'M', 'm', 'F', 'f', 'D', 'd'])
        .unwrap_or(text);
    if let Ok(number) = plain.parse::<i64>() {
        return Ok(Cell::Int(number));
    }
    cell::number(plain)
        .map(Cell::Number)
        .ok_or_else(Refusal::syntax)
}

struct Parser<'a> {
    entity: &'a Entity,
    tokens: &'a [(Token, usize)],
    next: usize,
    depth: usize,
}

type Typed = (Expr, Sort);

impl Parser<'_> {
    fn word(&self) -> Option<&str> {
        match self.tokens.get(self.next) {
            Some((Token::Word(word), _)) => Some(word),
            _ => None,
        }
    }

    fn place(&self) -> usize {
        self.tokens.get(self.next).map_or(0, |token| token.1)
    }

    fn skip(&mut self, token: &Token) -> bool {
        let there = self
            .tokens
            .get(self.next)
            .is_some_and(|next| next.0 == *token);
        self.next += usize::from(there);
        there
    }

    fn expect(&mut self, token: &Token) -> Result<(), Refusal> {
        if self.skip(token) {
            Ok(())
        } else {
            Err(Refusal::syntax())
        }
    }

    fn or(&mut self) -> Result<Typed, Refusal> {
        self.chain("or", Self::and, Expr::Or)
    }

    fn and(&mut self) -> Result<Typed, Refusal> {
        self.chain("and", Self::equality, Expr::And)
    }

    fn chain(
        &mut self,
        word: &'static str,
        inner: fn(&mut Self) -> Result<Typed, Refusal>,
        make: fn(Vec<Expr>) -> Expr,
    ) -> Result<Typed, Refusal> {
        let first = inner(self)?;
        let mut all = Vec::new();
        let mut sort = first.1;
        let mut left = Some(first.0);
        while self.word() == Some(word) {
            let place = self.place();
            self.next += 1;
            let (right, other) = inner(self)?;
            if sort != Sort::Boolean || other != Sort::Boolean {
                return Err(incompatible(word, sort, other, place));
            }
            all.extend(left.take());
            all.push(right);
            sort = Sort::Boolean;
        }
        Ok((left.unwrap_or_else(|| make(all)), sort))
    }

    fn equality(&mut self) -> Result<Typed, Refusal> {
        self.comparison(&[("eq", Compare::Eq), ("ne", Compare::Ne)], Self::relation)
    }

    fn relation(&mut self) -> Result<Typed, Refusal> {
        let words = [
            ("gt", Compare::Gt),
            ("ge", Compare::Ge),
            ("lt", Compare::Lt),
            ("le", Compare::Le),
        ];
        self.comparison(&words, Self::sum)
    }

    fn comparison(
        &mut self,
        words: &[(&'static str, Compare)],
        inner: fn(&mut Self) -> Result<Typed, Refusal>,
    ) -> Result<Typed, Refusal> {
        let (mut left, mut sort) = inner(self)?;
        while let Some((word, how)) = words.iter().find(|word| self.word() == Some(word.0)) {
            let place = self.place();
            self.next += 1;
            let (right, other) = inner(self)?;
            let ordered = matches!(how, Compare::Eq | Compare::Ne) || sort != Sort::Boolean;
            if !sort.meets(other) || !ordered {
                return Err(incompatible(word, sort, other, place));
            }
            left = Expr::Compare(*how, Box::new(left), Box::new(right));
            sort = Sort::Boolean;
        }
        Ok((left, sort))
    }

    fn sum(&mut self) -> Result<Typed, Refusal> {
        self.arithmetic(&[("add", Math::Add), ("sub", Math::Sub)], Self::product)
    }

    fn product(&mut self) -> Result<Typed, Refusal> {
        self.arithmetic(
            &[("mul", Math::Mul), ("div", Math::Div), ("mod", Math::Mod)],
            Self::unary,
        )
    }

    fn arithmetic(
        &mut self,
        words: &[(&'static str, Math)],
        inner: fn(&mut Self) -> Result<Typed, Refusal>,
    ) -> Result<Typed, Refusal> {
        let (mut left, sort) = inner(self)?;
        while let Some((word, how)) = words.iter().find(|word| self.word() == Some(word.0)) {
            let place = self.place();
            self.next += 1;
            let (right, other) = inner(self)?;
            if sort != Sort::Number || other != Sort::Number {
                return Err(incompatible(word, sort, other, place));
            }
            left = Expr::Math(*how, Box::new(left), Box::new(right));
        }
        Ok((left, sort))
    }

    fn unary(&mut self) -> Result<Typed, Refusal> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Refusal::syntax());
        }
        let place = self.place();
        let made = if self.word() == Some("not") {
            self.next += 1;
            let (inner, sort) = self.unary()?;
            if sort != Sort::Boolean {
                return Err(incompatible("not", sort, sort, place));
            }
            (Expr::Not(Box::new(inner)), sort)
        } else if self.skip(&Token::Minus) {
            let (inner, sort) = self.unary()?;
            if sort != Sort::Number {
                return Err(incompatible("-", sort, sort, place));
            }
            (Expr::Negative(Box::new(inner)), sort)
        } else {
            self.primary()?
        };
        self.depth -= 1;
        Ok(made)
    }

    fn primary(&mut self) -> Result<Typed, Refusal> {
        let (token, place) = self.tokens.get(self.next).ok_or_else(Refusal::syntax)?;
        self.next += 1;
        match token {
            Token::Open => {
                let inner = self.or()?;
                self.expect(&Token::Close)?;
                Ok(inner)
            }
            Token::Literal(cell, _) => Ok((Expr::Literal(cell.clone()), literal_sort(cell))),
            Token::Word(word) => match word.as_str() {
                "true" => Ok((Expr::Literal(Cell::Bool(true)), Sort::Boolean)),
                "false" => Ok((Expr::Literal(Cell::Bool(false)), Sort::Boolean)),
                "null" => Ok((Expr::Literal(Cell::Null), Sort::Null)),
                _ if self.skip(&Token::Open) => self.function(word),
                _ => self.name(word, *place),
            },
            Token::Close | Token::Comma | Token::Minus => Err(Refusal::syntax()),
        }
    }

    fn name(&self, word: &str, place: usize) -> Result<Typed, Refusal> {
        let at = self.entity.find(word).ok_or_else(|| {
            let name = self.entity.type_name();
            Refusal::bad(format!(
                "No property '{word}' exists in type '{name}' at position {place}."
            ))
        })?;
        match self.entity.property(at).kind {
            Kind::Collection | Kind::Complex => Err(Refusal::syntax()),
            kind => Ok((Expr::Property(at), Sort::of(kind))),
        }
    }

    fn function(&mut self, word: &str) -> Result<Typed, Refusal> {
        let (function, takes, gives) = signature(word)?;
        let mut arguments = Vec::new();
        loop {
            let (argument, sort) = self.or()?;
            let wanted = takes.get(arguments.len()).ok_or_else(Refusal::syntax)?;
            if !sort.meets(*wanted) {
                return Err(Refusal::bad(format!(
                    "No applicable function found for '{word}'."
                )));
            }
            arguments.push(argument);
            if !self.skip(&Token::Comma) {
                break;
            }
        }
        self.expect(&Token::Close)?;
        let optional = usize::from(function == Function::Substring);
        if arguments.len() + optional < takes.len() {
            return Err(Refusal::syntax());
        }
        Ok((Expr::Call(function, arguments), gives))
    }
}

fn signature(word: &str) -> Result<(Function, &'static [Sort], Sort), Refusal> {
    use Sort::{Boolean, Number, Text, Time};
    Ok(match word {
        "substringof" => (Function::SubstringOf, &[Text, Text], Boolean),
        "startswith" => (Function::StartsWith, &[Text, Text], Boolean),
        "endswith" => (Function::EndsWith, &[Text, Text], Boolean),
        "indexof" => (Function::IndexOf, &[Text, Text], Number),
        "length" => (Function::Length, &[Text], Number),
        "tolower" => (Function::ToLower, &[Text], Text),
        "toupper" => (Function::ToUpper, &[Text], Text),
        "trim" => (Function::Trim, &[Text], Text),
        "concat" => (Function::Concat, &[Text, Text], Text),
        "substring" => (Function::Substring, &[Text, Number, Number], Text),
        "replace" => (Function::Replace, &[Text, Text, Text], Text),
        "year" => (Function::Year, &[Time], Number),
        "month" => (Function::Month, &[Time], Number),
        "day" => (Function::Day, &[Time], Number),
        "round" => (Function::Round, &[Number], Number),
        "floor" => (Function::Floor, &[Number], Number),
        "ceiling" => (Function::Ceiling, &[Number], Number),
        "hour" | "minute" | "second" | "isof" | "cast" => return Err(Refusal::unsupported(word)),
        _ => {
            return Err(Refusal::bad(
                "Expression of type 'System.Boolean' expected at position 0.",
            ));
        }
    })
}

fn literal_sort(cell: &Cell) -> Sort {
    match cell {
        Cell::Null => Sort::Null,
        Cell::Bool(_) => Sort::Boolean,
        Cell::Int(_) | Cell::Number(_) => Sort::Number,
        Cell::Text(_) => Sort::Text,
        Cell::Guid(_) => Sort::Guid,
        Cell::Time(_) => Sort::Time,
    }
}

fn incompatible(word: &str, left: Sort, right: Sort, place: usize) -> Refusal {
    let (left, right) = (left.name(), right.name());
    Refusal::bad(format!(
        "Operator '{word}' incompatible with operand types '{left}' and '{right}' at position {place}."
    ))
}
