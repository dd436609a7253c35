//! The registry of diagnostics: each code once, never reused, each with a page for `flowc explain`.

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It can't run.
    Error,
    /// It runs, and probably not as meant.
    Warning,
}

impl Severity {
    /// The word that people and programs see.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A kind of diagnostic.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `F0101`.
    pub id: &'static str,
    /// The rule in one line.
    pub title: &'static str,
    /// How much it matters.
    pub severity: Severity,
}

/// The registered code of that name.
pub fn code(id: &str) -> Option<&'static Code> {
    REGISTRY.iter().copied().find(|code| code.id.eq_ignore_ascii_case(id))
}

/// Declares the codes and the registry together, so that none can be forgotten.
macro_rules! codes {
    ($($name:ident = $id:literal $severity:ident $title:literal;)*) => {
        $(#[doc = $title] pub static $name: Code = Code { id: $id, title: $title, severity: Severity::$severity };)*
        /// All codes, in the order of their numbers.
        pub static REGISTRY: &[&Code] = &[$(&$name),*];
        /// The page of a code: its story, a wrong and a right example.
        pub fn page(code: &Code) -> &'static str {
            match code.id {
                $($id => include_str!(concat!("codes/", $id, ".md")),)*
                _ => "",
            }
        }
    };
}

codes! {
    SYNTAX = "F0001" Error "this is not a statement of the language";
    UNCLOSED = "F0002" Error "a bracket or a text is opened and never closed";
    STRAY_CLOSER = "F0003" Error "a bracket is closed that was never opened";
    TOO_DEEP = "F0004" Error "brackets are nested too deep";
    BAD_TEXT = "F0005" Error "a text holds something that it can't";
    UNREADABLE = "F0006" Error "a file can't be read";
    BAD_LITERAL = "F0007" Error "a number, date or rate is malformed";
    MISPLACED = "F0008" Error "a declaration or statement stands where it has no meaning";

    UNKNOWN_NAME = "F0101" Error "a name that nothing declares";
    UNKNOWN_FIELD = "F0102" Error "a field that the schema does not have";
    UNKNOWN_SETTING = "F0103" Error "a setting that the flow does not ask";
    UNKNOWN_TYPE = "F0104" Error "a type or an entity that does not exist";
    UNKNOWN_MODULE = "F0105" Error "a `use` of something that is not there";
    UNKNOWN_FUNCTION = "F0106" Error "a function that nothing declares";
    DECLARED_TWICE = "F0107" Error "one name is declared twice";
    AMBIGUOUS = "F0108" Error "a name could mean two things";
    CYCLE = "F0109" Error "declarations that need each other without end";
    UNANSWERED = "F0110" Error "a setting without a default that the project does not answer";
    UNUSED = "F0111" Warning "something is declared and never used";
    HIDDEN = "F0112" Error "a value has the name of another value";

    TYPE_MISMATCH = "F0201" Error "a value of one type where another is wanted";
    OPTIONAL_AS_PRESENT = "F0202" Error "a value that may be absent is used as if it were there";
    ARGUMENTS = "F0203" Error "a call with other arguments than its declaration";
    BAD_OPERANDS = "F0204" Error "an operator between types that it does not join";
    MONEY_KINDS = "F0205" Error "amounts of different kinds are mixed";
    UNKNOWN_VALUE = "F0206" Error "a value that the enumeration does not have";
    WRONG_ENTITY = "F0207" Error "a reference to the wrong kind of entity";
    TEXT_TOO_LONG = "F0208" Error "a text is surely longer than its field";
    TEXT_MAY_BE_TOO_LONG = "F0209" Error "a text of unknown length goes into a field with a limit";
    NEEDLESS = "F0210" Warning "something is said that changes nothing";
    MATCH_NOT_COVERED = "F0211" Error "a `match` leaves a case open";
    PRICE_NEEDS_BOTH = "F0212" Error "a price whose kind the ledger decides is given one amount only";
    MUST_ROUND = "F0213" Error "an amount of unlimited decimals goes into a field with a fixed number";
    NO_RESULT = "F0214" Error "a calculation of literals that has no result";

    REQUIRED_NOT_FILLED = "F0301" Error "a required field is never filled";
    READ_ONLY_FILLED = "F0302" Error "a field that the system computes is filled";
    CREATE_ONLY_UPDATED = "F0303" Error "a field that can't change is filled outside `on create`";
    FILLED_TWICE = "F0304" Error "a field is filled twice";
    NO_HEADER = "F0305" Error "a mapping does not say when it creates or updates";
    KEY_NOT_SEARCHABLE = "F0306" Error "a key that the system can't be searched by";
    KEY_NOT_WRITTEN = "F0307" Error "a key that the mapping does not fill: every run would create again";
    NOT_WRITABLE = "F0308" Error "an entity that the system only lets read";
    BALANCE_FIELD = "F0309" Error "`balance` of a field that the system does not compute";
    AMOUNT_UNUSED = "F0310" Warning "an amount of the source that no field uses";
    NO_PLACE_FOR_IT = "F0311" Error "`it`, `was`, `keep` or `base` where there is none";
    KEY_CONSTANT = "F0312" Error "a key that is the same for every record";
    LARGE_TABLE = "F0313" Error "all rows of a table that may be large";
    WRITE_ONLY_READ = "F0314" Error "a field is read that the API never shows";
    KEY_CUT = "F0315" Error "a key that is cut";
    CURRENCY_NOT_FILLED = "F0316" Warning "amounts are filled, and the field of their currency is not";
    AMOUNT_TWICE = "F0317" Error "an amount of the source that is counted twice";

    LOOKUP_ROW_UNREACHABLE = "F0401" Error "a row of a lookup that can never match";
    LOOKUP_ROWS_OVERLAP = "F0402" Error "two rows of a lookup overlap undecidedly";
    LOOKUP_NOT_COVERED = "F0403" Error "a lookup over a closed type leaves a value out";
    LOOKUP_ROW_SHAPE = "F0404" Error "a row of a lookup has other columns than its keys";
    LOOKUP_CSV = "F0405" Error "a table in a CSV file does not fit its lookup";

    FLOW_SHAPE = "F0501" Error "a flow that does not say what it writes, or when";
    FILTER_NOT_SENT = "F0502" Warning "a filter is evaluated here though the system could do it";
    CHECK_FAILS = "F0503" Error "a check over settings alone does not hold";
    SECRET_IN_FLOW = "F0504" Error "a secret is written into a flow file";
    PROJECT_SHAPE = "F0505" Error "a project lacks its edition, its zone or a connection";
    ADAPT_MISSES = "F0506" Error "an `adapt` of something that is not there";
    NOT_CARRIED_OUT = "F0507" Error "a form of the language that nothing carries out yet";
    CONNECT_ENTRY = "F0508" Error "a connection that its system could not be reached with";
    SCRIPT = "F0509" Error "a function in rhai that its file does not hold";
    ONE_KEY_TWICE = "F0510" Warning "two flows that can write one record under one key";
    ADAPT_THERE = "F0511" Error "an `add` of a field that is filled already";
    ADAPT_TWICE = "F0512" Error "two changes of one thing";
    SEALED = "F0513" Error "a change of something that is sealed";
    ADAPT_DROPS = "F0514" Warning "a `where` that drops the default's conditions";

    CODE_MISSING = "F0601" Error "a code that the system does not have";
    CODE_BLOCKED = "F0602" Error "a code that may not be used any more";
    CODE_KIND = "F0603" Error "a code of another kind than its field takes";
    CODE_RATE = "F0604" Error "a tax code with another rate than its row says";
    PULLED = "F0605" Error "a file in `schema/` that `flowc schema pull` has not written so";
    ENTRY_UNSEEN = "F0606" Warning "a further entry that no record was seen to have";
}
