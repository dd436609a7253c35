//! The decisions, case by case.

use super::draft::decide;
use super::owner::Owner;
use super::step::{Facts, Step};
use crate::engine::values::body::Settled;
use crate::eval::{Action, BalanceDue, Draft, DraftField, FieldWhen, MadeBy, OnSourceChange, Pending};
use crate::ir::{
    Access, Entity, EntityId, Field, FieldId, Kind, MappingId, Overwrite, Program, Required, Stop, Type, Verb,
};
use crate::source::{FileId, Span};
use crate::store::{FieldHash, Link, LinkKey, Target};

pub(crate) fn span() -> Span {
    Span::new(FileId(0), 0, 0)
}

pub(crate) fn field(name: &str, ty: Type, access: Access) -> Field {
    Field { access, ..Field::new(name.into(), ty, span()) }
}

pub(crate) fn program() -> Program {
    let fields = vec![
        field("ID", Type::Guid, Access::ReadOnly),
        field("Name", Type::Text(None), Access::Free),
        field("Phone", Type::Text(None).optional(), Access::Free),
        field("Journal", Type::Text(None), Access::CreateOnly),
        field("AmountFC", Type::Money(Kind::Gross), Access::ReadOnly),
        Field { write_only: true, ..field("Secret", Type::Text(None).optional(), Access::Free) },
    ];
    let account = Entity {
        route: Some("crm/Accounts".into()),
        key: Some(FieldId(0)),
        total: Some(FieldId(4)),
        fields,
        ..Entity::new("exact".into(), "Account".into(), span())
    };
    Program { entities: vec![account], ..Program::default() }
}

pub(crate) fn filled(number: u32, name: &str, json: &str) -> DraftField {
    DraftField {
        path: [name.into()].into(),
        field: FieldId(number),
        json: json.into(),
        when: FieldWhen::Always,
        place: span(),
    }
}

pub(crate) fn draft(action: Action) -> Draft {
    Draft {
        made: MadeBy { mapping: MappingId(0), name: "customers.person".into() },
        connection: "books".into(),
        entity: EntityId(0),
        action,
        linked_to: Some((EntityId(0), "7".into())),
        keys: Vec::new(),
        fields: vec![filled(1, "Name", "\"Ann\""), filled(2, "Phone", "\"020\"")],
        refers_to: Vec::new(),
        follows: None,
        waits_for: None,
        balance: None,
        shares: Vec::new(),
        overwrite: (Overwrite::Changed, None),
        on_change: OnSourceChange::Alert,
        place: span(),
    }
}

fn found(row: &str, ours: bool) -> Action {
    Action::Found { id: "A".into(), ours, row: row.into() }
}

/// A link by which this was written last.
fn link(fields: &[(&str, &str)]) -> Link {
    let fields = fields.iter().map(|(f, v)| FieldHash { field: (*f).to_owned(), hash: hash(v) }).collect();
    let [connection, mapping, entity, key] =
        ["shop", "customers.person", "woocommerce.Customer", "7"].map(str::to_owned);
    Link {
        source: LinkKey { connection, mapping, entity, key },
        target: Target { connection: "books".into(), entity: "exact.Account".into(), id: "A".into() },
        fields,
        carried: None,
        agreed: true,
        children: Vec::new(),
    }
}

fn hash(text: &str) -> String {
    format!("#{text}")
}

fn decided(draft: &Draft, verb: &Verb, link: Option<&Link>) -> Step {
    decide(&Facts {
        program: &program(),
        draft,
        verb,
        link,
        owner: None,
        settled: &[Some(Settled { id: "P".into(), number: false, created: true }), None],
        remembers: draft.linked_to.is_some(),
        is_late: false,
        source_is_new: true,
        hash: &hash,
    })
}

/// What is sent of an update; none where nothing is.
fn sent(step: &Step) -> Option<&str> {
    match step {
        Step::Update { body, .. } | Step::Create { body, .. } => Some(body),
        _ => None,
    }
}

#[test]
fn a_create_sends_what_is_filled_with_the_keys_of_others() {
    let mut one = draft(Action::Create);
    one.fields.push(filled(2, "Fax", "null"));
    one.fields.push(DraftField { when: FieldWhen::Update, ..filled(2, "Later", "1") });
    one.fields.push(filled(3, "Parent", &Pending::mark(0, "exact.Account")));
    let step = decided(&one, &Verb::Upsert, None);
    assert_eq!(sent(&step), Some(r#"{"Name":"Ann","Phone":"020","Parent":"P"}"#));
    one.fields.push(filled(3, "Other", &Pending::mark(1, "exact.Account")));
    assert!(matches!(decided(&one, &Verb::Upsert, None), Step::Stop { stop: Stop::Wait, .. }));
    assert!(matches!(decided(&draft(Action::Create), &Verb::Update, None), Step::Stop { stop: Stop::Fail, .. }));
}

#[test]
fn after_a_new_one_nothing_can_be_there() {
    assert!(matches!(decided(&draft(Action::After(0)), &Verb::Upsert, None), Step::Create { .. }));
    assert!(matches!(decided(&draft(Action::After(1)), &Verb::Upsert, None), Step::Stop { stop: Stop::Wait, .. }));
}

#[test]
fn what_an_update_may_touch() {
    let row = r#"{"ID":"A","Name":"Bob","Phone":null}"#;
    let wrote_both = link(&[("Name", "\"Ann\""), ("Phone", "\"020\"")]);
    let wrote_others = link(&[("Name", "\"Old\""), ("Phone", "\"010\"")]);
    let cases = [
        (Overwrite::Nothing, Some(&wrote_others), None),
        (Overwrite::Empty, Some(&wrote_others), Some(r#"{"Phone":"020"}"#)),
        (Overwrite::All, Some(&wrote_both), Some(r#"{"Name":"Ann","Phone":"020"}"#)),
        // A person's edit survives: the source says what it said when we wrote last.
        (Overwrite::Changed, Some(&wrote_both), None),
        (Overwrite::Changed, Some(&wrote_others), Some(r#"{"Name":"Ann","Phone":"020"}"#)),
    ];
    for (overwrite, link, expected) in cases {
        let one = Draft { overwrite: (overwrite, None), ..draft(found(row, true)) };
        assert_eq!(sent(&decided(&one, &Verb::Upsert, link)), expected, "{overwrite:?}");
    }
    let only_name = Draft { overwrite: (Overwrite::All, Some(vec!["Name".into()])), ..draft(found(row, true)) };
    assert_eq!(sent(&decided(&only_name, &Verb::Upsert, Some(&wrote_both))), Some(r#"{"Name":"Ann"}"#));
}

/// What stands in it nobody knows: it is sent again when it is another one than the last.
#[test]
fn what_is_never_shown_is_sent_when_it_has_changed() {
    for overwrite in [Overwrite::Empty, Overwrite::All, Overwrite::Changed] {
        let mut one = Draft { overwrite: (overwrite, None), ..draft(found(r#"{"ID":"A"}"#, true)) };
        one.fields = vec![filled(5, "Secret", "\"new\"")];
        let of = |last: &str| decided(&one, &Verb::Upsert, Some(&link(&[("Secret", last)])));
        assert_eq!(sent(&of("\"new\"")), None, "{overwrite:?}");
        assert_eq!(sent(&of("\"old\"")), Some(r#"{"Secret":"new"}"#), "{overwrite:?}");
    }
}

#[test]
fn a_copy_of_others_is_adopted_as_it_is() {
    let row = r#"{"ID":"A","Name":"Bob","Phone":null}"#;
    assert!(matches!(decided(&draft(found(row, false)), &Verb::Upsert, None), Step::Adopt { .. }));
    // What a mapping says with `update` is to stand there.
    let step = decided(&draft(found(row, false)), &Verb::Update, None);
    assert_eq!(sent(&step), Some(r#"{"Name":"Ann","Phone":"020"}"#));
    let guest = Draft { linked_to: None, ..draft(found(row, false)) };
    assert!(matches!(decided(&guest, &Verb::Upsert, None), Step::Unchanged { .. }));
}

#[test]
fn two_records_with_one_key_are_not_one_document() {
    let program = program();
    let one = draft(found(r#"{"ID":"A","Name":"Ann"}"#, false));
    let facts = |owner| Facts {
        program: &program,
        draft: &one,
        verb: &Verb::CreateOnce,
        link: None,
        owner,
        settled: &[],
        remembers: true,
        is_late: false,
        source_is_new: true,
        hash: &hash,
    };
    assert!(matches!(decide(&facts(None)), Step::Adopt { .. }));
    let other = Owner { source: LinkKey { key: "1001".into(), ..link(&[]).source } };
    let Step::Stop { stop: Stop::Fail, reason, .. } = decide(&facts(Some(&other))) else { panic!("it is another's") };
    assert!(
        reason.contains("what woocommerce.Customer 1001 of shop became") && reason.contains("Account A"),
        "{reason}"
    );
}

/// One key may be enough to be the same: then one copy serves both, and stays as the first one made it.
#[test]
fn what_another_record_became_is_used_and_not_changed() {
    let program = program();
    let owner = Owner { source: LinkKey { key: "1001".into(), ..link(&[]).source } };
    let decided = |row: &str| {
        let one = draft(found(row, false));
        decide(&Facts {
            program: &program,
            draft: &one,
            verb: &Verb::Upsert,
            link: None,
            owner: Some(&owner),
            settled: &[],
            remembers: true,
            is_late: false,
            source_is_new: true,
            hash: &hash,
        })
    };
    let Step::Alert { reason, .. } = decided(r#"{"ID":"A","Name":"Bert","Phone":"020"}"#) else { panic!("it is told") };
    assert!(reason.contains("Customer 1001 of shop became") && reason.contains("another Name"), "{reason}");
    assert!(matches!(decided(r#"{"ID":"A","Name":"Ann","Phone":"020"}"#), Step::Unchanged { .. }));
}

/// A contact belongs to its account: one that another account has, under the same key, is not ours.
#[test]
fn a_copy_is_taken_over_only_if_its_owner_agrees() {
    let mut program = program();
    let mut parent = field("Parent", Type::Record(EntityId(0)), Access::Free);
    parent.required = Required::Yes;
    program.entities[0].fields.push(parent);
    let settled = |id: &str| [Some(Settled { id: id.into(), number: false, created: false })];
    let decided = |row: &str, verb: &Verb, settled: &[Option<Settled>]| {
        let mut one = draft(found(row, false));
        one.fields.push(filled(5, "Parent", &Pending::mark(0, "exact.Account")));
        decide(&Facts {
            program: &program,
            draft: &one,
            verb,
            link: None,
            owner: None,
            settled,
            remembers: true,
            is_late: false,
            source_is_new: true,
            hash: &hash,
        })
    };
    let row = r#"{"ID":"A","Name":"Ann","Phone":"020","Parent":"p1"}"#;
    for verb in [Verb::CreateOnce, Verb::Upsert] {
        assert!(matches!(decided(row, &verb, &settled("P1")), Step::Adopt { .. }), "{verb:?}");
        let Step::Stop { stop: Stop::Fail, reason, .. } = decided(row, &verb, &settled("P2")) else {
            panic!("{verb:?}: it is another's")
        };
        assert!(reason.contains("(A)") && reason.contains("Parent is p1 and not P2"), "{reason}");
        // The account is yet to be made: whatever is there belongs to another.
        let Step::Stop { stop: Stop::Fail, .. } = decided(row, &verb, &[None]) else { panic!("{verb:?}") };
        let unseen = decided(r#"{"ID":"A","Name":"Ann"}"#, &verb, &settled("P1"));
        assert!(matches!(unseen, Step::Stop { stop: Stop::Fail, .. }), "an owner that is not shown does not agree");
    }
}

#[test]
fn what_is_the_same_there_is_not_sent() {
    let row = r#"{"ID":"A","Name":"Ann ","Phone":"020"}"#;
    let wrote_others = link(&[("Name", "\"Old\""), ("Phone", "\"010\"")]);
    let step = decided(&draft(found(row, true)), &Verb::Upsert, Some(&wrote_others));
    let Step::Unchanged { hashes, .. } = step else { panic!("{step:?}") };
    assert_eq!(hashes[0].hash, hash("\"Ann\""));
}

#[test]
fn only_what_we_had_filled_is_cleared() {
    let row = r#"{"ID":"A","Name":"Ann","Phone":"020"}"#;
    let mut one = draft(found(row, true));
    one.fields[1].json = "null".to_owned();
    assert_eq!(sent(&decided(&one, &Verb::Upsert, Some(&link(&[("Name", "\"Ann\"")])))), None);
    let wrote = link(&[("Name", "\"Ann\""), ("Phone", "\"020\"")]);
    assert_eq!(sent(&decided(&one, &Verb::Upsert, Some(&wrote))), Some(r#"{"Phone":null}"#));
}

#[test]
fn fields_of_a_create_stay() {
    let row = r#"{"ID":"A","Name":"Bob","Phone":"010","Journal":"70"}"#;
    let mut one = draft(found(row, true));
    one.fields.push(filled(3, "Journal", "\"71\""));
    let wrote = link(&[("Name", "\"Old\""), ("Phone", "\"020\""), ("Journal", "\"70\"")]);
    assert_eq!(sent(&decided(&one, &Verb::Upsert, Some(&wrote))), Some(r#"{"Name":"Ann"}"#));
}

#[test]
fn a_create_once_is_left_adopted_or_followed() {
    let row = r#"{"ID":"A","Name":"Bob","Phone":"010","AmountFC":26.62}"#;
    let due = |amount: &str| {
        let amount = amount.parse().unwrap();
        Some(BalanceDue { field: "AmountFC".into(), amount, within: "0.01".parse().unwrap(), place: span() })
    };
    let of = |on_change, balance, ours| Draft { balance, on_change, ..draft(found(row, ours)) };
    let verb = Verb::CreateOnce;
    let wrote = link(&[("Name", "\"Old\""), ("Phone", "\"020\"")]);
    let same = link(&[("Name", "\"Ann\""), ("Phone", "\"020\"")]);
    let alert = OnSourceChange::Alert;
    assert!(matches!(decided(&of(alert.clone(), due("26.62"), false), &verb, None), Step::Adopt { .. }));
    assert!(matches!(decided(&of(alert.clone(), due("30"), false), &verb, None), Step::Stop { stop: Stop::Fail, .. }));
    let stranger = decided(&of(alert.clone(), due("30"), false), &Verb::Upsert, None);
    let Step::Stop { stop: Stop::Fail, reason, .. } = stranger else { panic!("{stranger:?}") };
    assert!(reason.contains("whose total is 26.62 and not 30; it is not ours"), "{reason}");
    assert!(matches!(decided(&of(alert.clone(), None, true), &verb, Some(&same)), Step::Unchanged { .. }));
    assert!(matches!(decided(&of(alert, None, true), &verb, Some(&wrote)), Step::Alert { .. }));
    let ignored = decided(&of(OnSourceChange::Ignore, None, true), &verb, Some(&wrote));
    assert!(matches!(ignored, Step::Unchanged { .. }));
    let instead = decided(&of(OnSourceChange::Write(3), None, true), &verb, Some(&wrote));
    assert!(matches!(instead, Step::Instead { draft: 3, .. }));
    let updated = decided(&of(OnSourceChange::Update, None, true), &verb, Some(&wrote));
    assert_eq!(sent(&updated), Some(r#"{"Name":"Ann"}"#));
}
