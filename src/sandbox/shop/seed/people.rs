//! The made-up people: guests and customers, private and companies.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Chance;
use super::names::{self, Country, FIRST_NAMES, LAST_NAMES, STREETS};
use crate::sandbox::shop::customers;
use crate::sandbox::shop::state::State;

/// First id of a made-up customer, away from those of recorded shops.
const FIRST_CUSTOMER: u64 = 2001;

/// Somebody who orders.
pub(super) struct Person {
    /// 0: a guest.
    pub(super) customer: u64,
    pub(super) billing: Value,
    pub(super) shipping: Value,
    pub(super) vat_number: Option<String>,
}

/// Fills the customers; all who order, guests too.
pub(super) fn people(state: &mut State, chance: &mut Chance, count: u64, now: Timestamp) -> Vec<Person> {
    let mut people = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
    for at in 0..count {
        let country: &Country = chance.weighted(&names::COUNTRIES);
        let (first, last) = (*chance.pick(&FIRST_NAMES), *chance.pick(&LAST_NAMES));
        let company = chance.percent(18);
        let vat_number =
            (company && chance.percent(80)).then(|| country.vat_number(chance.below(900_000_000) + 100_000_000));
        let company = if company { format!("{last} {}", country.legal_form) } else { String::new() };
        let address = address(chance, country, (first, last), &company);
        let email = format!("{}.{}{}@example.com", names::ascii(first), names::ascii(last), at + 1);
        let mut billing = address.clone();
        billing["email"] = json!(email);
        billing["phone"] = json!(format!("{}{}", country.dial, 200_000_000 + chance.below(99_999_999)));
        let mut shipping = address;
        if chance.percent(10) {
            let other = (*chance.pick(&FIRST_NAMES), last);
            shipping = self::address(chance, country, other, "");
        }
        shipping["phone"] = json!("");
        let registered = chance.percent(65);
        let customer = if registered { FIRST_CUSTOMER + at } else { 0 };
        let person = Person { customer, billing, shipping, vat_number };
        if registered {
            let since = i64::try_from(chance.below(80 * 86_400)).unwrap_or(0) + 1200;
            let since = now.saturating_sub(SignedDuration::from_secs(since)).unwrap_or(now);
            put_customer(state, &person, (first, last), &email, since);
        }
        people.push(person);
    }
    people
}

fn address(chance: &mut Chance, country: &Country, (first, last): (&str, &str), company: &str) -> Value {
    let street = *chance.pick(&STREETS);
    let number = chance.below(180) + 1;
    json!({
        "first_name": first, "last_name": last, "company": company,
        "address_1": format!("{street} {number}"), "address_2": if chance.percent(8) { "bus 2" } else { "" },
        "city": chance.pick(country.cities), "state": "", "postcode": country.postcode(chance.below(10_000)), "country": country.code
    })
}

fn put_customer(state: &mut State, person: &Person, (first, last): (&str, &str), email: &str, since: Timestamp) {
    let mut record = customers::blank();
    record["id"] = json!(person.customer);
    record["email"] = json!(email);
    record["first_name"] = json!(first);
    record["last_name"] = json!(last);
    record["username"] = json!(email.split('@').next().unwrap_or(email));
    for (name, from) in [("billing", &person.billing), ("shipping", &person.shipping)] {
        for (member, value) in from.as_object().into_iter().flatten() {
            record[name][member] = value.clone();
        }
    }
    record["is_paying_customer"] = json!(true);
    if let Some(number) = &person.vat_number {
        record["meta_data"] = json!([{"id": state.new_meta(), "key": "_billing_vat_number", "value": number}]);
    }
    state.stamp(&mut record, "date_created", since);
    state.stamp(&mut record, "date_modified", since);
    state.customers.put(person.customer, &record);
}
