//! Flows that read what is no longer there, `from deleted woo.Order as order`, and where systems tell of it.

use crate::check::resolve::checker::{Checker, TypeItem};
use crate::ir::{Deletions, EntityId};
use crate::source::{Diagnostic, codes};
use crate::syntax::ast::{self, FlowStmt, FlowStmtKind};

impl Checker<'_> {
    /// Whether it can be told that a record is gone, and whether a flow asks for nothing that only a record could answer.
    pub(super) fn finds_deleted<'f>(&mut self, source: EntityId, body: impl Iterator<Item = &'f FlowStmt>) {
        self.read_deletions();
        let entity = self.program.entity(source);
        let (full, declared) = (entity.full_name(), entity.span);
        let is_told = entity.deletions.is_some() || entity.route.is_some() && !entity.is_below_another();
        for stmt in body {
            let (message, help) = match &stmt.kind {
                FlowStmtKind::From { .. } if !is_told || !self.program.entity(source).stands_alone() => {
                    let message = format!("whether a {full} is still there can't be asked");
                    self.report(
                        Diagnostic::new(&codes::FLOW_SHAPE, stmt.span, message)
                            .related(declared, "neither an address by its key nor `deleted in`")
                            .help("read the record that it belongs to, and tell by a field what has become of it"),
                    );
                    continue;
                }
                FlowStmtKind::Per(_) => ("of what was deleted nothing is left to gather by", "leave it out"),
                FlowStmtKind::Watch { .. } => ("what was deleted is looked at once", "leave it out"),
                FlowStmtKind::OnWebhook => {
                    ("no system tells surely of every deletion by a webhook", "leave it out, and say `every 1 hour`")
                }
                FlowStmtKind::Since(_) => {
                    ("what was deleted is known by what was written of it, whenever that was", "leave it out")
                }
                _ => continue,
            };
            self.say(&codes::FLOW_SHAPE, stmt.span, message, help);
        }
    }

    /// Reads where systems tell of deletions, of all entities that were declared since.
    pub(super) fn read_deletions(&mut self) {
        while let Some((id, [rows, key, of, value], span)) = self.deletions.pop() {
            let name = ast::Name { text: rows.into(), span };
            let path = ast::Path { parts: vec![name], span };
            let inside = self.shared_instance(self.entity_states[id.0 as usize].1);
            let Some(TypeItem::Entity(told)) = self.named_type(inside, &path) else { continue };
            self.read_entity(told);
            let entity = self.program.entity(told);
            match (entity.field(&key), entity.field(&of)) {
                (Some(key), Some(of)) => {
                    let deletions = Deletions { entity: told, key, rows: (of, value.into()) };
                    self.program.entities[id.0 as usize].deletions = Some(deletions);
                }
                (None, _) => self.no_field(told, &key, span),
                (_, None) => self.no_field(told, &of, span),
            }
        }
    }
}
