//! Standing orders to misbehave: which calls are hit, and by what.

use std::sync::{Mutex, PoisonError};

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

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
    /// The status of `status`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

impl Fault {
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

    fn names(&self, system: &str, method: &str, resource: &str) -> bool {
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
    Ok(Fault {
        system: system.to_owned(),
        method: None,
        resource: None,
        kind,
        every: None,
        once: None,
        rate,
        seed: 0,
        ms: None,
        status: None,
    })
}

/// What happens to one call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Strike {
    /// Milliseconds to wait first.
    pub(crate) delay_ms: u64,
    /// What happens to the ledger's tokens and limits first.
    pub(crate) before: Vec<Kind>,
    /// What ends the call in its own way, with its milliseconds and status.
    pub(crate) end: Option<(Kind, Option<u64>, Option<u16>)>,
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
    pub(crate) fn strike(&self, system: &str, method: &str, resource: &str) -> Strike {
        let mut strike = Strike::default();
        for (fault, met) in self.standing.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            if !fault.names(system, method, resource) {
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
                | Kind::SlowBody => {
                    strike.end.get_or_insert((fault.kind, fault.ms, fault.status));
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
        let hit: Vec<bool> = (0..6).map(|_| each_third.strike("shop", "GET", "orders").end.is_some()).collect();
        assert_eq!(hit, [false, false, true, false, false, true]);
        assert!(each_third.strike("ledger", "GET", "orders").end.is_none());

        let once = faults(r#"{"system":"ledger","kind":"status","status":503,"once":true}"#);
        assert_eq!(once.strike("ledger", "POST", "crm/Accounts").end, Some((Kind::Status, None, Some(503))));
        assert!(once.strike("ledger", "POST", "crm/Accounts").end.is_none());

        let tenth = faults("drop_after:ledger:0.1");
        let hits = (0..10_000).filter(|_| tenth.strike("ledger", "POST", "crm/Accounts").end.is_some()).count();
        assert!((900..1100).contains(&hits), "{hits}");
    }

    #[test]
    fn tokens_are_spared_unless_named() {
        let all = faults("drop_after:ledger");
        assert!(all.strike("ledger", "POST", "oauth2/token").end.is_none());
        let named = faults(r#"{"system":"ledger","kind":"drop_after","resource":"oauth2/token"}"#);
        assert!(named.strike("ledger", "POST", "oauth2/token").end.is_some());
    }

    #[test]
    fn mistakes_are_named() {
        assert!(Fault::parse("explode:ledger").unwrap_err().contains("kind:system:rate"));
        assert!(Fault::parse("delay:books").unwrap_err().contains("`shop` or `ledger`"));
        assert!(Fault::parse(r#"{"system":"shop","kind":"delay","rate":2}"#).unwrap_err().contains("between 0 and 1"));
        assert!(Fault::parse(r#"{"system":"shop","kind":"delay","when":1}"#).unwrap_err().contains("when"));
    }
}
