//! What a shop is asked: parameters, each with one value. It answers everything to a filter that it does not know, so
//! only proven ones are sent.

use super::auth;
use crate::connector::Condition;
use crate::ir::{Entity, Field, Search, Type, WireForm};

/// Parameters in their order. A name is set and never added to: twice in an address it would be two for the signature and
/// one for the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        match self.0.iter_mut().find(|(its, _)| its == name) {
            Some((_, its)) => *its = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(its, _)| its != name);
        self
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(its, _)| its == name).map(|(_, value)| value.as_str())
    }

    /// As an address carries it; none where nothing is asked.
    pub(super) fn text(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| auth::joined(&self.0))
    }
}

/// How a parameter takes values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    List,
    One,
}

/// The parameter for a field, and how many values it takes.
pub(super) fn parameter<'a>(entity: &'a Entity, field: &'a Field) -> Option<(&'a str, Takes)> {
    let is_key = entity.key.is_some_and(|key| entity.get(key).wire == field.wire);
    Some(match &*field.wire {
        "id" => ("include", Takes::List),
        _ if is_key && matches!(field.ty.present(), Type::Int) => ("include", Takes::List),
        "customer_id" => ("customer", Takes::One),
        "parent_id" => ("parent", Takes::List),
        "sku" => ("sku", Takes::List),
        // WordPress's own API takes lists here.
        "slug" if entity.route.as_deref() == Some("/wp/v2/media") => ("slug", Takes::List),
        // Orders take lists here, products one value.
        name @ ("status" | "created_via") if entity.route.as_deref() == Some("orders") => (name, Takes::List),
        name => match field.search {
            Search::Filter | Search::Parameter => (name, Takes::One),
            Search::Loose => ("search", Takes::One),
            Search::No => return None,
        },
    })
}

/// What every list of this resource is asked with.
pub(super) fn always(route: &str) -> Query {
    // Amounts come with the shop's own decimals unless more are asked for.
    let query = Query::default().with("dp", "6");
    match route {
        // Else only the role `customer` is listed, and wholesale plugins give roles of their own.
        "customers" => query.with("role", "all"),
        // What a user may do is told to herself, for editing alone.
        "/wp/v2/users/me" => query.with("context", "edit"),
        _ => query,
    }
}

/// `_fields`: it works into objects and not into lists, where it would drop the list altogether.
pub(super) fn fields(entity: &Entity, names: &[String]) -> Option<String> {
    let mut out: Vec<&str> = Vec::new();
    for name in names {
        let name = match name.split_once('.') {
            Some((first, _)) if !is_object(entity, first) => first,
            Some(_) | None => name.as_str(),
        };
        if !out.contains(&name) {
            out.push(name);
        }
    }
    (!out.is_empty()).then(|| out.join(","))
}

fn is_object(entity: &Entity, wire: &str) -> bool {
    let fields: Vec<&Field> =
        entity.fields.iter().filter(|field| &*field.wire == wire && field.meta.is_none()).collect();
    !fields.is_empty()
        && fields.iter().all(|field| {
            matches!(field.ty.present(), Type::Record(_))
                && matches!(field.form.form, WireForm::Nested | WireForm::Plain)
        })
}

/// Conditions as parameters, where the shop knows one; the caller looks at what comes back all the same.
pub(super) fn conditions(mut query: Query, entity: &Entity, conditions: &[Condition]) -> Query {
    for condition in conditions {
        let field = entity.get(condition.field);
        match parameter(entity, field) {
            Some((name, Takes::List)) => query.set(name, condition.values.join(",")),
            Some((name, Takes::One)) if condition.values.len() == 1 && name != "search" => {
                query.set(name, condition.values[0].clone());
            }
            Some(_) | None => {}
        }
    }
    query
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_set_and_never_added_to() {
        let query = always("customers").with("role", "customer").with("page", "2").without("dp");
        assert_eq!(query.text().as_deref(), Some("role=customer&page=2"));
        assert_eq!((query.get("role"), query.get("dp")), (Some("customer"), None));
        assert_eq!(Query::default().text(), None);
    }
}
