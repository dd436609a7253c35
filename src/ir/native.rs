//! Functions that the language has by itself: what they are called. The checker types them, the evaluator computes them.

/// Declares the natives and their names at once, so that none lacks either.
macro_rules! natives {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal,)*) => {
        /// A function that is computed in Rust.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Native { $($(#[doc = $doc])* $variant,)* }

        impl Native {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// What flows call it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The native of that name.
            pub fn by_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

natives! {
    /// Cut to the length of the field that it is for; `at: "word"` cuts at a blank.
    Fit = "fit",
    /// Without HTML: tags gone, entities resolved, white space folded.
    Plain = "plain",
    /// Only the digits.
    Digits = "digits",
    /// White space at both ends gone; absent when nothing is left.
    Trim = "trim",
    /// As a name is compared: in the composed form of Unicode, without characters that nobody sees, single blanks within and
    /// none at the ends; absent when nothing is left.
    Tidy = "tidy",
    /// The country whose code it is; absent when it is none's.
    CountryOf = "country",
    /// In upper case.
    Upper = "upper",
    /// In lower case.
    Lower = "lower",
    /// The first n characters.
    Take = "take",
    /// `t.replace("a", "b")`
    Replace = "replace",
    /// Whether it begins so.
    StartsWith = "starts_with",
    /// Whether it ends so.
    EndsWith = "ends_with",
    /// Whether it holds that.
    Contains = "contains",
    /// Split at a separator.
    Split = "split",
    /// Its length in characters.
    Length = "length",
    /// A postcode as its country writes it.
    Postcode = "postcode",
    /// Street, number and addition of an address line.
    Street = "street",
    /// The texts that are there, joined; absent when none is.
    Join = "join",
    /// Only what is there.
    Present = "present",
    /// Each only once, in order of first appearance.
    Distinct = "distinct",
    /// `xs.map(x => e)`
    Map = "map",
    /// `xs.where(x => c)`
    Where = "where",
    /// `xs.flat(x => ys)`
    Flat = "flat",
    /// `xs.chain((x, last) => e)`: what comes of the last element; each is given what came of the one before it.
    Chain = "chain",
    /// `xs.sorted()`, `xs.sorted(x => e)`: in the order of their values; what is alike stays in its order.
    Sorted = "sorted",
    /// `xs.any(x => c)`
    Any = "any",
    /// `xs.all(x => c)`
    All = "all",
    /// `xs.sum(x => e)`, `xs.sum()`
    Sum = "sum",
    /// How many.
    Count = "count",
    /// The first, where there is one.
    First = "first",
    /// The last, where there is one.
    Last = "last",
    /// The only one; none or two stop the record.
    Single = "single",
    /// The element of that number, from 0; none there stops the record.
    Nth = "nth",
    /// Whether there is none.
    IsEmpty = "is_empty",
    /// `max(a, b)`
    Max = "max",
    /// `min(a, b)`
    Min = "min",
    /// Without its sign.
    Abs = "abs",
    /// To n decimals, half away from zero.
    Round = "round",
    /// Down to a whole number.
    Floor = "floor",
    /// As a whole number; what is not whole stops the record.
    Int = "int",
    /// A number from a text; what is none stops the record.
    DecimalOf = "decimal",
    /// The calendar date of an instant in the project's zone.
    DateOf = "date",
    /// The record's day.
    Today = "today",
    /// The record's moment.
    Now = "now",
    /// An amount both ways: `price(net, tax)`.
    PriceOf = "price",
    /// An amount that carries no tax, of whatever kind is wanted.
    Untaxed = "untaxed",
    /// The tax on a net amount: `net.tax(21%)`.
    TaxOf = "tax",
    /// A gross amount without its tax: `gross.net(21%)`; of a price, its net amount.
    NetOf = "net",
    /// The gross amount of a price.
    GrossOf = "gross",
    /// A net amount with its tax.
    WithTax = "with_tax",
    /// An amount divided by weights, no cent lost: `amount.split(weights, 2)`.
    Share = "share",
    /// A number as a rate: `21.percent()`.
    PercentOf = "percent",
    /// Whether our store has a link of it.
    Linked = "linked",
    /// What a record's `meta_data` says under a key.
    MetaOf = "meta",
    /// What a document's lines come to as the ledger adds them: per VAT code, rounded per code.
    DocumentTotal = "document_total",
    /// The text or number that a piece of JSON is; absent when it is a list or an object.
    TextOf = "text",
    /// A value as JSON has it: what goes where JSON is wanted.
    JsonOf = "json",
    /// The first group that the pattern captures, in order; empty when it doesn't match.
    Capture = "capture",
}

impl Native {
    /// Whether it may stop the record, so that `??` recovers it.
    pub fn may_stop(self) -> bool {
        matches!(self, Self::Single | Self::Nth | Self::Int | Self::DecimalOf)
    }
}
