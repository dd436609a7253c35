//! Questions in OData 2, as Exact Online understands them: literals by the field's type, `or` chains that fit an address.
//!
//! Source: OData 2 (URI conventions); the measures are the connector's declaration.

use super::lines;
use crate::connector::asked::Condition;
use crate::ir::{Entity, Field, FieldId, Forms, Type, WireForm};
use jiff::Timestamp;
use jiff::civil::DateTime;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use url::Url;

/// What is encoded in a query: `$`, `'`, `(`, `)`, `,` and `=` may stay, and make the address shorter.
const QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b'&')
    .add(b'+')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b']')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// How long a search may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measures {
    /// Bytes of an address.
    pub(super) url: usize,
    /// Values of a search.
    pub(super) values: usize,
}

/// A value as it stands in a filter; none when the field cannot have such a value, so that nothing can be found by it.
pub(super) fn literal(field: &Field, value: &str) -> Option<String> {
    let Forms { form, padded, .. } = field.form;
    match (form, field.ty.present()) {
        (WireForm::ZeroOne, _) => match value {
            "1" | "true" => Some("1".to_owned()),
            "0" | "false" => Some("0".to_owned()),
            _ => None,
        },
        (_, Type::Bool) => matches!(value, "true" | "false").then(|| value.to_owned()),
        (_, Type::Guid) => guid(value),
        (_, Type::Int) => value.parse::<i64>().ok().map(|number| number.to_string()),
        (_, Type::Decimal | Type::Literal | Type::Fraction | Type::Percent | Type::Money(_) | Type::Price) => {
            number(value)
        }
        (_, Type::Date | Type::Instant) => moment(value),
        (_, Type::Enum(of)) => {
            // The declaration says each value as it stands in JSON: `20` or `"C"`.
            let quoted = of.values.iter().any(|known| known.wire.starts_with('"'));
            if quoted { Some(text(value)) } else { number(value) }
        }
        // A reference to a record is its key, and most keys are guids; a code is a text.
        (_, Type::Record(_)) => guid(value).or_else(|| Some(text(value))),
        (_, _) => Some(text(&pad(value, padded))),
    }
}

/// `guid'…'`
pub(super) fn guid(value: &str) -> Option<String> {
    let parsed = uuid::Uuid::try_parse(value.trim()).ok()?;
    Some(format!("guid'{}'", parsed.hyphenated()))
}

fn number(value: &str) -> Option<String> {
    value.parse::<rust_decimal::Decimal>().ok().map(|number| number.normalize().to_string())
}

fn moment(value: &str) -> Option<String> {
    let local: DateTime = value.trim_end_matches('Z').parse().ok()?;
    Some(format!("datetime'{}'", local.strftime("%Y-%m-%dT%H:%M:%S")))
}

fn text(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// Blanks on the left, as the ledger keeps codes.
fn pad(value: &str, length: u16) -> String {
    let length = usize::from(length);
    if length == 0 { value.to_owned() } else { format!("{:>length$}", value.trim()) }
}

/// Filters by one field that between them ask for all of these values, each short enough for its address. `address`
/// makes the address of a filter.
pub(super) fn chains(
    field: &Field,
    values: &[String],
    measures: Measures,
    address: impl Fn(&str) -> Url,
) -> Vec<String> {
    let mut terms: Vec<String> = Vec::new();
    for value in values {
        if let Some(literal) = literal(field, value) {
            let term = format!("{} eq {literal}", field.wire);
            if !terms.contains(&term) {
                terms.push(term);
            }
        }
    }
    let mut filters: Vec<String> = Vec::new();
    let mut count = 0;
    for term in terms {
        let longer = match filters.last() {
            Some(filter) if count < measures.values => Some(format!("{filter} or {term}")),
            Some(_) | None => None,
        };
        if let Some(longer) = longer.filter(|longer| address(longer).as_str().len() <= measures.url) {
            filters.pop();
            filters.push(longer);
            count += 1;
        } else {
            filters.push(term);
            count = 1;
        }
    }
    filters
}

/// Conditions as one filter; none when they need more than fits.
pub(super) fn conditions(entity: &Entity, conditions: &[Condition]) -> Option<String> {
    let mut parts = Vec::new();
    for Condition { field, values } in conditions {
        let field = entity.get(*field);
        let terms: Vec<String> =
            values.iter().filter_map(|value| Some(format!("{} eq {}", field.wire, literal(field, value)?))).collect();
        match terms.as_slice() {
            [] => return None,
            [one] => parts.push(one.clone()),
            several => parts.push(format!("({})", several.join(" or "))),
        }
    }
    (!parts.is_empty()).then(|| parts.join(" and "))
}

/// What is read of a resource: `$select`, and `$expand` for the lists in it, which else come as a mere address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Selection {
    select: String,
    expand: String,
}

impl Selection {
    /// These names, by the schema. Of a list all members are read: a client in production found that selecting some of
    /// them does not work everywhere.
    pub(super) fn of(entity: &Entity, names: &[String]) -> Self {
        let (mut select, mut expand): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        for name in names {
            let name = lines::selected(entity, name.split('.').next().unwrap_or_default());
            if select.contains(&name) {
                continue;
            }
            select.push(name);
            if is_list(entity, name) {
                expand.push(name);
            }
        }
        Self { select: select.join(","), expand: expand.join(",") }
    }

    /// The options of a question.
    pub(super) fn options<'a>(&'a self, filter: Option<&'a str>) -> Vec<(&'static str, &'a str)> {
        let given =
            [("$select", Some(self.select.as_str())), ("$filter", filter), ("$expand", Some(self.expand.as_str()))];
        given.into_iter().filter_map(|(name, value)| Some((name, value.filter(|text| !text.is_empty())?))).collect()
    }
}

fn is_list(entity: &Entity, wire: &str) -> bool {
    entity.fields.iter().any(|field| &*field.wire == wire && matches!(field.ty.present(), Type::List(_)))
}

/// An address with these options.
pub(super) fn ask(base: &Url, options: &[(&str, &str)]) -> Url {
    let pairs: Vec<String> =
        options.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, QUERY))).collect();
    let mut address = base.clone();
    address.set_query((!pairs.is_empty()).then(|| pairs.join("&")).as_deref());
    address
}

/// The key of a record in its address: `(guid'…')`, `(123)`, `('…')`.
pub(super) fn key(entity: &Entity, key: Option<FieldId>, id: &str) -> Option<String> {
    let literal = match key {
        Some(key) => literal(entity.get(key), id)?,
        None => guid(id)?,
    };
    Some(format!("({literal})"))
}

/// Milliseconds of the ledger's wall clock: `/Date(1382667906263)/`.
pub(super) fn milliseconds(text: &str) -> Option<i64> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    // An offset behind the number is for show; the number counts.
    let end = inner.char_indices().skip(1).find(|(_, c)| matches!(c, '+' | '-')).map_or(inner.len(), |(at, _)| at);
    inner.get(..end)?.parse().ok()
}

/// A moment of the ledger's wall clock as it stands in a filter.
pub(super) fn wall(milliseconds: i64) -> Option<String> {
    let time = Timestamp::from_millisecond(milliseconds).ok()?;
    Some(format!("datetime'{}'", time.strftime("%Y-%m-%dT%H:%M:%S")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::tests::{entity, field};
    use crate::ir::{EnumType, EnumValue};
    use std::sync::Arc;

    const ID: &str = "7C1D1F0E-3a52-4a5e-9d0b-0c5b3f1a1001";

    #[test]
    fn literals_follow_the_fields_type() {
        let of = |ty: Type, value: &str| literal(&field("F", ty), value);
        assert_eq!(of(Type::Text(None), "O'Brien").as_deref(), Some("'O''Brien'"));
        assert_eq!(of(Type::Guid, ID).as_deref(), Some("guid'7c1d1f0e-3a52-4a5e-9d0b-0c5b3f1a1001'"));
        assert_eq!(of(Type::Guid, "x' or 1 eq 1"), None);
        assert_eq!(of(Type::Int, "12").as_deref(), Some("12"));
        assert_eq!(of(Type::Int, "12 or 1 eq 1"), None);
        assert_eq!(of(Type::Decimal, "12.50").as_deref(), Some("12.5"));
        assert_eq!(of(Type::Date, "2026-01-31").as_deref(), Some("datetime'2026-01-31T00:00:00'"));
        assert_eq!(of(Type::Bool, "true").as_deref(), Some("true"));
        let status = |wire: &str| {
            let values = vec![EnumValue { code: "customer".into(), wire: wire.into() }];
            Type::Enum(Arc::new(EnumType { name: "S".into(), open: false, values }))
        };
        assert_eq!(of(status("\"C\""), "C").as_deref(), Some("'C'"));
        assert_eq!(of(status("20"), "20").as_deref(), Some("20"));
        let mut code = field("Code", Type::Text(None));
        code.form.padded = 18;
        assert_eq!(literal(&code, "1068").as_deref(), Some("'              1068'"));
    }

    #[test]
    fn chains_fit_their_addresses() {
        let base = Url::parse("https://start.exactonline.nl/api/v1/1/logistics/Items").unwrap();
        let address = |filter: &str| ask(&base, &[("$select", "ID,Code"), ("$filter", filter)]);
        let values: Vec<String> = (0..100).map(|n| format!("SKU-{n:04}")).collect();
        let code = field("Code", Type::Text(None));
        let by_length = chains(&code, &values, Measures { url: 2_000, values: 1_000 }, address);
        assert!(by_length.iter().all(|filter| address(filter).as_str().len() <= 2_000));
        assert!(by_length.len() > 1 && by_length.len() < 4, "{}", by_length.len());
        let total: usize = by_length.iter().map(|filter| filter.matches(" eq ").count()).sum();
        assert_eq!(total, 100);
        let by_count = chains(&code, &values, Measures { url: 2_000, values: 40 }, address);
        assert_eq!(by_count.iter().map(|filter| filter.matches(" eq ").count()).collect::<Vec<_>>(), [40, 40, 20]);
        let blanks = vec!["a b".to_owned(), "a b".to_owned()];
        assert_eq!(chains(&code, &blanks, Measures { url: 50, values: 40 }, address), ["Code eq 'a b'"]);
    }

    #[test]
    fn an_address_keeps_what_may_stand() {
        let base = Url::parse("http://127.0.0.1:1/x").unwrap();
        let address = ask(&base, &[("$filter", "A eq 'é & +' or B gt 1L"), ("$select", "A,B")]);
        assert_eq!(
            address.query().unwrap(),
            "$filter=A%20eq%20%27%C3%A9%20%26%20%2B%27%20or%20B%20gt%201L&$select=A,B"
        );
    }

    #[test]
    fn lists_are_expanded() {
        let lines = field("Lines", Type::List(Arc::new(Type::Text(None))));
        let of = entity("SalesOrder", "x", vec![field("ID", Type::Guid), field("Note", Type::Text(None)), lines]);
        let names = ["ID".to_owned(), "Lines.Item".into(), "Lines.Item".into(), "Note.x".into()];
        let selection = Selection::of(&of, &names);
        let expected = [("$select", "ID,Lines,Note"), ("$filter", "a"), ("$expand", "Lines")];
        assert_eq!(selection.options(Some("a")), expected);
        assert!(Selection::of(&of, &[]).options(None).is_empty());
    }

    #[test]
    fn conditions_are_bracketed() {
        let of = entity("SalesOrder", "salesorder/SalesOrders", vec![field("A", Type::Int), field("B", Type::Int)]);
        let one = Condition { field: FieldId(0), values: vec!["1".into()] };
        let two = Condition { field: FieldId(1), values: vec!["2".into(), "3".into()] };
        assert_eq!(conditions(&of, &[one, two]).as_deref(), Some("A eq 1 and (B eq 2 or B eq 3)"));
        assert_eq!(conditions(&of, &[]), None);
    }

    #[test]
    fn keys_and_moments() {
        let of = entity("Me", "x", vec![field("ID", Type::Guid), field("Number", Type::Int)]);
        assert_eq!(key(&of, Some(FieldId(1)), "7").as_deref(), Some("(7)"));
        assert_eq!(key(&of, None, "no guid"), None);
        assert_eq!(milliseconds("/Date(1382667906263)/"), Some(1_382_667_906_263));
        assert_eq!(milliseconds("/Date(-1000+0100)/"), Some(-1000));
        assert_eq!(milliseconds("2026"), None);
        assert_eq!(wall(1_382_667_906_263).as_deref(), Some("datetime'2013-10-25T02:25:06'"));
    }
}
