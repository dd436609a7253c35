//! Expressions of any type, made at random and sound by construction.

use crate::chance::Dice;
use crate::number::Number;
use crate::program::{Cell, Item, Kind, Limit, Node, Piece, Place, Stop, TEXT, Ty};
use crate::schema::{CHOICES, entity};

pub(crate) const COUNTRIES: [&str; 5] = ["NL", "BE", "DE", "US", "NO"];
pub(crate) const CURRENCIES: [&str; 3] = ["EUR", "USD", "NOK"];
const WORDS: [&str; 9] = ["", "a", "Ann", "red box", "Café 7", "x-1", "no. 12", "😀 ok", "LONG and longer"];
/// A day in 2026.
pub(crate) const TODAY: i64 = 20_500;

/// Something that can be called or asked: its name, what it takes, what it gives.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) takes: Vec<Ty>,
    pub(crate) gives: Ty,
}

/// Makes expressions; what it may name is what stands in its lists.
pub(crate) struct Maker<'d> {
    pub(crate) dice: &'d mut Dice,
    pub(crate) locals: Vec<(String, Ty)>,
    pub(crate) functions: Vec<Signature>,
    pub(crate) lookups: Vec<Signature>,
    pub(crate) parts: Vec<Signature>,
    pub(crate) settings: Vec<(String, Ty)>,
    /// Functions without parameters that were needed: each gives a literal of its type.
    pub(crate) ones: Vec<(String, Ty)>,
    names: usize,
}

impl<'d> Maker<'d> {
    pub(crate) fn new(dice: &'d mut Dice) -> Self {
        Self {
            dice,
            locals: Vec::new(),
            functions: Vec::new(),
            lookups: Vec::new(),
            parts: Vec::new(),
            settings: Vec::new(),
            ones: Vec::new(),
            names: 0,
        }
    }

    /// A name that nothing else has.
    pub(crate) fn name(&mut self, word: &str) -> String {
        self.names += 1;
        format!("{word}{}", self.names)
    }

    /// An expression of a type, for such a place.
    pub(crate) fn node(&mut self, ty: &Ty, place: Place, deep: usize) -> Node {
        if let Ty::Optional(inner) = ty {
            let inner = inner.as_ref().clone();
            if inner == Ty::Json {
                return Node { ty: ty.clone(), ..self.node(&inner, place, deep) };
            }
            return match self.dice.below(6) {
                0 if place == Place::Wanted => Node::new(Kind::None, ty, place),
                1..=3 => self.maybe(&inner, place, deep),
                _ if place == Place::Wanted => {
                    let mut made = self.node(&inner, place, deep);
                    made.may_be_absent(ty);
                    made
                }
                _ => self.maybe(&inner, place, deep),
            };
        }
        if *ty == Ty::Json {
            let all = [Ty::Int, TEXT, Ty::Bool, Ty::Date, Ty::Net, Ty::Country, TEXT.list(), Ty::Decimal];
            let of = self.dice.of(&all).clone();
            let made = self.node(&of, Place::Free, deep);
            return Node { ty: Ty::Json, place, ..made };
        }
        if deep == 0 {
            return self.leaf(ty, place);
        }
        let kind = match self.dice.below(12) {
            0 => self.choice(ty, place, deep),
            1 => self.or_else(ty, place, deep),
            2 => self.matched(ty, place, deep),
            3 => self.called(ty, deep),
            4 => self.asked(ty, deep),
            5 => self.of_list(ty, deep),
            _ => None,
        };
        let kind = kind.or_else(|| self.of_type(ty, place, deep));
        match kind {
            Some(kind) => Node { open: self.dice.once_in(2), ..Node::new(kind, ty, place) },
            None => self.leaf(ty, place),
        }
    }

    pub(crate) fn boxed(&mut self, ty: &Ty, place: Place, deep: usize) -> Box<Node> {
        Box::new(self.node(ty, place, deep - 1))
    }

    /// What is needed here in any case: something that stands there already, or is written.
    fn leaf(&mut self, ty: &Ty, place: Place) -> Node {
        // A part of a system that is passed on whole has more fields than are written down here.
        let part = if let Ty::List(element) = ty { element } else { ty };
        let whole = matches!(part, Ty::Part(name) if name.starts_with("woo."));
        let there = if whole { Vec::new() } else { self.there(ty) };
        if !there.is_empty() && !self.dice.once_in(3) {
            return Node { place, ..self.dice.of(&there).clone() };
        }
        let kind = match self.literal(ty, place) {
            Some(kind) => kind,
            None if !there.is_empty() => return Node { place, ..self.dice.of(&there).clone() },
            // A text in quotes is none of these types by itself: a function says which it is.
            None => {
                let name = format!("one_{}", tag(ty));
                if !self.ones.iter().any(|(known, _)| *known == name) {
                    self.ones.push((name.clone(), ty.clone()));
                }
                Kind::Call(name, Vec::new())
            }
        };
        Node::new(kind, ty, place)
    }

    /// All that is of a type and has a name, or a way to it.
    pub(crate) fn there(&self, ty: &Ty) -> Vec<Node> {
        let mut found = Vec::new();
        let fits = |of: &Ty| match (of, ty) {
            (Ty::Text(Some(a)), Ty::Text(Some(b))) => a.utf16 == b.utf16 && a.most <= b.most,
            (Ty::Text(_), Ty::Text(None)) => true,
            (a, b) => a == b,
        };
        for (name, of) in &self.locals {
            let local = Node::new(Kind::Name(name.clone()), of, Place::Free);
            if fits(of) {
                found.push(Node { ty: ty.clone(), ..local.clone() });
            }
            let Ty::Part(part) = of else { continue };
            for field in &entity(part).fields {
                let made = Node::new(Kind::Field(Box::new(local.clone()), field.name, false), &field.ty, Place::Free);
                if fits(&field.ty) {
                    found.push(Node { ty: ty.clone(), ..made.clone() });
                }
                let Ty::Part(inner) = &field.ty else { continue };
                for field in entity(inner).fields.iter().filter(|field| fits(&field.ty)) {
                    found.push(Node::new(Kind::Field(Box::new(made.clone()), field.name, false), ty, Place::Free));
                }
            }
        }
        for (name, _) in self.settings.iter().filter(|(_, of)| fits(of)) {
            found.push(Node::new(Kind::Setting(name.clone()), ty, Place::Free));
        }
        found
    }

    fn literal(&mut self, ty: &Ty, place: Place) -> Option<Kind> {
        let hinted = place != Place::Free;
        Some(match ty {
            Ty::Bool => Kind::Bool(self.dice.once_in(2)),
            Ty::Int => Kind::Number(Number::whole(i64::try_from(self.dice.below(40)).expect("it is small"))),
            Ty::Decimal => Kind::Number(self.decimal()),
            Ty::Rate => Kind::Rate(self.rate()),
            Ty::Net | Ty::Gross | Ty::Tax if hinted => Kind::Number(self.decimal()),
            Ty::Text(limit) => Kind::Text(self.text(*limit)),
            Ty::Date => Kind::Date(TODAY + i64::try_from(self.dice.below(60)).expect("it is small")),
            Ty::Instant => Kind::Instant(TODAY * 86_400),
            Ty::Country if hinted => Kind::Text((*self.dice.of(&COUNTRIES)).into()),
            Ty::Currency if hinted => Kind::Text((*self.dice.of(&CURRENCIES)).into()),
            Ty::Email if place == Place::Wanted => Kind::Text("ann@example.org".into()),
            Ty::Guid if hinted => Kind::Text("6f9619ff-8b86-4011-b42d-00c04fc964ff".into()),
            Ty::Choice(n) if hinted => Kind::Text((*self.dice.of(CHOICES[*n].1)).into()),
            Ty::List(element) => {
                let many = self.dice.below(3);
                // Of an empty list nobody knows what it holds.
                let many = if hinted { many } else { many + 1 };
                Kind::List((0..many).map(|_| Item::One(self.node(element, place, 0))).collect())
            }
            Ty::Part(name) if place == Place::Wanted => self.record(name, 1),
            _ => return None,
        })
    }

    pub(crate) fn decimal(&mut self) -> Number {
        let all = ["0", "1", "2.5", "12.10", "99.99", "1000", "0.333", "7", "40.005"];
        Number::parse(self.dice.of::<&str>(&all)).expect("they are numbers")
    }

    fn rate(&mut self) -> Number {
        let all = ["0", "6", "9", "21", "5.5", "25"];
        Number::parse(self.dice.of::<&str>(&all)).expect("they are numbers")
    }

    fn text(&mut self, limit: Option<Limit>) -> String {
        let text = *self.dice.of(&WORDS);
        match limit {
            Some(limit) => cut(text, limit.most, true).to_owned(),
            None => text.to_owned(),
        }
    }

    /// Something that may be absent, whatever is done with it.
    pub(crate) fn maybe(&mut self, ty: &Ty, place: Place, deep: usize) -> Node {
        let wanted = ty.clone().optional();
        let mut there = self.there(&wanted);
        let asked: Vec<Node> = self.there_asked(ty);
        there.extend(asked);
        if !there.is_empty() && (deep == 0 || !self.dice.once_in(3)) {
            return Node { place, ..self.dice.of(&there).clone() };
        }
        let deeper = deep.max(1);
        let kind = match (self.dice.below(3), ty) {
            (0, Ty::Text(None)) => {
                let separator = Node::new(Kind::Text("-".into()), &TEXT, Place::Wanted);
                Kind::Method(self.boxed(&TEXT.list(), Place::Free, deeper), "join", vec![separator], false)
            }
            (0, Ty::Country) => Kind::Method(self.boxed(&TEXT, Place::Free, deeper), "country", Vec::new(), false),
            (1, Ty::Text(None)) => {
                let on = Box::new(self.maybe(&TEXT, Place::Free, deeper - 1));
                let f = *self.dice.of(&["trim", "upper", "lower", "digits"]);
                Kind::Method(on, f, Vec::new(), true)
            }
            (1, Ty::Bool | Ty::Int) | (_, Ty::Part(_) | Ty::List(_)) => {
                let cond = self.boxed(&Ty::Bool, Place::Wanted, deeper);
                let mut value = self.boxed(ty, place, deeper);
                value.may_be_absent(&wanted);
                let none = Box::new(Node::new(Kind::None, &wanted, place));
                Kind::If(cond, value, none)
            }
            (n, _) => {
                let list = self.boxed(&ty.clone().list(), Place::Free, deeper);
                Kind::Method(list, if n == 1 { "last" } else { "first" }, Vec::new(), false)
            }
        };
        Node::new(kind, &wanted, place)
    }

    /// `a?.b` of parts that may be absent.
    fn there_asked(&self, ty: &Ty) -> Vec<Node> {
        let mut found = Vec::new();
        for (name, of) in &self.locals {
            let Ty::Part(part) = of else { continue };
            for field in &entity(part).fields {
                let Ty::Part(inner) = field.ty.present() else { continue };
                if !field.ty.is_optional() {
                    continue;
                }
                let local = Node::new(Kind::Name(name.clone()), of, Place::Free);
                let made = Node::new(Kind::Field(Box::new(local), field.name, false), &field.ty, Place::Free);
                for field in entity(inner).fields.iter().filter(|field| field.ty.present() == ty) {
                    let kind = Kind::Field(Box::new(made.clone()), field.name, true);
                    found.push(Node::new(kind, &ty.clone().optional(), Place::Free));
                }
            }
        }
        found
    }

    fn choice(&mut self, ty: &Ty, place: Place, deep: usize) -> Option<Kind> {
        if self.dice.once_in(3) {
            // What is there in the one branch has a name.
            let all = [Ty::Int, TEXT, Ty::Net, Ty::Country, Ty::Rate];
            let of = self.dice.of(&all).clone();
            let asked = Box::new(self.maybe(&of, Place::Free, deep - 1));
            let name = self.name("there");
            let cond = Box::new(Node::new(Kind::IsSome(asked, Some(name.clone())), &Ty::Bool, Place::Wanted));
            self.locals.push((name, of));
            let then = self.boxed(ty, place, deep);
            self.locals.pop();
            return Some(Kind::If(cond, then, self.boxed(ty, place, deep)));
        }
        let cond = self.boxed(&Ty::Bool, Place::Wanted, deep);
        Some(Kind::If(cond, self.boxed(ty, place, deep), self.boxed(ty, place, deep)))
    }

    fn or_else(&mut self, ty: &Ty, place: Place, deep: usize) -> Option<Kind> {
        let hint = if place == Place::Free { place } else { Place::Hint };
        let left = match self.asked(ty, deep) {
            Some(kind) if self.dice.once_in(2) => Box::new(Node::new(kind, ty, Place::Free)),
            _ => Box::new(self.maybe(ty, hint, deep - 1)),
        };
        if self.dice.once_in(8) {
            let reason = Box::new(Node::new(Kind::Text("it is not there".into()), &TEXT, Place::Wanted));
            let stop = *self.dice.of(&[Stop::Fail, Stop::Skip]);
            return Some(Kind::Else(left, Box::new(Node::new(Kind::Stop(stop, reason), ty, place))));
        }
        Some(Kind::Else(left, self.boxed(ty, place, deep)))
    }

    fn matched(&mut self, ty: &Ty, place: Place, deep: usize) -> Option<Kind> {
        let all = [Ty::Choice(0), Ty::Choice(1).optional(), Ty::Country, TEXT, Ty::Bool, Ty::Rate];
        let of = self.dice.of(&all).clone();
        let on = match &of {
            Ty::Optional(inner) => Box::new(self.maybe(inner, Place::Free, 0)),
            // Of a text that is surely too short for a pattern the pattern is refused.
            Ty::Text(_) => {
                let text = self.boxed(&TEXT, Place::Free, deep);
                Box::new(Node::new(Kind::Method(text, "lower", Vec::new(), false), &TEXT, Place::Free))
            }
            of => self.boxed(of, Place::Free, deep),
        };
        let mut arms: Vec<(Vec<Cell>, Node)> = Vec::new();
        let mut arm = |maker: &mut Self, cells: Vec<Cell>| {
            let value = maker.node(ty, place, deep - 1);
            arms.push((cells, value));
        };
        match of.present() {
            Ty::Choice(n) => {
                let values = CHOICES[*n].1;
                if of.is_optional() {
                    arm(self, vec![Cell::None]);
                }
                if self.dice.once_in(2) {
                    values.iter().for_each(|value| arm(self, vec![self::value(of.present(), value)]));
                } else {
                    arm(self, values[1..].iter().map(|text| self::value(of.present(), text)).collect());
                    arm(self, Vec::new());
                }
            }
            Ty::Bool => {
                for yes in [true, false] {
                    arm(self, vec![Cell::Value(Node::new(Kind::Bool(yes), &Ty::Bool, Place::Wanted))]);
                }
            }
            Ty::Country => {
                if self.dice.once_in(2) {
                    arm(self, vec![self::value(&Ty::Country, "NL"), self::value(&Ty::Country, "US")]);
                }
                arm(self, vec![Cell::Eu]);
                arm(self, Vec::new());
            }
            Ty::Rate => {
                let rate = |n| Cell::Value(Node::new(Kind::Rate(Number::whole(n)), &Ty::Rate, Place::Wanted));
                arm(self, vec![rate(21), rate(0)]);
                arm(self, Vec::new());
            }
            _ => {
                arm(self, vec![self::value(&TEXT, "ann")]);
                if self.dice.once_in(2) {
                    arm(self, vec![Cell::Begins("no. ".into())]);
                }
                arm(self, Vec::new());
            }
        }
        Some(Kind::Match(on, arms))
    }

    fn called(&mut self, ty: &Ty, deep: usize) -> Option<Kind> {
        let fitting: Vec<Signature> = self.functions.iter().filter(|f| f.gives == *ty).cloned().collect();
        if fitting.is_empty() {
            return None;
        }
        let f = self.dice.of(&fitting).clone();
        let args = f.takes.iter().map(|ty| self.node(ty, Place::Wanted, deep - 1)).collect();
        Some(Kind::Call(f.name, args))
    }

    fn asked(&mut self, ty: &Ty, deep: usize) -> Option<Kind> {
        let fitting: Vec<Signature> = self.lookups.iter().filter(|f| f.gives == *ty).cloned().collect();
        if fitting.is_empty() {
            return None;
        }
        let f = self.dice.of(&fitting).clone();
        let keys = f.takes.iter().map(|ty| self.node(ty, Place::Wanted, deep - 1)).collect();
        Some(Kind::Lookup(f.name, keys))
    }

    fn of_list(&mut self, ty: &Ty, deep: usize) -> Option<Kind> {
        if matches!(ty, Ty::List(_) | Ty::Part(_) | Ty::Bool) {
            return None;
        }
        // The first of a list, and something else where it is empty.
        let list = self.boxed(&ty.clone().list(), Place::Free, deep);
        let first = Node::new(Kind::Method(list, "first", Vec::new(), false), &ty.clone().optional(), Place::Free);
        Some(Kind::Else(Box::new(first), self.boxed(ty, Place::Free, deep)))
    }

    fn of_type(&mut self, ty: &Ty, place: Place, deep: usize) -> Option<Kind> {
        match ty {
            Ty::Bool => self.truth(deep),
            Ty::Int => self.int(deep),
            Ty::Decimal => self.decimals(deep),
            Ty::Rate => self.rates(deep),
            Ty::Net | Ty::Gross | Ty::Tax => self.money(ty, place, deep),
            Ty::Text(limit) => self.texts(*limit, place, deep),
            Ty::Date => self.dates(deep),
            Ty::List(element) => self.list(&element.as_ref().clone(), place, deep),
            Ty::Part(name) => match self.dice.below(3) {
                0 if place == Place::Wanted => self.part(name, deep),
                _ if place == Place::Wanted => Some(self.record(name, deep)),
                _ => None,
            },
            _ => None,
        }
    }

    /// A record that is written out.
    pub(crate) fn record(&mut self, name: &'static str, deep: usize) -> Kind {
        let mut fields = Vec::new();
        for field in crate::schema::fillable(name) {
            if field.required || self.dice.once_in(2) {
                fields.push((field.name, self.node(&field.ty, Place::Wanted, deep.saturating_sub(1))));
            }
        }
        self.dice.shuffle(&mut fields);
        Kind::Record(fields)
    }

    fn part(&mut self, name: &str, deep: usize) -> Option<Kind> {
        let fitting: Vec<Signature> =
            self.parts.iter().filter(|f| f.gives == Ty::Part(entity(name).name)).cloned().collect();
        if fitting.is_empty() {
            return None;
        }
        let f = self.dice.of(&fitting).clone();
        let args = f.takes.iter().map(|ty| self.node(ty, Place::Wanted, deep - 1)).collect();
        Some(Kind::Call(f.name, args))
    }

    pub(crate) fn pieces(&mut self, deep: usize) -> Kind {
        let all = [TEXT, Ty::Int, Ty::Net, Ty::Rate, Ty::Date, Ty::Country, Ty::Choice(0), Ty::Decimal, Ty::Currency];
        let many = 1 + self.dice.below(3);
        let mut pieces = Vec::new();
        for _ in 0..many {
            pieces.push(Piece::Plain((*self.dice.of(&["no. ", " - ", "#", "a "])).into()));
            let of = self.dice.of(&all).clone();
            pieces.push(Piece::Value(self.node(&of, Place::Free, deep - 1)));
        }
        Kind::Interpolation(pieces)
    }
}

/// The beginning of a text that is so long in its unit.
pub(crate) fn cut(text: &str, most: usize, utf16: bool) -> &str {
    let mut units = 0;
    for (at, c) in text.char_indices() {
        units += if utf16 { c.len_utf16() } else { 1 };
        if units > most {
            return &text[..at];
        }
    }
    text
}

/// A value of a cell.
pub(crate) fn value(ty: &Ty, text: &str) -> Cell {
    Cell::Value(Node::new(Kind::Text(text.into()), ty, Place::Wanted))
}

/// A word for a type, of which functions are called that give one of it.
pub(crate) fn tag(ty: &Ty) -> String {
    crate::schema::written(ty).chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
}
