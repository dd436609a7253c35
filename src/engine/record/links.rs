//! The links by which drafts are joined to what was made of them before, and will be.

use super::acting::Acting;
use crate::engine::decide::owner::Owner;
use crate::engine::error::PassError;
use crate::engine::journal::effects;
use crate::engine::journal::lanes;
use crate::engine::values::body::Settled;
use crate::eval::{Action, Draft, WriteSet};
use crate::ir::{EntityId, Verb};
use crate::store::{Change, FieldHash, Link, LinkKey};
use std::sync::Arc;

/// What the store says of a draft.
#[derive(Default)]
pub(crate) struct Joined {
    /// The link of an earlier write.
    pub(crate) link: Option<Link>,
    /// Another source record that what was found was made for.
    pub(crate) owner: Option<Owner>,
}

/// A draft, and the link that it has or will have.
pub(crate) struct Writing<'a> {
    pub(crate) draft: &'a Draft,
    pub(crate) link: Option<&'a Link>,
    pub(crate) source: Option<LinkKey>,
}

/// How far a write carries the source's version out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    /// In full; whether the target's total is what it must come to.
    Out { agreed: bool },
    /// More is to be done before it is: the target has neither the version before nor this one.
    Partly,
}

impl Carried {
    /// In full.
    pub(crate) fn out() -> Self {
        Self::Out { agreed: true }
    }
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
                    let target = effects::target(&draft.connection, self.pass.program().entity(draft.entity), id);
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
        let lanes = keys.filter_map(|key| lanes::lane_of(self.pass.program(), draft, key, settled));
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

    /// Joins source and target.
    pub(crate) fn link(&mut self, writing: &Writing<'_>, id: &Arc<str>, fields: Vec<FieldHash>, carried: Carried) {
        let Some(link) = self.link_of(writing, id, fields, carried) else { return };
        self.forget_link(&link.source, (writing.draft.entity, id));
        self.carry.changes.push(Change::Link(link));
    }

    /// What has changed in the source is carried out otherwise than in this target: told, or written instead.
    pub(crate) fn carried_out(&mut self, writing: &Writing<'_>, id: &Arc<str>) {
        if let Some(link) = writing.link {
            // What its total must come to by now, it need not come to.
            self.link(writing, id, link.fields.clone(), Carried::Out { agreed: true });
        }
    }

    pub(crate) fn link_of(
        &self,
        writing: &Writing<'_>,
        id: &str,
        fields: Vec<FieldHash>,
        carried: Carried,
    ) -> Option<Link> {
        let draft = writing.draft;
        let source = writing.source.clone()?;
        let before = writing.link;
        let children = before.map(|link| link.children.clone()).unwrap_or_default();
        let target = effects::target(&draft.connection, self.pass.program().entity(draft.entity), id);
        let (carried, agreed) = match carried {
            Carried::Out { agreed } => (Some(self.item.source_version()), agreed),
            // What comes to light later is compared once more.
            Carried::Partly => (None, draft.balance.is_none()),
        };
        Some(Link { source, target, fields, carried, agreed, children })
    }

    /// What was known of links at both ends is asked of the store again.
    pub(crate) fn forget_link(&self, source: &LinkKey, target: (EntityId, &str)) {
        if let Some(entity) = self.pass.entities.iter().position(|e| e.full_name() == source.entity) {
            self.pass.memory().relink((entity.into(), &source.key), target);
        }
    }
}
