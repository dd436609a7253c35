//! Words made a condition, checked against the entity that it asks about.

use super::super::cell::Cell;
use super::super::refusal::Refusal;
use super::super::schema::{Entity, Kind};
use super::lexer::{Token, tokens};
use super::{Compare, Expr, Function, Math};

/// Brackets and signs within each other; more is refused, so that no stack runs out.
const DEPTH_MAX: usize = 100;

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
    pub(in super::super) fn parse(entity: &Entity, text: &str) -> Result<Self, Refusal> {
        let tokens = tokens(text)?;
        let mut parser = Parser { entity, tokens: &tokens, next: 0, depth: 0 };
        let (expr, sort) = parser.or()?;
        if parser.next < tokens.len() {
            return Err(Refusal::syntax());
        }
        if sort != Sort::Boolean {
            return Err(Refusal::bad("Expression of type 'System.Boolean' expected at position 0."));
        }
        Ok(expr)
    }
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
        let there = self.tokens.get(self.next).is_some_and(|next| next.0 == *token);
        self.next += usize::from(there);
        there
    }

    fn expect(&mut self, token: &Token) -> Result<(), Refusal> {
        if self.skip(token) { Ok(()) } else { Err(Refusal::syntax()) }
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
        let words = [("gt", Compare::Gt), ("ge", Compare::Ge), ("lt", Compare::Lt), ("le", Compare::Le)];
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
        self.arithmetic(&[("mul", Math::Mul), ("div", Math::Div), ("mod", Math::Mod)], Self::unary)
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
            Token::Literal(cell) => Ok((Expr::Literal(cell.clone()), literal_sort(cell))),
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
            Refusal::bad(format!("No property '{word}' exists in type '{name}' at position {place}."))
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
                return Err(Refusal::bad(format!("No applicable function found for '{word}'.")));
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
            return Err(Refusal::bad("Expression of type 'System.Boolean' expected at position 0."));
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sandbox::ledger::schema::entity;

    fn parse(text: &str) -> Result<Expr, Refusal> {
        Expr::parse(entity("logistics/SalesItemPrices"), text)
    }

    /// The order in which a condition is worked out, with brackets around each step.
    fn shape(expr: &Expr) -> String {
        let inner = |all: &[Expr], word: &str| all.iter().map(shape).collect::<Vec<_>>().join(word);
        match expr {
            Expr::Literal(cell) => cell.to_plain().to_string(),
            Expr::Property(at) => entity("logistics/SalesItemPrices").property(*at).name.to_owned(),
            Expr::Call(function, all) => format!("{function:?}({})", inner(all, ",")),
            Expr::Not(one) => format!("not {}", shape(one)),
            Expr::Negative(one) => format!("-{}", shape(one)),
            Expr::And(all) => format!("({})", inner(all, " and ")),
            Expr::Or(all) => format!("({})", inner(all, " or ")),
            Expr::Compare(how, left, right) => {
                format!("({} {how:?} {})", shape(left), shape(right))
            }
            Expr::Math(how, left, right) => format!("({} {how:?} {})", shape(left), shape(right)),
        }
    }

    #[test]
    fn and_binds_tighter_than_or_and_products_tighter_than_sums() {
        let cases = [
            ("Price eq 1 or Price eq 2 and Quantity gt 3L", "((Price Eq 1) or ((Price Eq 2) and (Quantity Gt 3)))"),
            ("(Price eq 1 or Price eq 2) and Quantity gt 3", "(((Price Eq 1) or (Price Eq 2)) and (Quantity Gt 3))"),
            ("Price add 2 mul 3 ge 1.5", "((Price Add (2 Mul 3)) Ge 1.5)"),
            ("not (Price lt -1) and ItemCode eq 'a''b'", "(not (Price Lt -1) and (ItemCode Eq \"a'b\"))"),
            ("substringof('x',ItemCode) eq true", "(SubstringOf(\"x\",ItemCode) Eq true)"),
        ];
        for (text, wanted) in cases {
            assert_eq!(shape(&parse(text).unwrap()), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        for text in
            ["", "Price", "Price eq", "Price eq 1 and", "Price eq 1)", "(Price eq 1", "Price eq '1'", "Price = 1"]
        {
            assert_eq!(parse(text).map_err(|refusal| refusal.status), Err(400), "{text}");
        }
        assert_eq!(parse(&"(".repeat(1000)).map_err(|refusal| refusal.status), Err(400));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[ ()'a-zPé0-9,.-]{0,40}|(Price|eq|and|not|'|\\(|\\)|-| |1|guid'|datetime'){0,20}") {
            let _ = parse(&text);
        }
    }
}
