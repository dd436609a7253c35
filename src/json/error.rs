//! What is wrong with a piece of JSON, and where it stands.

/// Characters of a value that a reason shows.
const SHOWN: usize = 80;

/// Why a piece of JSON is not what is wanted there: what is wrong, with the way to it and its value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct DecodeError {
    pub(crate) path: String,
    /// What is wrong; its value stands where `{}` stands.
    problem: String,
    pub(crate) value: Option<String>,
    /// It is no JSON, so that nothing behind it can be read either.
    pub(crate) broken: bool,
}

/// What is decoded, or why it cannot be.
pub(crate) type Decoded<T> = Result<T, Box<DecodeError>>;

impl DecodeError {
    /// Without the value.
    pub(crate) fn new(problem: impl Into<String>) -> Box<Self> {
        Box::new(Self { path: String::new(), problem: problem.into(), value: None, broken: false })
    }

    /// It is no JSON at all.
    pub(crate) fn broken(problem: impl Into<String>) -> Box<Self> {
        let mut bad = Self::new(problem);
        bad.broken = true;
        bad
    }

    /// With the value, which stands in the words where `{}` does.
    pub(crate) fn value(problem: impl Into<String>, value: &str) -> Box<Self> {
        let mut bad = Self::new(problem);
        bad.value = Some(value.chars().take(SHOWN).collect());
        bad
    }

    /// What is wrong, in words.
    pub(crate) fn told(&self) -> String {
        match &self.value {
            Some(value) => self.problem.replacen("{}", value, 1),
            None => self.problem.clone(),
        }
    }

    /// With nothing told of its value: it is masked by `mask`.
    pub(crate) fn masked(mut self: Box<Self>, mask: impl Fn(&str) -> String) -> Box<Self> {
        self.value = self.value.map(|value| mask(&value));
        self
    }

    /// As a part of what has that name, or of an element: `[2]`.
    pub(crate) fn within(mut self: Box<Self>, name: &str) -> Box<Self> {
        self.path = match self.path.chars().next() {
            None => name.to_owned(),
            Some('[') => format!("{name}{}", self.path),
            Some(_) => format!("{name}.{}", self.path),
        };
        self
    }
}
