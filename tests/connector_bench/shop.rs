//! A shop that lists as it was measured: dates in its own zone, ties by id, pages of the present state, totals in headers;
//! and what hosts, plugins and broken records make of that.

use super::{Reply, Seen};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use std::sync::{Arc, Mutex};

/// What is the matter with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Is {
    Good,
    /// Counted, and shown to nobody.
    Hidden,
    /// PHP dies of whatever holds it.
    Deadly,
    /// PHP dies of it, unless its id alone is asked for.
    DeadlyInPart,
    /// PHP dies of it in lists alone.
    DeadlyInLists,
    /// PHP dies of it in lists, and at its own address the shop refuses it.
    Refused,
    /// Its text is not UTF-8.
    NoText,
    /// It shows no key.
    Keyless,
    /// It lies in the trash.
    Trashed,
    /// No list has it, nor counts it.
    LeftOut,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: u32,
    /// UTC digits; none: never changed.
    pub(crate) changed: Option<String>,
    pub(crate) status: &'static str,
    pub(crate) is: Is,
}

/// How a host limits the rows of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cap {
    None,
    /// Fewer rows, without a word.
    Silent(u32),
    /// A refusal that says how many.
    Told(u32),
    /// A refusal that does not; the list's description does.
    Described(u32),
}

/// What a proxy leaves of an answer's headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Headers {
    All,
    /// Only `Link`.
    Link,
    /// None; what is asked for in an envelope comes.
    Envelope,
    /// None, and no envelope.
    None,
}

#[derive(Clone)]
pub(crate) struct Shop {
    pub(crate) rows: Arc<Mutex<Vec<Row>>>,
    pub(crate) zone: &'static str,
    /// Sorted by the shop's clock, as products are.
    pub(crate) by_local: bool,
    /// Hours by which its filter by time is wrong.
    pub(crate) late: i64,
    pub(crate) cap: Cap,
    pub(crate) headers: Headers,
    /// Rows beyond which a page is too much for PHP.
    pub(crate) most: u32,
    /// It does not know the filter by status.
    pub(crate) deaf: bool,
    /// Lists that are asked with this parameter show nothing; without a name, all do.
    pub(crate) blank: Arc<Mutex<Option<&'static str>>>,
    /// Nothing is answered but this.
    pub(crate) down: Arc<Mutex<Option<u16>>>,
}

const DIGITS: &str = "%Y-%m-%dT%H:%M:%S";

impl Shop {
    pub(crate) fn new(rows: &[(u32, &str)]) -> Self {
        let row = |(id, changed): &(u32, &str)| Row {
            id: *id,
            changed: (!changed.is_empty()).then(|| (*changed).to_owned()),
            status: "processing",
            is: Is::Good,
        };
        Self {
            rows: Arc::new(Mutex::new(rows.iter().map(row).collect())),
            zone: "UTC",
            by_local: false,
            late: 0,
            cap: Cap::None,
            headers: Headers::All,
            most: u32::MAX,
            deaf: false,
            blank: Arc::default(),
            down: Arc::default(),
        }
    }

    /// One record is of another kind.
    pub(crate) fn mark(&self, id: u32, is: Is) {
        self.rows.lock().unwrap().iter_mut().find(|row| row.id == id).unwrap().is = is;
    }

    /// A record is made, or changed.
    pub(crate) fn change(&self, id: u32, changed: &str) {
        let mut rows = self.rows.lock().unwrap();
        rows.retain(|row| row.id != id);
        rows.push(Row { id, changed: Some(changed.to_owned()), status: "processing", is: Is::Good });
    }

    pub(crate) fn remove(&self, id: u32) {
        self.rows.lock().unwrap().retain(|row| row.id != id);
    }

    pub(crate) fn blank(&self, asked: Option<&'static str>) {
        *self.blank.lock().unwrap() = asked;
    }

    pub(crate) fn down(&self, status: Option<u16>) {
        *self.down.lock().unwrap() = status;
    }

    /// The digits of a filter's value as the shop compares them with its column in UTC: `…Z` is turned into its own time
    /// first, and digits that its clock never shows are moved on an hour.
    fn cutoff(&self, value: &str) -> String {
        let zone = TimeZone::get(self.zone).unwrap();
        let local = match value.strip_suffix('Z') {
            Some(digits) => zone.to_datetime(format!("{digits}Z").parse::<Timestamp>().unwrap()),
            None => zone.to_datetime(zone.to_timestamp(value.parse::<DateTime>().unwrap()).unwrap()),
        };
        local.checked_add(jiff::SignedDuration::from_hours(self.late)).unwrap().strftime(DIGITS).to_string()
    }

    fn local(&self, utc: &str) -> String {
        let zone = TimeZone::get(self.zone).unwrap();
        zone.to_datetime(format!("{utc}Z").parse::<Timestamp>().unwrap()).strftime(DIGITS).to_string()
    }

    pub(crate) fn answer(&self, seen: &Seen) -> Reply {
        if let Some(status) = *self.down.lock().unwrap() {
            return Reply::html(status);
        }
        let path = seen.path.trim_start_matches("/wp-json/wc/v3/");
        match (seen.method.as_str(), path.split('/').collect::<Vec<_>>().as_slice()) {
            ("OPTIONS", [_]) => self.described(),
            (_, ["orders" | "products" | "customers"]) => self.list(seen),
            (_, [_, id]) if id.parse::<u32>().is_ok() => self.one(id.parse().unwrap()),
            _ => Reply::Json(200, r#"{"code":"EUR"}"#.into()),
        }
    }

    fn described(&self) -> Reply {
        let (Cap::Described(most) | Cap::Told(most)) = self.cap else { return Reply::Json(200, "{}".into()) };
        let told = format!(r#"{{"endpoints":[{{"args":{{"per_page":{{"maximum":{most}}}}}}}]}}"#);
        Reply::Json(200, told)
    }

    fn one(&self, id: u32) -> Reply {
        let rows = self.rows.lock().unwrap();
        match rows.iter().find(|row| row.id == id) {
            None => {
                let told = r#"{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{"status":404}}"#;
                Reply::Json(404, told.into())
            }
            Some(row) if row.is == Is::Refused => {
                let told = r#"{"code":"plugin_says_no","message":"Onderhoud: niet voor u.","data":{"status":403}}"#;
                Reply::Json(403, told.into())
            }
            Some(row) if matches!(row.is, Is::Deadly | Is::DeadlyInPart) => Reply::html(500),
            Some(row) => Reply::With(200, json(), text(row)),
        }
    }

    fn list(&self, seen: &Seen) -> Reply {
        let number = |name: &str, usual: u32| seen.query(name).map_or(usual, |text| text.parse().unwrap());
        let ids = |name: &str| -> Option<Vec<u32>> {
            Some(seen.query(name)?.split(',').map(|id| id.parse().unwrap()).collect())
        };
        let asked = number("per_page", 10);
        let size = match self.cap {
            Cap::None => asked,
            Cap::Silent(most) => asked.min(most),
            Cap::Told(most) if asked > most => {
                let told = format!("per_page must be between 1 (inclusive) and {most} (inclusive)");
                return refused_cap(&told);
            }
            Cap::Described(most) if asked > most => return refused_cap("Ongeldig."),
            Cap::Told(_) | Cap::Described(_) => asked,
        };
        let after = seen.query("modified_after").map(|value| self.cutoff(value));
        let (include, exclude) = (ids("include"), ids("exclude").unwrap_or_default());
        let mut rows: Vec<Row> = self.rows.lock().unwrap().clone();
        rows.retain(|row| {
            after.as_ref().is_none_or(|after| row.changed.as_ref().is_some_and(|changed| changed > after))
                && include.as_ref().is_none_or(|ids| ids.contains(&row.id))
                && !exclude.contains(&row.id)
                && !matches!(row.is, Is::Trashed | Is::LeftOut)
                && seen
                    .query("status")
                    .filter(|_| !self.deaf)
                    .is_none_or(|wanted| wanted.split(',').any(|status| status == row.status))
        });
        if self.blank.lock().unwrap().is_some_and(|asked| asked.is_empty() || seen.query(asked).is_some()) {
            rows.clear();
        }
        let by_id = seen.query("orderby") == Some("id");
        rows.sort_by_key(|row| {
            let time = row.changed.clone().map(|utc| if self.by_local { self.local(&utc) } else { utc });
            (if by_id { None } else { time }, row.id)
        });
        if seen.query("order") != Some("asc") {
            rows.reverse();
        }
        let total = rows.len();
        let page = number("page", 1);
        let rows: Vec<Row> = rows.into_iter().skip(((page - 1) * size) as usize).take(size as usize).collect();
        let only_ids = seen.query("_fields") == Some("id");
        let dies = |row: &Row| match row.is {
            Is::Deadly | Is::DeadlyInLists | Is::Refused => true,
            Is::DeadlyInPart => !only_ids,
            Is::Good | Is::Hidden | Is::Keyless | Is::NoText | Is::Trashed | Is::LeftOut => false,
        };
        if rows.iter().any(dies) || rows.len() > self.most as usize {
            return Reply::html(500);
        }
        // With orders in tables of their own a page past the end tells of nothing at all.
        let total = if rows.is_empty() { 0 } else { total };
        let pages = total.div_ceil(size as usize);
        let shown: Vec<Vec<u8>> = rows
            .iter()
            .filter(|row| row.is != Is::Hidden)
            .map(|row| if only_ids { id(row) } else { text(row) })
            .collect();
        let list = [b"[".to_vec(), shown.join(&b","[..]), b"]".to_vec()].concat();
        self.sent(seen, list, total, (page as usize, pages))
    }

    fn sent(&self, seen: &Seen, list: Vec<u8>, total: usize, (page, pages): (usize, usize)) -> Reply {
        let next = (page < pages).then(|| format!("<http://shop.example/?page={}>; rel=\"next\"", page + 1));
        let previous = (page > 1).then(|| "<http://shop.example/?page=1>; rel=\"prev\"".to_owned());
        let links: Vec<String> = previous.into_iter().chain(next).collect();
        let mut headers = json();
        if self.headers == Headers::All {
            headers.push(("X-WP-Total", total.to_string()));
            headers.push(("X-WP-TotalPages", pages.to_string()));
        }
        if matches!(self.headers, Headers::All | Headers::Link) && !links.is_empty() {
            headers.push(("Link", links.join(", ")));
        }
        if self.headers != Headers::None && seen.query("_envelope") == Some("1") {
            let told = format!(r#","status":200,"headers":{{"X-WP-Total":{total},"X-WP-TotalPages":{pages}}}}}"#);
            return Reply::With(200, headers, [&br#"{"body":"#[..], &list, told.as_bytes()].concat());
        }
        Reply::With(200, headers, list)
    }
}

fn json() -> Vec<(&'static str, String)> {
    vec![("Content-Type", "application/json; charset=UTF-8".to_owned())]
}

fn refused_cap(words: &str) -> Reply {
    let told = format!(
        r#"{{"code":"rest_invalid_param","message":"Invalid parameter(s): per_page","data":{{"status":400,"params":{{"per_page":"{words}"}}}}}}"#
    );
    Reply::Json(400, told)
}

fn id(row: &Row) -> Vec<u8> {
    format!(r#"{{"id":{}}}"#, row.id).into_bytes()
}

fn text(row: &Row) -> Vec<u8> {
    let Row { id, changed, status, is } = row;
    let changed = changed.as_ref().map_or("null".to_owned(), |changed| format!("\"{changed}\""));
    let status = if *is == Is::Trashed { "trash" } else { status };
    let id = if *is == Is::Keyless { "null".to_owned() } else { id.to_string() };
    let mut text = format!(r#"{{"id":{id},"date_modified_gmt":{changed},"status":"{status}","note":""#).into_bytes();
    if *is == Is::NoText {
        text.push(0xe9);
    }
    text.extend(b"\"}");
    text
}
