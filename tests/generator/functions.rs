//! The functions of the language, as the oracle computes them.

use crate::make::cut;
use crate::number::Number;
use crate::oracle::{Halt, Oracle, Outcome, Value, large};
use crate::program::{Kind, Node, Stop, Ty};

/// Countries, as far as texts of programs come to them.
const CODES: [&str; 7] = ["NL", "BE", "DE", "US", "NO", "RE", "CA"];

impl Oracle<'_> {
    pub(crate) fn method(&mut self, on: &Node, name: &str, args: &[Node], ty: &Ty) -> Outcome {
        if let ("round", Kind::Method(gross, "net", rates, _)) = (name, &on.kind) {
            return self.net_of(gross, &rates[0], &args[0]);
        }
        let of = self.node(on)?;
        match of {
            Value::Absent => Ok(Value::Absent),
            Value::Text(text) if name == "fit" => {
                let Ty::Text(Some(limit)) = ty.present() else { unreachable!("it is cut to a length") };
                Ok(Value::Text(cut(&text, limit.most, self.utf16).to_owned()))
            }
            Value::List(all) => self.of_list(all, name, args),
            Value::Text(text) => self.of_text(&text, name, args),
            Value::Number(n) => self.of_number(n, name, args),
            Value::Instant(seconds) if name == "date" => Ok(Value::Date(seconds.div_euclid(86_400))),
            other => unreachable!("{name} of {other:?}"),
        }
    }

    /// `gross.net(rate).round(n)`, rounded once.
    fn net_of(&mut self, gross: &Node, rate: &Node, decimals: &Node) -> Outcome {
        let hundred = Number::whole(100);
        let (gross, rate) = (self.number(gross)?, self.number(rate)?);
        let decimals = self.number(decimals)?.count().and_then(|n| u32::try_from(n).ok()).expect("decimals are few");
        let of = large(hundred.plus(rate))?;
        if of.is_zero() {
            return Err(Halt::Stop(Stop::Fail));
        }
        Ok(Value::Number(large(gross.times(hundred).and_then(|n| n.divided(of, decimals)))?))
    }

    fn of_list(&mut self, all: Vec<Value>, name: &str, args: &[Node]) -> Outcome {
        let lambda = |args: &[Node]| match &args[0].kind {
            Kind::Lambda(name, body) => (name.clone(), body.as_ref().clone()),
            other => unreachable!("a function is {other:?}"),
        };
        let each = |oracle: &mut Self| -> Result<Vec<(Value, Value)>, Halt> {
            let (name, body) = lambda(args);
            all.iter().map(|one| Ok((one.clone(), oracle.named(&name, one.clone(), &body)?))).collect()
        };
        match name {
            "count" => Ok(Value::Number(Number::whole(i64::try_from(all.len()).expect("it is short")))),
            "is_empty" => Ok(Value::Bool(all.is_empty())),
            "first" => Ok(all.first().cloned().unwrap_or(Value::Absent)),
            "last" => Ok(all.last().cloned().unwrap_or(Value::Absent)),
            "distinct" => {
                let mut kept: Vec<Value> = Vec::new();
                for one in all {
                    if !kept.contains(&one) {
                        kept.push(one);
                    }
                }
                Ok(Value::List(kept))
            }
            "join" => {
                let between = self.text(&args[0])?;
                // An empty text is none.
                let texts: Vec<String> = all
                    .into_iter()
                    .filter_map(|one| if let Value::Text(text) = one { Some(text) } else { None })
                    .filter(|text| !text.is_empty())
                    .collect();
                Ok(if texts.is_empty() { Value::Absent } else { Value::Text(texts.join(&between)) })
            }
            "map" => Ok(Value::List(each(self)?.into_iter().map(|(_, made)| made).collect())),
            "where" => {
                let kept = each(self)?.into_iter().filter(|(_, made)| *made == Value::Bool(true));
                Ok(Value::List(kept.map(|(one, _)| one).collect()))
            }
            "any" | "all" => {
                let (name_of_one, body) = lambda(args);
                for one in all {
                    if (self.named(&name_of_one, one, &body)? == Value::Bool(true)) == (name == "any") {
                        return Ok(Value::Bool(name == "any"));
                    }
                }
                Ok(Value::Bool(name == "all"))
            }
            "sum" => {
                let values =
                    if args.is_empty() { all } else { each(self)?.into_iter().map(|(_, made)| made).collect() };
                let mut sum = Number::ZERO;
                for value in values {
                    let Value::Number(n) = value else { unreachable!("a sum of {value:?}") };
                    sum = large(sum.plus(n))?;
                }
                Ok(Value::Number(sum))
            }
            _ => unreachable!("{name} of a list"),
        }
    }

    fn of_text(&mut self, text: &str, name: &str, args: &[Node]) -> Outcome {
        let maybe = |text: &str| if text.is_empty() { Value::Absent } else { Value::Text(text.to_owned()) };
        Ok(match name {
            "upper" => Value::Text(text.to_uppercase()),
            "lower" => Value::Text(text.to_lowercase()),
            "trim" => maybe(text.trim()),
            "digits" => maybe(&text.chars().filter(char::is_ascii_digit).collect::<String>()),
            "length" => Value::Number(Number::whole(i64::try_from(text.chars().count()).expect("it is short"))),
            "take" => {
                let most = self.number(&args[0])?.count().unwrap_or(usize::MAX);
                Value::Text(cut(text, most, self.utf16).to_owned())
            }
            "replace" => {
                let (from, to) = (self.text(&args[0])?, self.text(&args[1])?);
                Value::Text(text.replace(&from, &to))
            }
            "starts_with" => Value::Bool(text.starts_with(&self.text(&args[0])?)),
            "ends_with" => Value::Bool(text.ends_with(&self.text(&args[0])?)),
            "contains" => Value::Bool(text.contains(&self.text(&args[0])?)),
            "country" => {
                let code = text.trim().to_uppercase();
                if CODES.contains(&&*code) { Value::Text(code) } else { Value::Absent }
            }
            "decimal" => Value::Number(Number::parse(text).expect("programs read numbers that are some")),
            _ => unreachable!("{name} of a text"),
        })
    }

    fn of_number(&mut self, n: Number, name: &str, args: &[Node]) -> Outcome {
        Ok(Value::Number(match name {
            "abs" => n.absolute(),
            "floor" => n.floor(),
            "percent" | "untaxed" => n,
            "int" if n.is_whole() => n,
            "int" => return Err(Halt::Soft),
            "round" => {
                let decimals = self.number(&args[0])?.count().expect("decimals are few");
                large(n.rounded(u32::try_from(decimals).expect("decimals are few")))?
            }
            "tax" => large(n.times(self.number(&args[0])?).and_then(|n| n.times(Number::new(1, 2)?)))?,
            "with_tax" => {
                let rate = self.number(&args[0])?;
                large(n.times(rate).and_then(|tax| tax.times(Number::new(1, 2)?)?.plus(n)))?
            }
            _ => unreachable!("{name} of a number"),
        }))
    }
}
