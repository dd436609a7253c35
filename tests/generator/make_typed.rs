//! What each type has of its own: arithmetic, functions of texts and lists, comparisons.

use crate::make::Maker;
use crate::number::Number;
use crate::program::{Kind, Limit, Node, Piece, Place, TEXT, Ty};

impl Maker<'_> {
    fn free(&mut self, ty: &Ty, deep: usize) -> Box<Node> {
        Box::new(self.node(ty, Place::Free, deep - 1))
    }

    fn hinted(&mut self, ty: &Ty, deep: usize) -> Box<Node> {
        Box::new(self.node(ty, Place::Hint, deep - 1))
    }

    fn wanted(&mut self, ty: &Ty, deep: usize) -> Node {
        self.node(ty, Place::Wanted, deep - 1)
    }

    pub(crate) fn truth(&mut self, deep: usize) -> Option<Kind> {
        let orders = ["<", "<=", ">", ">=", "==", "!="];
        let numbers = [Ty::Int, Ty::Net, Ty::Gross, Ty::Tax, Ty::Rate, Ty::Date, Ty::Decimal];
        let texts =
            [TEXT, Ty::Country, Ty::Currency, Ty::Choice(0), Ty::Choice(1), Ty::Guid, Ty::Bool, Ty::Country.optional()];
        Some(match self.dice.below(12) {
            0 | 1 => {
                let of = self.dice.of(&numbers).clone();
                let op = *self.dice.of(&orders);
                Kind::Binary(op, self.free(&of, deep), self.hinted(&of, deep))
            }
            2 | 3 => {
                let of = self.dice.of(&texts).clone();
                let op = *self.dice.of(&["==", "!="]);
                Kind::Binary(op, self.free(&of, deep), self.hinted(of.present(), deep))
            }
            4 => {
                let op = *self.dice.of(&["and", "or"]);
                Kind::Binary(op, Box::new(self.wanted(&Ty::Bool, deep)), Box::new(self.wanted(&Ty::Bool, deep)))
            }
            5 => Kind::Not(Box::new(self.wanted(&Ty::Bool, deep))),
            6 => {
                let of = self.dice.of(&[Ty::Int, TEXT, Ty::Country, Ty::Rate, Ty::Choice(1)]).clone();
                let asked = Box::new(self.maybe(&of, Place::Free, deep - 1));
                if self.dice.once_in(2) { Kind::IsSome(asked, None) } else { Kind::IsNone(asked) }
            }
            7 => {
                let of = self.dice.of(&[TEXT, Ty::Country, Ty::Choice(0), Ty::Rate, Ty::Int]).clone();
                Kind::In(self.free(&of, deep), self.hinted(&of.list(), deep))
            }
            8 => Kind::InEu(Box::new(self.wanted(&Ty::Country, deep))),
            9 => {
                let f = *self.dice.of(&["starts_with", "ends_with", "contains"]);
                let what = self.wanted(&TEXT, deep);
                Kind::Method(self.free(&TEXT, deep), f, vec![what], false)
            }
            10 => {
                let (name, of, list) = self.walked(deep);
                let cond = self.within(&name, &of, &Ty::Bool, Place::Wanted, deep);
                let lambda = Node::new(Kind::Lambda(name, Box::new(cond)), &Ty::Bool, Place::Free);
                let f = *self.dice.of(&["any", "all"]);
                Kind::Method(Box::new(list), f, vec![lambda], false)
            }
            _ => Kind::Method(self.free(&TEXT.list(), deep), "is_empty", Vec::new(), false),
        })
    }

    pub(crate) fn int(&mut self, deep: usize) -> Option<Kind> {
        Some(match self.dice.below(9) {
            0 | 1 => {
                let op = *self.dice.of(&["+", "-", "*"]);
                Kind::Binary(op, self.free(&Ty::Int, deep), self.free(&Ty::Int, deep))
            }
            2 => {
                let of = self.dice.of(&[TEXT.list(), Ty::Int.list(), Ty::Net.list()]).clone();
                Kind::Method(self.free(&of, deep), "count", Vec::new(), false)
            }
            3 => Kind::Method(self.free(&TEXT, deep), "length", Vec::new(), false),
            4 => Kind::Method(self.free(&Ty::Decimal, deep), "floor", Vec::new(), false),
            5 => {
                let zero = Node::new(Kind::Number(Number::ZERO), &Ty::Int, Place::Wanted);
                let whole = Kind::Method(self.free(&Ty::Decimal, deep), "round", vec![zero], false);
                Kind::Method(Box::new(Node::new(whole, &Ty::Decimal, Place::Free)), "int", Vec::new(), false)
            }
            6 => self.extreme(&Ty::Int, deep),
            7 => self.summed(&Ty::Int, deep),
            _ => Kind::Negative(self.free(&Ty::Int, deep)),
        })
    }

    fn extreme(&mut self, ty: &Ty, deep: usize) -> Kind {
        let (a, b) = (self.free(ty, deep), self.hinted(ty, deep));
        Kind::Call((*self.dice.of(&["max", "min"])).into(), vec![*a, *b])
    }

    fn summed(&mut self, ty: &Ty, deep: usize) -> Kind {
        if self.dice.once_in(2) {
            return Kind::Method(self.free(&ty.clone().list(), deep), "sum", Vec::new(), false);
        }
        let (name, of, list) = self.walked(deep);
        let value = self.within(&name, &of, ty, Place::Free, deep);
        let lambda = Node::new(Kind::Lambda(name, Box::new(value)), ty, Place::Free);
        Kind::Method(Box::new(list), "sum", vec![lambda], false)
    }

    fn rounded(&mut self, ty: &Ty, deep: usize) -> Kind {
        let places = i64::try_from(self.dice.below(4)).expect("it is small");
        let decimals = Node::new(Kind::Number(Number::whole(places)), &Ty::Int, Place::Wanted);
        Kind::Method(self.free(ty, deep), "round", vec![decimals], false)
    }

    fn quotient(&mut self, a: &Ty, b: &Ty, deep: usize) -> Kind {
        // What is 0 in each record is refused.
        let there = self.there(b);
        let by = if there.is_empty() || !b.is_money() && self.dice.once_in(2) {
            let n = *self.dice.of(&[2, 3, 7, 12]);
            Box::new(Node::new(Kind::Number(Number::whole(n)), b, Place::Free))
        } else {
            Box::new(self.dice.of(&there).clone())
        };
        let places = u32::try_from(self.dice.below(4)).expect("it is small");
        Kind::Quotient(self.free(a, deep), by, places)
    }

    pub(crate) fn decimals(&mut self, deep: usize) -> Option<Kind> {
        let of = self.dice.of(&[Ty::Decimal, Ty::Int]).clone();
        Some(match self.dice.below(9) {
            0 | 1 => {
                let op = *self.dice.of(&["+", "-", "*"]);
                Kind::Binary(op, self.free(&Ty::Decimal, deep), self.free(&of, deep))
            }
            2 => self.quotient(&Ty::Decimal, &of, deep),
            3 => {
                let money = self.dice.of(&[Ty::Net, Ty::Gross]).clone();
                if self.there(&money).is_empty() {
                    return None;
                }
                self.quotient(&money, &money, deep)
            }
            4 => self.rounded(&Ty::Decimal, deep),
            5 => Kind::Method(self.free(&Ty::Decimal, deep), "abs", Vec::new(), false),
            6 => self.extreme(&Ty::Decimal, deep),
            7 => self.summed(&Ty::Decimal, deep),
            _ => {
                let text = Node::new(Kind::Text("12.50".into()), &TEXT, Place::Free);
                Kind::Method(Box::new(text), "decimal", Vec::new(), false)
            }
        })
    }

    pub(crate) fn rates(&mut self, deep: usize) -> Option<Kind> {
        Some(match self.dice.below(4) {
            0 => Kind::Binary("+", self.free(&Ty::Rate, deep), self.free(&Ty::Rate, deep)),
            1 => {
                let n = *self.dice.of(&[3, 21, 100]);
                let number = Node::new(Kind::Number(Number::whole(n)), &Ty::Int, Place::Free);
                Kind::Method(Box::new(number), "percent", Vec::new(), false)
            }
            2 => self.extreme(&Ty::Rate, deep),
            _ => self.summed(&Ty::Rate, deep),
        })
    }

    pub(crate) fn money(&mut self, ty: &Ty, place: Place, deep: usize) -> Option<Kind> {
        let of = self.dice.of(&[Ty::Decimal, Ty::Int]).clone();
        let two =
            |maker: &mut Self, op, a: &Ty, b: &Ty| Some(Kind::Binary(op, maker.free(a, deep), maker.free(b, deep)));
        match self.dice.below(11) {
            0 => two(self, "+", ty, ty),
            1 => two(self, "-", ty, ty),
            2 => two(self, "*", ty, &of),
            3 => two(self, "*", &of, ty),
            4 => Some(self.quotient(ty, &of, deep)),
            5 => Some(self.rounded(ty, deep)),
            6 => Some(self.extreme(ty, deep)),
            7 => Some(self.summed(ty, deep)),
            // Its kind is what its place wants.
            8 if place != Place::Free => {
                let from = self.dice.of(&[Ty::Net, Ty::Gross]).clone();
                Some(Kind::Method(self.free(&from, deep), "untaxed", Vec::new(), false))
            }
            9 => Some(Kind::Negative(self.free(ty, deep))),
            _ => match ty {
                Ty::Net => {
                    if self.dice.once_in(2) {
                        return two(self, "-", &Ty::Gross, &Ty::Tax);
                    }
                    let rate = self.wanted(&Ty::Rate, deep);
                    let net = Kind::Method(self.free(&Ty::Gross, deep), "net", vec![rate], false);
                    let two = Node::new(Kind::Number(Number::whole(2)), &Ty::Int, Place::Wanted);
                    Some(Kind::Method(Box::new(Node::new(net, ty, Place::Free)), "round", vec![two], false))
                }
                Ty::Gross => {
                    if self.dice.once_in(2) {
                        return two(self, "+", &Ty::Net, &Ty::Tax);
                    }
                    let rate = self.wanted(&Ty::Rate, deep);
                    Some(Kind::Method(self.free(&Ty::Net, deep), "with_tax", vec![rate], false))
                }
                _ => {
                    if self.dice.once_in(2) {
                        return two(self, "-", &Ty::Gross, &Ty::Net);
                    }
                    let rate = self.wanted(&Ty::Rate, deep);
                    Some(Kind::Method(self.free(&Ty::Net, deep), "tax", vec![rate], false))
                }
            },
        }
    }

    pub(crate) fn dates(&mut self, deep: usize) -> Option<Kind> {
        let days = i64::try_from(self.dice.below(50)).expect("it is small") - 20;
        let moments = self.there(&Ty::Instant);
        Some(match self.dice.below(4) {
            0 => self.extreme(&Ty::Date, deep),
            1 if !moments.is_empty() => {
                let moment = Box::new(self.dice.of(&moments).clone());
                Kind::Method(moment, "date", Vec::new(), false)
            }
            _ if days == 0 => return None,
            _ => Kind::Later(self.free(&Ty::Date, deep), days),
        })
    }

    pub(crate) fn texts(&mut self, limit: Option<Limit>, place: Place, deep: usize) -> Option<Kind> {
        let Some(limit) = limit else { return Some(self.any_text(deep)) };
        let number = Number::whole(i64::try_from(limit.most).expect("it is small"));
        if place == Place::Wanted {
            return Some(Kind::Method(self.free(&TEXT, deep), "fit", Vec::new(), false));
        }
        if limit.utf16 {
            return None;
        }
        let most = Node::new(Kind::Number(number), &Ty::Int, Place::Wanted);
        Some(Kind::Method(self.free(&TEXT, deep), "take", vec![most], false))
    }

    fn any_text(&mut self, deep: usize) -> Kind {
        match self.dice.below(7) {
            0 | 1 => self.pieces(deep),
            2 => {
                let f = *self.dice.of(&["upper", "lower"]);
                Kind::Method(self.free(&TEXT, deep), f, Vec::new(), false)
            }
            3 => {
                let n = i64::try_from(self.dice.below(9)).expect("it is small");
                let most = Node::new(Kind::Number(Number::whole(n)), &Ty::Int, Place::Wanted);
                Kind::Method(self.free(&TEXT, deep), "take", vec![most], false)
            }
            4 => {
                let text = |text: &str| Node::new(Kind::Text(text.into()), &TEXT, Place::Wanted);
                let args =
                    vec![text(self.dice.of::<&str>(&["a", "no", " "])), text(self.dice.of::<&str>(&["", "-", "aa"]))];
                Kind::Method(self.free(&TEXT, deep), "replace", args, false)
            }
            5 => {
                let left = Box::new(self.maybe(&TEXT, Place::Free, deep - 1));
                Kind::Else(left, self.free(&TEXT, deep))
            }
            _ => {
                let of = self.dice.of(&[Ty::Country, Ty::Choice(0), Ty::Email, Ty::Currency]).clone();
                Kind::Interpolation(vec![Piece::Value(*self.free(&of, deep))])
            }
        }
    }
}
