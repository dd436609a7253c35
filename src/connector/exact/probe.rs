//! Whether we may read an entity: a question of which at most one row comes back.

use super::odata::chains;
use super::{Ledger, ask, key_of};
use crate::connector::CallError;
use crate::ir::{Entity, Method, Search, Type};

/// Behind the last row of any feed.
const NEVER: i64 = i64::MAX;
/// Keys that no record has: large lists answer only who asks for some of their rows.
const NO_GUID: &str = "00000000-0000-0000-0000-000000000000";
const NO_NUMBER: &str = "0";

/// Asks for one row at the entity's own address, and for none behind the end of its feed, where that stands elsewhere.
pub(super) async fn probe(ledger: &Ledger, entity: &Entity) -> Result<(), CallError> {
    let key = key_of(entity);
    let selected = key.map(|key| ("$select", key));
    let route = entity.route.as_deref().filter(|route| !route.contains('{') && entity.methods.contains(&Method::Get));
    if let Some(route) = route {
        let filter = none_of(ledger, entity);
        let few = filter.as_deref().map_or(("$top", "1"), |filter| ("$filter", filter));
        let options: Vec<(&str, &str)> = selected.into_iter().chain([few]).collect();
        let address = ask(&ledger.address(route).await?, &options);
        ledger.page(&address, route, key).await?;
    }
    let Some(feed) = entity.feed.as_ref().filter(|feed| Some(&*feed.path) != entity.route.as_deref()) else {
        return Ok(());
    };
    if feed.path.is_empty() || feed.path.contains('{') {
        return Ok(());
    }
    let filter = format!("{} gt {NEVER}L", entity.get(feed.by).wire);
    let options: Vec<(&str, &str)> = selected.into_iter().chain([("$filter", &*filter)]).collect();
    let address = ask(&ledger.address(&feed.path).await?, &options);
    ledger.page(&address, &feed.path, key).await.map(drop)
}

/// A filter that no row passes, where the list can be searched by its key.
fn none_of(ledger: &Ledger, entity: &Entity) -> Option<String> {
    let key = entity.get(entity.key.filter(|_| !entity.small)?);
    let none = match key.ty.present() {
        Type::Guid | Type::Record(_) => NO_GUID,
        _ => NO_NUMBER,
    };
    if key.search == Search::No {
        return None;
    }
    chains(key, &[none.to_owned()], ledger.measures, |filter| ask(&ledger.root, &[("$filter", filter)])).pop()
}
