//! How each line of the language is written: the forms that a message shows.

use super::grammar::Rule;

/// Where junk was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Value,
    Item,
    Hole,
    Entry,
    Arm,
    Row,
    Case,
    Setting,
    EnumValue,
    Field,
    Clause,
    Parameter,
    Statement,
    FlowStatement,
    TestStatement,
    Tail,
}

/// What a place is called, what stands there, and an example.
pub(crate) struct Form {
    /// The rule that reads such a line alone.
    pub(crate) rule: Rule,
    /// What it is called.
    pub(crate) what: &'static str,
    /// How it is written.
    pub(crate) example: &'static str,
}

pub(crate) fn form(place: Place) -> Form {
    let (rule, what, example) = match place {
        Place::Value => (
            Rule::alone_value,
            "a value",
            "write a value: a text `\"…\"`, a number, a field `order.number`, a call `f(x)`, or `if … then … else …`",
        ),
        Place::Item => (
            Rule::alone_item,
            "a value",
            "separate values in brackets with commas; a list may hold `for x in xs: value`",
        ),
        Place::Hole => (
            Rule::alone_item,
            "a value",
            "write a value between `{` and `}`, `\"order {order.number}\"`, and the braces themselves as `\\{` and `\\}`",
        ),
        Place::Entry => {
            (Rule::alone_entry, "a field and its value", "write `name = value`, each on its own line or after a comma")
        }
        Place::Arm => {
            (Rule::alone_arm, "a case", "write `\"value\" => result`, `\"a\" | \"b\" => result`, or `else => result`")
        }
        Place::Row => (
            Rule::alone_row,
            "a row of the table",
            "write `\"NL\", 21% => \"4\"`, a cell for each key (`_` is any value, `in eu` a group), or `else => result`",
        ),
        Place::Case => (
            Rule::alone_case,
            "a case of the table",
            "write `\"NL\", 21%, \"4\"`, a value for each column, and before them a name if it should have one: `\"at home\": …`",
        ),
        Place::Setting => (
            Rule::alone_setting,
            "a setting",
            "write `name: type = default`; without a default the project must answer it",
        ),
        Place::EnumValue => {
            (Rule::alone_enum, "a value of the enumeration", "write `name`, or `name = 20` with its form on the wire")
        }
        Place::Field => {
            (Rule::alone_field, "a field", "write `Name: type  required, create only`, or `name: type = meta(\"key\")`")
        }
        Place::Clause => {
            (Rule::alone_clause, "a clause", "write words and values on one line: `page 60 by \"__next\"`")
        }
        Place::Parameter => (Rule::alone_param, "a parameter", "write `name: type`, as in `order: woo.Order`"),
        Place::Statement => (
            Rule::alone_stmt,
            "a statement of a mapping",
            "write `Field = value`, or begin the line with `create once by`, `upsert by`, `update by`, `on create`, `let`, `include`, `check`, `balance` or `then write`",
        ),
        Place::FlowStatement => (
            Rule::alone_flow,
            "a statement of a flow",
            "write `from E as x`, `where …`, `every 5 minutes`, `on webhook` or `write mapping(x)`",
        ),
        Place::TestStatement => (
            Rule::alone_test,
            "a statement of a test",
            "write `given x = E from \"file\"`, `let …`, `expect …` or `snapshot …`",
        ),
        Place::Tail => (
            Rule::alone_stmt,
            "a declaration",
            "begin a declaration on a line of its own, with its statements inside its `{ }`",
        ),
    };
    Form { rule, what, example }
}

/// Words that open statements, by where they belong.
pub(crate) const OF_FLOWS: [&str; 10] =
    ["from", "where", "every", "daily", "since", "per", "after", "watch", "once", "write"];
pub(crate) const OF_TESTS: [&str; 4] = ["given", "cases", "expect", "snapshot"];
pub(crate) const OF_MAPPINGS: [&str; 13] = [
    "create",
    "upsert",
    "update",
    "delete",
    "accept",
    "prefer",
    "overwrite",
    "include",
    "balance",
    "then",
    "set",
    "add",
    "remove",
];

/// What to do where a `check` is to be removed.
pub const CHECK_STAYS: &str =
    "answer the settings that the `check` asks, or change a function that it calls: `adapt fn orders.refunded = …`";

/// How the statement that a word opens is written.
pub(crate) fn shape(place: Place, word: &str) -> Option<&'static str> {
    Some(match (place, word) {
        (Place::Statement, "create") => "create once by FIELD` or `create unless CONDITION",
        (Place::Statement, "upsert") => "upsert by FIELD`, `upsert linked to x or by FIELD",
        (Place::Statement, "update") => "update by FIELD`, `update linked to x else skip \"why\"`, `update itself",
        (Place::Statement, "delete") => "delete linked to x while CONDITION else alert \"why\"",
        (Place::Statement, "accept") => "accept where CONDITION",
        (Place::Statement, "prefer") => "prefer FIELD = value` or `prefer newest FIELD",
        (Place::Statement, "overwrite") => "overwrite \"changed\"` or `overwrite \"all\" of [\"Name\", \"Phone\"]",
        (Place::Statement, "include") => "include part(order)",
        (Place::Statement, "balance") => "balance FIELD to AMOUNT within 0.01 each, rest in FIELD else fail \"why\"",
        (Place::Statement, "then") => "then write mapping(order, it)",
        (Place::Statement, "on") => "on create { … }`, `on update when CONDITION { … }`, `on change alert",
        (Place::Statement, "set") => "set FIELD = value",
        (Place::Statement, "add") => "add FIELD = value",
        (Place::Statement, "remove") => "remove FIELD",
        (Place::Statement | Place::FlowStatement, "check") => "check CONDITION else fail \"why\"",
        (Place::Statement | Place::FlowStatement | Place::TestStatement, "let") => "let name = value",
        (Place::FlowStatement, "from") => "from woo.Order as order",
        (Place::FlowStatement, "where") => "where CONDITION",
        (Place::FlowStatement, "every") => "every 5 minutes` or `daily at 02:00",
        (Place::FlowStatement, "daily") => "daily at 02:00",
        (Place::FlowStatement, "on") => "on webhook",
        (Place::FlowStatement, "since") => "since 2026-01-01",
        (Place::FlowStatement, "per") => "per order.number",
        (Place::FlowStatement, "watch") => "watch woo.Sellable as article per exact.Item(Code: article.sku)",
        (Place::FlowStatement, "once") => "once open = woo.Order.all(since: now() - 60 days)",
        (Place::FlowStatement, "after") => "after FLOW",
        (Place::FlowStatement, "write") => "write mapping(order)",
        (Place::FlowStatement, "set") => "set where = base and CONDITION",
        (Place::TestStatement, "given") => {
            "given x = E from \"file.json\"`, `given x = E { Field = value } linked to y`, `given settings { name = value }`, `given now = 2026-12-31T23:30:00Z"
        }
        (Place::TestStatement, "cases") => "cases (country: country, rate: percent) { … }",
        (Place::TestStatement, "expect") => "expect CONDITION`, `expect m(x) writes E`, `expect m(x) fails \"why\"",
        (Place::TestStatement, "snapshot") => "snapshot mapping(order)",
        _ => return None,
    })
}

/// The statement that a misspelt word is likely to be.
pub(crate) fn nearest_statement(place: Place, word: &str) -> Option<&'static str> {
    let words: &[&[&'static str]] = match place {
        Place::Statement => &[&OF_MAPPINGS, &["check", "let"]],
        Place::FlowStatement => &[&OF_FLOWS, &["check", "let"]],
        Place::TestStatement => &[&OF_TESTS, &["let"]],
        _ => return None,
    };
    let near = words.iter().copied().flatten().map(|known| (strsim::osa_distance(word, known), *known)).min()?;
    let far = if word.len() > 4 { 2 } else { 1 };
    (near.0 > 0 && near.0 <= far && word.len() > 2).then_some(near.1)
}

/// The form of each declaration's head, and the rule that reads it alone.
pub(crate) fn head_form(of: Rule) -> (&'static str, Option<Rule>) {
    match of {
        Rule::edition => ("edition 2026", None),
        Rule::zone => ("zone \"Europe/Amsterdam\"", None),
        Rule::run => ("run orders.orders, stock.stock", None),
        Rule::use_decl => {
            ("use exact`, `use flows.orders` or, for a file of yours, `use my_file", Some(Rule::alone_use))
        }
        Rule::connect => ("connect NAME to CONNECTOR { … }", Some(Rule::alone_connect)),
        Rule::answers => ("settings for FLOW { name = value }", None),
        Rule::settings => ("settings { name: type = default }", None),
        Rule::lookup => ("lookup NAME(key: type) -> type { … }", Some(Rule::alone_lookup)),
        Rule::enum_decl => ("enum Name { open = 20 }", None),
        Rule::entity => ("entity Name { … }", None),
        Rule::extend => ("extend woo.Order { … }", None),
        Rule::connector => ("connector NAME { … }", None),
        Rule::fn_decl => ("fn NAME(parameter: type) -> type = value", Some(Rule::alone_fn)),
        Rule::extern_decl => ("extern fn NAME(parameter: type) -> type in \"file.rhai\"", Some(Rule::alone_extern)),
        Rule::mapping => ("mapping NAME(parameter: type) -> ENTITY { … }", Some(Rule::alone_mapping)),
        Rule::fields => ("fields NAME(parameter: type) for ENTITY, ENTITY { … }", Some(Rule::alone_fields)),
        Rule::flow => ("flow NAME { … }", None),
        Rule::test => ("test \"what it shows\" { … }", None),
        Rule::adapt_lookup => ("adapt lookup tables.NAME { \"key\" => \"value\" }", Some(Rule::alone_names)),
        Rule::adapt_flow => ("adapt flow orders.NAME { … }", Some(Rule::alone_names)),
        Rule::adapt_fn => (
            "adapt fn orders.NAME = value`, without its parameters and its type, which stay as they are: `adapt fn orders.takes_default = no",
            Some(Rule::alone_names),
        ),
        Rule::adapt_mapping => {
            ("adapt mapping orders.NAME { … }` or `adapt fields orders.NAME { … }", Some(Rule::alone_names))
        }
        _ => ("adapt mapping`, `adapt fields`, `adapt fn`, `adapt flow` or `adapt lookup", None),
    }
}
