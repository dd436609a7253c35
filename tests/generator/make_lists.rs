//! Lists: written out, walked through, or made by functions.

use crate::make::Maker;
use crate::program::{Item, Kind, Node, Place, TEXT, Ty};

impl Maker<'_> {
    pub(crate) fn list(&mut self, element: &Ty, place: Place, deep: usize) -> Option<Kind> {
        let list = element.clone().list();
        Some(match self.dice.below(6) {
            0 => {
                let (a, b) = (self.boxed(&list, place, deep), self.boxed(&list, place, deep));
                if matches!(element, Ty::Part(_)) && place == Place::Wanted {
                    return None;
                }
                Kind::Binary("+", a, b)
            }
            1 | 2 => {
                let (name, of, list) = self.walked(deep);
                let cond = (self.dice.once_in(3)).then(|| self.within(&name, &of, &Ty::Bool, Place::Wanted, deep));
                let value = self.within(&name, &of, element, place, deep);
                let mut items = vec![Item::For(name, list, cond, value)];
                if self.dice.once_in(3) {
                    items.push(Item::One(self.node(element, place, deep - 1)));
                }
                Kind::List(items)
            }
            3 if !matches!(element, Ty::Part(_)) => {
                let (name, of, list) = self.walked(deep);
                // The elements of what a function gives are not looked at one by one.
                let place = if place == Place::Wanted { Place::Hint } else { place };
                let value = self.within(&name, &of, element, place, deep);
                let lambda = Node::new(Kind::Lambda(name, Box::new(value)), element, Place::Free);
                Kind::Method(Box::new(list), "map", vec![lambda], false)
            }
            4 if !matches!(element, Ty::Part(_)) => {
                let on = self.boxed(&list, Place::Free, deep);
                if self.dice.once_in(2) {
                    return Some(Kind::Method(on, "distinct", Vec::new(), false));
                }
                let name = self.name("one");
                let cond = self.within(&name, element, &Ty::Bool, Place::Wanted, deep);
                let lambda = Node::new(Kind::Lambda(name, Box::new(cond)), &Ty::Bool, Place::Free);
                Kind::Method(on, "where", vec![lambda], false)
            }
            _ => {
                let many = 1 + self.dice.below(3);
                Kind::List((0..many).map(|_| Item::One(self.node(element, place, deep - 1))).collect())
            }
        })
    }

    /// A list to walk through: the name of its element, its type, itself.
    pub(crate) fn walked(&mut self, deep: usize) -> (String, Ty, Node) {
        let parts: Vec<Node> = [Ty::Part("Row"), Ty::Part("woo.LineItem")].map(|ty| self.there(&ty.list())).concat();
        let name = self.name("one");
        if !parts.is_empty() && !self.dice.once_in(3) {
            let list = self.dice.of(&parts).clone();
            let Ty::List(of) = list.ty.clone() else { unreachable!("it was asked for as a list") };
            return (name, *of, list);
        }
        let of = self.dice.of(&[TEXT, Ty::Int, Ty::Rate, Ty::Net, Ty::Date, Ty::Country]).clone();
        let list = self.node(&of.clone().list(), Place::Free, deep - 1);
        (name, of, list)
    }

    /// An expression that sees an element of a list.
    pub(crate) fn within(&mut self, name: &str, of: &Ty, ty: &Ty, place: Place, deep: usize) -> Node {
        self.locals.push((name.to_owned(), of.clone()));
        let made = self.node(ty, place, deep - 1);
        self.locals.pop();
        made
    }
}
