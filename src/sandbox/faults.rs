//! Standing orders to misbehave: which calls are hit, and by what.

use std::sync::{Mutex, PoisonError};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Number, Value};

use super::rows::RowFault;

/// What happens to a call that is hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The answer comes `ms` later.
    Delay,
    /// The connection ends before anything happened.
    DropBefore,
    /// The connection ends after the effect, without an answer.
    DropAfter,
    /// The connection ends at once, the effect comes `ms` later.
    EffectLate,
    /// `status` is answered and nothing happens.
    Status,
    /// The effect happens, the answer cannot be read.
    Garbage,
    /// The effect happens, the answer ends half-way.
    Truncate,
    /// The answer trickles over `ms`.
    SlowBody,
    /// The ledger's access tokens end before the call.
    ExpireToken,
    /// The ledger's refresh token is taken back before the call.
    RevokeRefresh,
    /// The calls of this minute are used up before the call.
    LimitMinute,
    /// The calls of this day are used up before the call.
    LimitDay,
    /// The effect happens; `text`, or a notice of the server's language, comes before the answer.
    Notice,
    /// The effect happens; `text`, or a comment, comes behind the answer.
    Tail,
    /// Lists are empty and count nothing.
    Empty,
    /// Lists leave these records out but count them; they may not be seen at their own address.
    Hide,
    /// The same, but at its own address there is no such record.
    Unloadable,
    /// The server dies when it shows one of these records: by itself, and with all others of its page.
    Poison,
    /// The server dies when it shows one of these records in a list.
    PoisonList,
    /// These records answer `status` for themselves, in the API's own words; without `ids` every call does.
    Refuse,
    /// Half a surrogate pair stands in these records.
    HalfPair,
    /// Bytes that are no UTF-8 stand in these records.
    BadBytes,
    /// A page of more than `rows` is refused.
    CapRefused,
    /// A page has no more than `rows`, without a word.
    CapSilent,
}

impl Kind {
    /// Whether it concerns rows of an answer, and not the call as a whole.
    fn is_of_rows(self) -> bool {
        matches!(
            self,
            Kind::Empty
                | Kind::Hide
                | Kind::Unloadable
                | Kind::Poison
                | Kind::PoisonList
                | Kind::Refuse
                | Kind::HalfPair
                | Kind::BadBytes
                | Kind::CapRefused
                | Kind::CapSilent
        )
    }
}

/// One standing order. Without `every`, `once` and `rate` it hits each call that it names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// `shop` or `ledger`.
    pub system: String,
    /// `GET`, `POST` …; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// `orders`, `salesorder/SalesOrders` …, or what stands before the slash; none: all but the token endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// What happens.
    pub kind: Kind,
    /// The records that are meant, by number or guid: calls whose address names one, or rows. None: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "ids")]
    pub ids: Vec<String>,
    /// Each n-th of the calls that it names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// `true`: the first of them; a number: that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub once: Option<Value>,
    /// A share of them, 0 to 1, chosen by `seed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Number>,
    /// Which of them a rate chooses.
    #[serde(default)]
    pub seed: u64,
    /// Milliseconds of `delay`, `effect_late`, `slow_body`, real ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
    /// The status of `status` and `refuse`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The rows of `cap_refused` and `cap_silent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// The words of `notice` and `tail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Ids are numbers in one system and texts in the other.
fn ids<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let values = Vec::<Value>::deserialize(from)?;
    let text = |value: Value| match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(serde::de::Error::custom(format!("an id is a number or a text, not {other}"))),
    };
    values.into_iter().map(text).collect()
}

impl Fault {
    /// The order that hits each call to a system.
    pub fn of(system: &str, kind: Kind) -> Self {
        Fault {
            system: system.to_owned(),
            method: None,
            resource: None,
            kind,
            ids: Vec::new(),
            every: None,
            once: None,
            rate: None,
            seed: 0,
            ms: None,
            status: None,
            rows: None,
            text: None,
        }
    }

    /// Reads what `--fault` takes: the JSON of one or several, or `kind:system` or `kind:system:rate`.
    ///
    /// # Errors
    /// What is wrong with it, and how it is written.
    pub fn parse(text: &str) -> Result<Vec<Fault>, String> {
        let text = text.trim();
        let faults: Vec<Fault> = if text.starts_with('[') {
            serde_json::from_str(text)
                .map_err(|error| format!("the list of faults `{text}` is not understood: {error}"))?
        } else if text.starts_with('{') {
            vec![serde_json::from_str(text).map_err(|error| format!("the fault `{text}` is not understood: {error}"))?]
        } else {
            vec![short(text)?]
        };
        faults.iter().try_for_each(Fault::check)?;
        Ok(faults)
    }

    /// Refuses what can hit nothing.
    ///
    /// # Errors
    /// Which member is wrong, and what it may be.
    pub fn check(&self) -> Result<(), String> {
        if !["shop", "ledger"].contains(&self.system.as_str()) {
            return Err(format!("a fault's `system` is `shop` or `ledger`, not `{}`", self.system));
        }
        if self.every == Some(0) {
            return Err("a fault's `every` is 1 or more".to_owned());
        }
        if self.rate.is_some() && self.threshold().is_none() {
            return Err("a fault's `rate` lies between 0 and 1".to_owned());
        }
        if self.status.is_some_and(|status| !(200..600).contains(&status)) {
            return Err("a fault's `status` is an HTTP status from 200 to 599".to_owned());
        }
        let caps = [Kind::CapRefused, Kind::CapSilent].contains(&self.kind);
        if caps && self.rows.is_none_or(|rows| rows == 0) {
            return Err("a cap needs its `rows`, 1 or more".to_owned());
        }
        if caps && self.system == "ledger" {
            return Err("the pages of the ledger have no cap that could be set: they have 60 rows, or 1000".to_owned());
        }
        Ok(())
    }

    /// The share as a bound for 32 random bits.
    fn threshold(&self) -> Option<u64> {
        let text = self.rate.as_ref()?.to_string();
        let rate: Decimal = text.parse().ok().or_else(|| Decimal::from_scientific(&text).ok())?;
        if rate < Decimal::ZERO || rate > Decimal::ONE {
            return None;
        }
        (rate * Decimal::from(1_u64 << 32)).to_u64()
    }

    /// Whether it concerns a call; of the records in its address one must be meant, unless it is about rows.
    fn names(&self, system: &str, method: &str, resource: &str, records: &[String]) -> bool {
        let meant = |id: &String| records.iter().any(|one| one.eq_ignore_ascii_case(id));
        if !self.kind.is_of_rows() && !self.ids.is_empty() && !self.ids.iter().any(meant) {
            return false;
        }
        if self.system != system || self.method.as_ref().is_some_and(|wanted| !wanted.eq_ignore_ascii_case(method)) {
            return false;
        }
        let Some(wanted) = &self.resource else {
            // A lost answer there would lock a client out for good: the old refresh token is dead and the new one unknown.
            let loses = [Kind::DropAfter, Kind::EffectLate, Kind::Garbage, Kind::Truncate].contains(&self.kind);
            return !(loses && resource.starts_with("oauth2"));
        };
        let (wanted, resource) = (wanted.trim_matches('/').to_ascii_lowercase(), resource.to_ascii_lowercase());
        resource == wanted || resource.strip_prefix(&wanted).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Whether the n-th call that it names is hit, n from 1.
    fn hits(&self, nth: u64) -> bool {
        if let Some(once) = &self.once {
            let which = once.as_u64().unwrap_or(1);
            return once.as_bool() != Some(false) && nth == which;
        }
        if let Some(every) = self.every {
            return nth.is_multiple_of(every);
        }
        self.rate.is_none() || self.threshold().is_some_and(|threshold| dice(self.seed, nth) < threshold)
    }
}

/// 32 random bits for the n-th call.
fn dice(seed: u64, nth: u64) -> u64 {
    let mut state = seed.wrapping_mul(0xA076_1D64_78BD_642F).wrapping_add(nth);
    super::shop::seed::mix(&mut state) >> 32
}

fn short(text: &str) -> Result<Fault, String> {
    let form = || {
        format!(
            "the fault `{text}` is not understood: write `kind:system:rate`, such as `drop_after:ledger:0.05`, or its JSON"
        )
    };
    let parts: Vec<&str> = text.split(':').collect();
    let (kind, system, rate) = match parts.as_slice() {
        [kind, system] => (*kind, *system, None),
        [kind, system, rate] => (*kind, *system, Some(rate.parse::<Number>().map_err(|_| form())?)),
        _ => return Err(form()),
    };
    let kind = serde_json::from_value(Value::String(kind.to_owned())).map_err(|_| form())?;
    Ok(Fault { rate, ..Fault::of(system, kind) })
}

/// What happens to one call.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Strike {
    /// Milliseconds to wait first.
    pub(crate) delay_ms: u64,
    /// What happens to the ledger's tokens and limits first.
    pub(crate) before: Vec<Kind>,
    /// What ends the call in its own way.
    pub(crate) end: Option<Fault>,
    /// What happens to rows.
    pub(crate) rows: Vec<RowFault>,
}

/// The standing orders, with how often each was met.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    standing: Mutex<Vec<(Fault, u64)>>,
}

impl Faults {
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        let faults_ = Faults::default();
        faults_.set(faults);
        faults_
    }

    /// Replaces all orders; their counting starts anew.
    pub(crate) fn set(&self, faults: Vec<Fault>) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) =
            faults.into_iter().map(|fault| (fault, 0)).collect();
    }

    pub(crate) fn all(&self) -> Vec<Fault> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).iter().map(|(fault, _)| fault.clone()).collect()
    }

    /// What happens to this call. Delays add up; of several ends the first counts.
    pub(crate) fn strike(&self, system: &str, method: &str, resource: &str, records: &[String]) -> Strike {
        let mut strike = Strike::default();
        for (fault, met) in self.standing.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            if !fault.names(system, method, resource, records) {
                continue;
            }
            *met += 1;
            if !fault.hits(*met) {
                continue;
            }
            match fault.kind {
                Kind::Delay => strike.delay_ms += fault.ms.unwrap_or(1000),
                Kind::ExpireToken | Kind::RevokeRefresh | Kind::LimitMinute | Kind::LimitDay => {
                    strike.before.push(fault.kind);
                }
                Kind::DropBefore
                | Kind::DropAfter
                | Kind::EffectLate
                | Kind::Status
                | Kind::Garbage
                | Kind::Truncate
                | Kind::SlowBody
                | Kind::Notice
                | Kind::Tail => {
                    strike.end.get_or_insert_with(|| fault.clone());
                }
                Kind::Empty
                | Kind::Hide
                | Kind::Unloadable
                | Kind::Poison
                | Kind::PoisonList
                | Kind::Refuse
                | Kind::HalfPair
                | Kind::BadBytes
                | Kind::CapRefused
                | Kind::CapSilent => {
                    let Fault { kind, status, rows, .. } = *fault;
                    strike.rows.push(RowFault { kind, ids: fault.ids.clone(), status, rows });
                }
            }
        }
        strike
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Faults {
        Faults::new(Fault::parse(text).unwrap())
    }

    #[test]
    fn every_once_and_rate() {
        let each_third = faults(r#"{"system":"shop","kind":"drop_before","every":3,"resource":"orders"}"#);
        let hit: Vec<bool> = (0..6).map(|_| each_third.strike("shop", "GET", "orders", &[]).end.is_some()).collect();
        assert_eq!(hit, [false, false, true, false, false, true]);
        assert!(each_third.strike("ledger", "GET", "orders", &[]).end.is_none());

        let once = faults(r#"{"system":"ledger","kind":"status","status":503,"once":true}"#);
        assert_eq!(once.strike("ledger", "POST", "crm/Accounts", &[]).end.and_then(|end| end.status), Some(503));
        assert!(once.strike("ledger", "POST", "crm/Accounts", &[]).end.is_none());

        let tenth = faults("drop_after:ledger:0.1");
        let hits = (0..10_000).filter(|_| tenth.strike("ledger", "POST", "crm/Accounts", &[]).end.is_some()).count();
        assert!((900..1100).contains(&hits), "{hits}");
    }

    #[test]
    fn tokens_are_spared_unless_named() {
        let all = faults("drop_after:ledger");
        assert!(all.strike("ledger", "POST", "oauth2/token", &[]).end.is_none());
        let named = faults(r#"{"system":"ledger","kind":"drop_after","resource":"oauth2/token"}"#);
        assert!(named.strike("ledger", "POST", "oauth2/token", &[]).end.is_some());
    }

    #[test]
    fn mistakes_are_named() {
        assert!(Fault::parse("explode:ledger").unwrap_err().contains("kind:system:rate"));
        assert!(Fault::parse("delay:books").unwrap_err().contains("`shop` or `ledger`"));
        assert!(Fault::parse(r#"{"system":"shop","kind":"delay","rate":2}"#).unwrap_err().contains("between 0 and 1"));
        assert!(Fault::parse(r#"{"system":"shop","kind":"delay","when":1}"#).unwrap_err().contains("when"));
    }
}
