//! How types relate: what two have together, what is compared with what, which have an order.

use crate::ir::Type;
use std::sync::Arc;

/// The type that two branches have together; none where they have none.
pub(crate) fn join(a: &Type, b: &Type) -> Option<Type> {
    use Type as T;
    Some(match (a, b) {
        (T::Unknown, _) | (_, T::Unknown) => T::Unknown,
        (T::Never, other) | (other, T::Never) => other.clone(),
        (T::Nothing, other) | (other, T::Nothing) => other.clone().optional(),
        (T::Optional(x), y) | (y, T::Optional(x)) => join(x, y.present())?.optional(),
        (x, y) if x == y => x.clone(),
        (T::Text(x), T::Text(y)) => T::Text(x.zip(*y).map(|(x, y)| x.max(y))),
        // A rate has its sign.
        (T::Percent, number) | (number, T::Percent) if number.is_number() => return None,
        (T::Literal, number) | (number, T::Literal) if number.is_number() => number.clone(),
        (T::Fraction | T::Decimal, T::Int) | (T::Int, T::Fraction | T::Decimal) => T::Decimal,
        (T::Fraction, number) | (number, T::Fraction) if number.is_number() => number.clone(),
        (T::List(x), T::List(y)) => T::List(Arc::new(join(x, y)?)),
        (T::Code(x), T::Record(y)) | (T::Record(y), T::Code(x)) if x == y => T::Record(*x),
        (T::Enum(x), T::Enum(y)) if y.values.iter().all(|v| x.values.iter().any(|w| w.code == v.code)) => a.clone(),
        (T::Enum(x), T::Enum(y)) if x.values.iter().all(|v| y.values.iter().any(|w| w.code == v.code)) => b.clone(),
        (x, y) if x.is_text() && y.is_text() => T::Text(longest(x).zip(longest(y)).map(|(x, y)| x.max(y))),
        _ => return None,
    })
}

/// Whether values of two types can be compared for equality.
pub(crate) fn comparable(a: &Type, b: &Type) -> bool {
    use Type as T;
    let (a, b) = (a.present(), b.present());
    match (a, b) {
        (T::Unknown | T::Never | T::Nothing, _) | (_, T::Unknown | T::Never | T::Nothing) => true,
        (T::Code(x) | T::Record(x), T::Code(y) | T::Record(y)) => x == y,
        (T::Code(_), T::Text(_)) | (T::Text(_), T::Code(_)) => true,
        (T::Enum(x), T::Enum(y)) => {
            x.name == y.name || x.values.iter().any(|v| y.values.iter().any(|w| w.code == v.code))
        }
        (T::Enum(_), T::Text(_)) | (T::Text(_), T::Enum(_)) => true,
        (T::Text(_), y) if y.is_text() => true,
        (x, T::Text(_)) if x.is_text() => true,
        (x, y) if x.is_text() && y.is_text() => x == y,
        (T::Percent, y) if y.is_number() => *y == T::Percent,
        (x, T::Percent) if x.is_number() => false,
        (T::Money(x), T::Money(y)) => x == y,
        (T::Money(_), T::Decimal | T::Int) | (T::Decimal | T::Int, T::Money(_)) => false,
        (x, y) if x.is_number() && y.is_number() => true,
        (x, y) => x == y,
    }
}

/// Whether its values have an order.
pub(crate) fn orders(ty: &Type) -> bool {
    ty.is_number()
        || matches!(ty, Type::Date | Type::Instant | Type::Duration | Type::Entered(..) | Type::Unknown | Type::Never)
}

/// The most characters that a value of a type has, where that is known.
pub(crate) fn longest(ty: &Type) -> Option<u32> {
    match ty {
        Type::Text(n) => *n,
        Type::Country => Some(2),
        Type::Currency => Some(3),
        Type::Guid => Some(36),
        Type::Date => Some(10),
        Type::Instant => Some(30),
        Type::Int => Some(20),
        Type::Bool => Some(3),
        Type::Enum(e) if !e.open => {
            e.values.iter().map(|v| u32::try_from(v.code.chars().count()).unwrap_or(u32::MAX)).max()
        }
        _ => None,
    }
}
