//! The links by which drafts are joined to what was made of them before.

use super::body::Settled;
use super::journal;
use super::owner::Owner;
use super::pass::PassError;
use super::record::Acting;
use crate::eval::{Action, Draft, WriteSet};
use crate::ir::Verb;
use crate::store::{Link, LinkKey};
use std::sync::Arc;

/// What the store says of a draft.
#[derive(Default)]
pub(crate) struct Joined {
    /// The link of an earlier write.
    pub(crate) link: Option<Link>,
    /// Another source record that what was found was made for.
    pub(crate) owner: Option<Owner>,
}

impl Acting<'_> {
    /// The links of earlier writes, draft by draft.
    pub(crate) async fn links(&self, unit: &WriteSet) -> Result<Vec<Joined>, PassError> {
        let mut links = Vec::with_capacity(unit.drafts.len());
        for draft in &unit.drafts {
            let Some(source) = self.source_of(draft, &[]) else {
                links.push(Joined::default());
                continue;
            };
            let mut link = self.pass.store().link(&source).await?;
            if draft.linked_to.is_none()
                && let Action::Found { id, .. } = &draft.action
            {
                // What its key leads to by now may be another record than it was; and what had no such key before was
                // remembered by another one.
                link = link.filter(|link| link.target.id == **id);
                for key in self.keyed_sources(draft, &[]).into_iter().skip(1) {
                    if link.is_none() {
                        link = self.pass.store().link(&key).await?.filter(|link| link.target.id == **id);
                    }
                }
            }
            let owner = match &draft.action {
                Action::Found { id, ours: false, .. }
                    if draft.linked_to.is_some() && link.as_ref().is_none_or(|link| link.target.id != **id) =>
                {
                    let target = journal::target(&draft.connection, self.pass.program().entity(draft.entity), id);
                    let links = self.pass.store().links_to(&target).await?;
                    Owner::among(self.pass.program(), links, &source)
                }
                _ => None,
            };
            links.push(Joined { link, owner });
        }
        Ok(links)
    }

    /// The ends of links of an upsert that is linked to no record: one for each of its keys.
    fn keyed_sources(&self, draft: &Draft, settled: &[Option<Settled>]) -> Vec<LinkKey> {
        let upserts = matches!(self.pass.program().mapping(draft.made.mapping).header.verb, Verb::Upsert);
        let keys = draft.keys.iter().filter(|_| upserts && draft.linked_to.is_none());
        let lanes = keys.filter_map(|key| journal::lane_of(self.pass.program(), draft, key, settled));
        let end = |lane: String| LinkKey {
            connection: draft.connection.to_string(),
            mapping: draft.made.name.to_string(),
            entity: self.pass.program().entity(draft.entity).full_name(),
            key: self.pass.store().keyed_hash(&lane),
        };
        lanes.map(end).collect()
    }

    /// The source's end of a draft's link. What is linked to no record is remembered by the key that it is found by, so that
    /// it follows those that have it: hashed, since keys tell of people.
    pub(crate) fn source_of(&self, draft: &Draft, settled: &[Option<Settled>]) -> Option<LinkKey> {
        let flow = self.pass.flow();
        let (entity, key) = match (&draft.linked_to, &draft.action) {
            (Some((entity, key)), _) => (*entity, Arc::clone(key)),
            // What is written into the record itself is remembered too, so that it is not written twice.
            (None, Action::Itself { .. }) => (flow.source, Arc::clone(&self.item.key)),
            (None, _) => return self.keyed_sources(draft, settled).into_iter().next(),
        };
        Some(LinkKey {
            connection: self.pass.connection_of(entity).to_string(),
            mapping: draft.made.name.to_string(),
            entity: self.pass.program().entity(entity).full_name(),
            key: key.to_string(),
        })
    }
}
