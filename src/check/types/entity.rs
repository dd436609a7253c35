//! Schemas: the clauses and marks of an `entity` become what the checker, the planner and the connectors go by.

use crate::check::resolve::checker::{Checker, Condition, State, TypeItem};
use crate::check::resolve::instances::InstanceId;
use crate::check::types::words::word_text;
use crate::check::types::written::present;
use crate::ir::{
    Connector, Currency, Entity, EntityId, Field, FieldId, Forms, Meta, PriceBy, StandsIn, Type, WireForm,
};
use crate::source::{Diagnostic, Span, codes};
use crate::syntax::ast::{self, ExprKind, FieldDecl, TypeKind};
use std::sync::Arc;

/// What a connector may say of its API, and whether it is a number. What no connector reads is no word: it would look as
/// if changing it changed something.
const HABITS: &[(&str, bool)] = &[
    ("base", false),
    ("entries", false),
    ("page", true),
    ("url_max", true),
    ("values_max", true),
    ("wall_clock", false),
    ("limits.minute", true),
    ("limits.day", true),
    ("limits.errors", true),
    ("login", false),
    ("login.refresh_after", true),
    ("login.authorize", false),
    ("login.token", false),
    ("cursor.overlap", true),
    ("lists", false),
    ("lists.missing", false),
    ("lists.continued", false),
];

impl Checker<'_> {
    /// Reads the clauses and fields of an entity, those that flows add included.
    pub(crate) fn read_entity(&mut self, id: EntityId) {
        let (state, module, decl) = &mut self.entity_states[id.0 as usize];
        if *state != State::Named {
            return;
        }
        *state = State::Reading;
        let module = *module;
        let Some(decl) = decl.take() else { return };
        let ast::DeclKind::Entity(e) = &decl.kind else { return };
        let inside = self.shared_instance(module);
        for field in &e.fields {
            self.read_field(id, inside, field);
        }
        let of_this = self.extensions.iter().filter(|(of, name, ..)| *of == module && *name == *e.name.text);
        let extensions: Vec<_> = of_this.map(|(.., by, extend)| (*by, extend.clone())).collect();
        for (by, extend) in &extensions {
            for field in &extend.fields {
                self.read_field(id, *by, field);
            }
        }
        let mut said: Vec<String> = Vec::new();
        for clause in &e.clauses {
            let word = clause.words.first().map(word_text).unwrap_or_default();
            if said.contains(&word) {
                let message = format!("`{word}` is already said of {}", e.name.text);
                self.say(&codes::MISPLACED, clause.span, message, "leave out one of them: an entity has one of each");
                continue;
            }
            said.push(word);
            self.read_clause(id, clause);
        }
        self.entity_states[id.0 as usize].0 = State::Read;
        // What refers to other fields comes last: all fields have their numbers now.
        for field in &e.fields {
            self.read_relations(id, inside, field);
        }
    }

    fn read_field(&mut self, id: EntityId, inside: InstanceId, decl: &FieldDecl) {
        if self.program.entity(id).field(&decl.name.text).is_some() {
            let message = format!("{} already has a field `{}`", self.program.entity(id).full_name(), decl.name.text);
            self.say(&codes::DECLARED_TWICE, decl.name.span, message, "give it another name, or leave it out");
            return;
        }
        let ty = self.type_of(inside, &decl.ty);
        self.has_a_form(&ty, decl);
        let mut field = Field {
            form: Forms { scale: 255, ..Forms::default() },
            doc: decl.doc.as_deref().map(Into::into),
            ..Field::new(Arc::clone(&decl.name.text), ty, decl.name.span)
        };
        if let TypeKind::Named(_, Some((_, Some(unit)))) = &present(&decl.ty).kind {
            field.form.utf16 = &*unit.text == "utf16";
        }
        self.read_marks(&mut field, &decl.marks);
        if field.form.form == WireForm::Nested && !self.are_referred_to(&field.ty) {
            // Parts stand in their records anyway: only where a reference stands in an object is there something to say.
            let of = self.show(&field.ty);
            self.no_mark(&["nested"], decl.name.span, &format!("says nothing about {of}"));
        }
        // Its key is an expression, and read with those.
        if decl.value.as_ref().is_some_and(|value| !matches!(value.kind, ExprKind::Error)) {
            field.meta = Some(Meta { keys: Vec::new() });
        }
        let n = FieldId(u32::try_from(self.program.entity(id).fields.len()).unwrap_or(u32::MAX));
        if decl.value.is_some() || decl.marks.iter().any(|mark| mark.when.is_some() || mark.value.is_some()) {
            self.conditions.push(Condition { entity: id, field: n, inside, decl: decl.clone() });
        }
        self.program.entities[id.0 as usize].fields.push(field);
    }

    /// Tells of a field whose values no record can hold.
    fn has_a_form(&mut self, ty: &Type, decl: &FieldDecl) {
        let is_by = matches!(present(&decl.ty).kind, TypeKind::PriceBy(_));
        let mut one = ty.present();
        while let Some(element) = one.element() {
            one = element.present();
        }
        let help = match one {
            Type::Price if !is_by => {
                "a field holds one amount: `net`, `gross`, or `price by FIELD`, where a VAT code or a setting says which"
            }
            Type::Duration => "a field holds a count of them, such as `days: int`, or an `instant`",
            _ => return,
        };
        let message = format!("`{}` is {}, which no record holds", decl.name.text, self.show(ty));
        self.say(&codes::TYPE_MISMATCH, decl.ty.span, message, help);
    }

    /// Whether these records are referred to: they stand alone in their API.
    fn are_referred_to(&mut self, ty: &Type) -> bool {
        match ty.present().element().map_or(ty.present(), Type::present) {
            Type::Record(entity) => self.entity(*entity).stands_alone(),
            _ => true,
        }
    }

    /// The habits of an API: `limits minute 60, day 5000` becomes `limits.minute` and `limits.day`.
    pub(crate) fn read_connector(&mut self, decl: &ast::Connector) {
        let mut connector = Connector {
            name: Arc::clone(&decl.name.text),
            page: 100,
            url_max: 2000,
            values_max: 100,
            ..Connector::default()
        };
        for clause in &decl.clauses {
            let words: Vec<String> = clause.words.iter().map(word_text).collect();
            let words: Vec<String> = words.into_iter().filter(|w| w != "=").collect();
            let Some((head, rest)) = words.split_first() else { continue };
            let said: Vec<(String, String)> = match rest {
                [] => vec![(head.clone(), String::new())],
                [value] => vec![(head.clone(), value.clone())],
                _ => rest
                    .split(|w| w == ",")
                    .map(|part| match part {
                        [only] => (head.clone(), only.clone()),
                        [name, values @ ..] => (format!("{head}.{name}"), values.join(" ")),
                        [] => (head.clone(), String::new()),
                    })
                    .collect(),
            };
            for (name, value) in &said {
                self.is_habit(clause.span, name, value);
            }
            connector.words.extend(said);
        }
        let number = |c: &Connector, name: &str| c.word(name).and_then(|v| v.parse().ok());
        connector.page = number(&connector, "page").unwrap_or(connector.page);
        connector.url_max = number(&connector, "url_max").unwrap_or(connector.url_max);
        connector.values_max = number(&connector, "values_max").unwrap_or(connector.values_max);
        connector.zone = connector.word("wall_clock").unwrap_or("UTC").into();
        self.program.connectors.push(connector);
    }

    /// Reports what nobody reads of a connector, or reads otherwise.
    fn is_habit(&mut self, span: Span, name: &str, value: &str) {
        match HABITS.iter().find(|(habit, _)| *habit == name) {
            None => {
                let message = format!("`{}` says nothing about a connector", name.replace('.', " "));
                let names: Vec<String> =
                    HABITS.iter().map(|(habit, _)| format!("`{}`", habit.replace('.', " "))).collect();
                self.say(&codes::MISPLACED, span, message, format!("it has {}", names.join(", ")));
            }
            Some((_, true)) if value.parse::<u32>().is_err() => {
                let message = format!("`{}` needs a whole number", name.replace('.', " "));
                self.say(&codes::MISPLACED, span, message, "write it in digits");
            }
            Some(_) => {}
        }
    }

    /// The field of a part that is always there and has this name, or is called so: `billing.phone`.
    fn field_of_part(&mut self, id: EntityId, name: &str) -> Option<String> {
        let parts: Vec<(Arc<str>, EntityId)> = self
            .entity(id)
            .fields
            .iter()
            .filter_map(|field| match field.ty {
                Type::Record(part) => Some((Arc::clone(&field.name), part)),
                _ => None,
            })
            .collect();
        parts.into_iter().find_map(|(field, part)| {
            let part = self.entity(part);
            let meant = part.fields.iter().find(|inner| *inner.name == *name || inner.is_called(name));
            meant.filter(|_| !is_reference(part)).map(|inner| format!("{field}.{}", inner.name))
        })
    }

    /// The field of an entity by name; a report with the nearest where there is none.
    /// The list of an entity's further entries, each with a name and a value.
    pub(crate) fn entries_field(&mut self, id: EntityId) -> Option<FieldId> {
        let lists = self.entity(id).fields.iter().enumerate().filter_map(|(n, field)| {
            let Type::Record(entry) = field.ty.present().element()?.present() else { return None };
            Some((FieldId(u32::try_from(n).ok()?), *entry))
        });
        let lists: Vec<(FieldId, EntityId)> = lists.collect();
        lists.into_iter().find(|(_, entry)| self.entity(*entry).entry.is_some()).map(|(list, _)| list)
    }

    /// The same; one that has none is told.
    pub(crate) fn entries_of(&mut self, id: EntityId, span: Span) -> Option<FieldId> {
        let list = self.entries_field(id);
        if list.is_none() {
            let message = format!("{} has no further entries", self.program.entity(id).full_name());
            let help = "`meta` reads a list whose elements say `entry KEY VALUE` in their schema";
            self.say(&codes::UNKNOWN_FIELD, span, message, help);
        }
        list
    }

    /// The field of that name, else it is told.
    pub(crate) fn field_named(&mut self, id: EntityId, name: &str, span: Span) -> Option<FieldId> {
        if let Some(field) = self.entity(id).field(name) {
            let declared = self.entity(id).get(field).span;
            self.means(span, declared);
            return Some(field);
        }
        let part = self.field_of_part(id, name);
        let entity = self.program.entity(id);
        let names: Vec<String> = entity.fields.iter().map(|f| f.name.to_string()).collect();
        let called = entity.fields.iter().find(|f| f.is_called(name)).map(|f| f.name.to_string());
        let full = entity.full_name();
        let message = format!("{full} has no field `{name}`");
        let declared = entity.span;
        let mut d = Diagnostic::new(&codes::UNKNOWN_FIELD, span, message)
            .label("not in the schema")
            .related(declared, "the schema is here");
        d = match called.or_else(|| crate::check::resolve::suggest::hint(name, names)).or(part) {
            Some(near) => d.help(format!("did you mean `{near}`?")).fix(format!("use `{near}`"), span, near),
            None => {
                d.help(format!("`flowc fields {full}` lists its fields; declare a field of your own with `extend`"))
            }
        };
        self.report(d);
        None
    }
}

/// Whether that word of a clause stands in quotes.
/// Whether an entity's fields are what another has too: it may stand in its place.
pub(crate) fn is_view_of(view: &Entity, other: &Entity) -> bool {
    !view.fields.is_empty()
        && view.fields.iter().all(|f| other.field(&f.name).is_some_and(|id| fits_view(&other.get(id).ty, &f.ty)))
}

/// What is absent there may be absent here.
fn fits_view(there: &crate::ir::Type, here: &crate::ir::Type) -> bool {
    there.present() == here.present() && (here.is_optional() || !there.is_optional())
}

/// A reference: the entity stands alone in its API.
pub(crate) fn is_reference(entity: &Entity) -> bool {
    entity.stands_alone()
}

impl Checker<'_> {
    /// The entity, its fields read.
    pub(crate) fn entity(&mut self, id: EntityId) -> &Entity {
        self.read_entity(id);
        self.program.entity(id)
    }
}

impl Checker<'_> {
    /// Marks that speak of other fields: currency and price.
    fn read_relations(&mut self, id: EntityId, inside: InstanceId, decl: &FieldDecl) {
        let Some(n) = self.program.entity(id).field(&decl.name.text) else { return };
        if let Some(path) = &decl.currency {
            let currency = self.currency_of(id, path);
            self.field_mut(id, n).currency = currency;
        }
        if let TypeKind::PriceBy(path) = &crate::check::types::written::present(&decl.ty).kind {
            let by = self.price_by(id, inside, path);
            self.field_mut(id, n).price_by = by;
        }
        for mark in &decl.marks {
            let words: Vec<String> = mark.words.iter().map(word_text).collect();
            if let [stands, within, way] = words.as_slice()
                && (stands.as_str(), within.as_str()) == ("stands", "in")
                && self.program.entity(id).get(n).ty.present().is_text()
            {
                let place = self.stands_in(id, way);
                if place.is_none() {
                    let why = format!("leads to no text of lines of {}", self.program.entity(id).full_name());
                    self.no_mark(&["stands", "in", way], mark.span, &why);
                }
                self.field_mut(id, n).stands_in = place;
            }
        }
        self.read_kind(id, n, decl);
    }

    /// `stands in LINES.FIELD`: a list of records with an address of their own, which name the record that they are lines of.
    fn stands_in(&mut self, id: EntityId, way: &str) -> Option<StandsIn> {
        let (list, member) = way.split_once('.')?;
        let list = self.program.entity(id).get(self.program.entity(id).field(list)?).clone();
        let line = list.ty.present().element()?.record()?;
        let line = self.entity(line);
        let member = line.get(line.field(member)?);
        let back = line.fields.iter().find(|field| *field.ty.present() == Type::Record(id))?;
        member.ty.present().is_text().then_some(StandsIn {
            list: list.wire,
            member: Arc::clone(&member.wire),
            back: Arc::clone(&back.wire),
            route: Arc::clone(line.route.as_ref()?),
        })
    }

    /// `of Type "sales"`: the field and its values are those of the records that are referred to.
    fn read_kind(&mut self, id: EntityId, n: FieldId, decl: &FieldDecl) {
        let field = self.program.entity(id).get(n);
        let Some((by, values)) = field.of.clone() else { return };
        let (Type::Code(other) | Type::Record(other)) = *field.ty.present() else { return };
        let span = decl.marks.iter().find(|m| m.words.first().is_some_and(|w| word_text(w) == "of")).map(|m| m.span);
        let span = span.unwrap_or(decl.name.span);
        self.read_entity(other);
        let Some(by) = self.field_named(other, &by, span) else { return };
        let known = match self.program.entity(other).get(by).ty.present() {
            Type::Enum(known) => known.clone(),
            _ => return self.no_mark(&["of"], span, "wants a field that is an enumeration"),
        };
        if let Some(unknown) = values.iter().find(|value| known.values.iter().all(|v| v.code != **value)) {
            self.no_mark(&["of", unknown], span, "names a value that the enumeration does not have");
        }
    }

    pub(crate) fn field_mut(&mut self, id: EntityId, field: FieldId) -> &mut Field {
        &mut self.program.entities[id.0 as usize].fields[field.0 as usize]
    }

    /// `in Currency`, `in parent.Currency`, `in order.currency`: a field beside it, of the record that it is a part of, or of
    /// a record that it refers to.
    pub(crate) fn currency_of(&mut self, id: EntityId, path: &ast::Path) -> Option<Currency> {
        match path.parts.as_slice() {
            [name] => self.field_named(id, &name.text, name.span).map(Currency::Here),
            [above, name] if *above.text == *"parent" => Some(Currency::Above(Arc::clone(&name.text))),
            [beside, name] if self.refers(id, &beside.text).is_some() => {
                let other = self.refers(id, &beside.text)?;
                self.field_named(other, &name.text, name.span)?;
                Some(Currency::Above(Arc::clone(&name.text)))
            }
            _ => {
                let message =
                    "a currency stands in a field beside the amount, or in a record that it is a part of or refers to";
                self.say(&codes::MISPLACED, path.span, message, "write `in Currency` or `in parent.Currency`");
                None
            }
        }
    }

    /// The entity of the records that this field refers to.
    pub(crate) fn refers(&self, id: EntityId, field: &str) -> Option<EntityId> {
        let entity = self.program.entity(id);
        entity.get(entity.field(field)?).ty.record()
    }

    /// `price by VATCode`, `price by Item.SalesVatCode`, `price by TaxSettings.prices_include_tax`: a code that stands beside
    /// the price or in a record that it refers to, or a setting of the system.
    fn price_by(&mut self, id: EntityId, inside: InstanceId, path: &ast::Path) -> Option<PriceBy> {
        let (last, before) = path.parts.split_last()?;
        let refers = before.first().is_some_and(|first| self.entity(id).field(&first.text).is_some());
        if let ([table], false) = (before, refers) {
            return self.price_by_setting(inside, table, last);
        }
        let mut way = Vec::new();
        let mut owner = id;
        for name in before {
            let field = self.field_named(owner, &name.text, name.span)?;
            let Some(other) = self.refers(owner, &name.text) else {
                let message = format!("`{}` refers to no record, so there is no code in it", name.text);
                self.say(&codes::MISPLACED, name.span, message, BY_WHAT);
                return None;
            };
            way.push((owner, field));
            owner = other;
        }
        let by = self.field_named(owner, &last.text, last.span)?;
        let ty = self.program.entity(owner).get(by).ty.clone();
        if !matches!(ty.present(), Type::Code(_) | Type::Unknown) {
            let message =
                format!("`{}` is {}; only a code decides whether a price is net or gross", last.text, self.show(&ty));
            self.say(&codes::MISPLACED, last.span, message, "name the field that holds the VAT code");
            return None;
        }
        way.push((owner, by));
        Some(PriceBy::Code(way))
    }

    /// The one row of a table of settings, and the field that is yes where prices are with tax.
    fn price_by_setting(&mut self, inside: InstanceId, table: &ast::Name, name: &ast::Name) -> Option<PriceBy> {
        let path = ast::Path { parts: vec![table.clone()], span: table.span };
        let Some(TypeItem::Entity(settings)) = self.named_type(inside, &path) else { return None };
        let field = self.field_named(settings, &name.text, name.span)?;
        let entity = self.program.entity(settings);
        if !entity.read_whole() || entity.key.is_some() || entity.get(field).ty != Type::Bool {
            let message = format!("`{}.{}` is no setting that is yes or no", table.text, name.text);
            self.say(&codes::MISPLACED, name.span, message, BY_WHAT);
            return None;
        }
        Some(PriceBy::Setting(settings, field))
    }
}

/// What a price may be net or gross by.
const BY_WHAT: &str = "write `price by VATCode`, the way to a code, `price by Item.SalesVatCode`, or a setting of the system that is yes where prices are with tax, `price by TaxSettings.prices_include_tax`";
