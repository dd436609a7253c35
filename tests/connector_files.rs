//! Files on their way from a ledger to a shop's media library, against the sandbox: read behind the login, added by a user.

#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

mod connector_bench;

use connector_bench::{NoSecrets, connection, entity, exact, field, store, woocommerce};
use flowc::connector::{CallError, Connector, File, Find, Timing, Write, open_with};
use flowc::ir::{Connector as Habits, Entity, FieldId, Method, Search, Type};
use flowc::sandbox::{Options, Running, start};
use flowc::store::Store;
use serde_json::{Value, json};
use std::sync::Arc;

const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

async fn sandbox() -> Running {
    start(Options { clock_rate: 60, orders: Some(2), ..Options::default() }).await.unwrap()
}

fn said(sandbox: &Running, path: &str) -> String {
    match sandbox.first_line().pointer(path).unwrap() {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

async fn post(sandbox: &Running, what: &str, body: &Value) -> Value {
    let url = format!("{}/{what}", said(sandbox, "/control/url"));
    let call = reqwest::Client::new().post(url).header("Content-Type", "application/json").body(body.to_string());
    serde_json::from_str(&call.send().await.unwrap().text().await.unwrap()).unwrap()
}

async fn held(sandbox: &Running, what: &str) -> Vec<Value> {
    let url = format!("{}/{what}", said(sandbox, "/control/url"));
    serde_json::from_str(&reqwest::get(url).await.unwrap().text().await.unwrap()).unwrap()
}

async fn open(
    (name, kind, habits): (&str, &str, Habits),
    entries: &[(&str, String)],
    store: &Arc<dyn Store>,
) -> Arc<dyn Connector> {
    let entries: Vec<(&str, &str)> = entries.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let connection = connection(name, kind, &entries);
    open_with(&connection, &habits, &NoSecrets, Arc::clone(store), Timing::default()).await.unwrap()
}

async fn shop(sandbox: &Running, user: Option<(&str, String)>, store: &Arc<dyn Store>) -> Arc<dyn Connector> {
    let of = |name: &str, path: &str| (name.to_owned(), said(sandbox, path));
    let mut entries =
        vec![of("url", "/shop/url"), of("key", "/shop/key"), of("secret", "/shop/secret"), of("clock", "/control/url")];
    entries.extend(user.into_iter().flat_map(|(name, password)| {
        [("media_user".to_owned(), name.to_owned()), ("media_password".to_owned(), password)]
    }));
    let entries: Vec<(&str, String)> = entries.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    open(("shop", "woocommerce", woocommerce(100)), &entries, store).await
}

async fn ledger(sandbox: &Running, store: &Arc<dyn Store>) -> Arc<dyn Connector> {
    let names = ["division", "client_id", "client_secret", "refresh_token", "access_token"];
    let mut entries: Vec<(&str, String)> =
        names.iter().map(|name| (*name, said(sandbox, &format!("/ledger/{name}")))).collect();
    entries.extend([("base_url", said(sandbox, "/ledger/url")), ("clock", said(sandbox, "/control/url"))]);
    open(("books", "exact", exact()), &entries, store).await
}

fn media() -> Arc<Entity> {
    let mut media = Arc::unwrap_or_clone(entity(
        "woocommerce",
        "Media",
        "/wp/v2/media",
        None,
        vec![field("id", Type::Int), field("slug", Type::Text(None))],
    ));
    media.fields[1].search = Search::Parameter;
    Arc::new(media)
}

fn add(slug: &str) -> Write {
    let body = json!({"slug": slug, "alt_text": "A cup"}).to_string();
    Write { entity: media(), method: Method::Post, id: None, body, parts: Vec::new() }
}

fn by_slug(slug: &str) -> Find {
    let fields = vec!["id".to_owned(), "slug".to_owned()];
    Find { entity: media(), fields, by: Some(FieldId(1)), values: vec![slug.to_owned()], parts: Vec::new() }
}

#[tokio::test]
async fn a_picture_is_read_behind_the_login_and_of_the_ledger_s_own_host_alone() {
    let (sandbox, (_folder, store)) = (sandbox().await, store());
    let ledger = ledger(&sandbox, &store).await;
    let item = json!({"Code": "CUP", "Description": "Cup", "Picture": PNG, "PictureName": "cup.png"});
    let key = post(&sandbox, "ledger/logistics/Items", &item).await["key"].as_str().unwrap().to_owned();
    let rows = held(&sandbox, "ledger/logistics/Items").await;
    let address = rows.iter().find(|row| row["ID"] == *key).unwrap()["PictureUrl"].as_str().unwrap().to_owned();
    let file = ledger.file(&format!("{address}#2026-11-30")).await.unwrap().unwrap();
    assert_eq!((file.kind.as_str(), file.bytes.len()), ("image/png", 70));
    assert_eq!(ledger.file(&address.replace(&key, &uuid::Uuid::nil().to_string())).await.unwrap(), None);
    let elsewhere = ledger.file("http://127.0.0.1:1/docs/SysImage.aspx").await.unwrap_err();
    assert!(matches!(elsewhere, CallError::Garbled { .. }), "{elsewhere}");
    let stranger = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    assert_eq!(stranger.get(&address).send().await.unwrap().status(), 302, "who is not logged in sees no picture");
    sandbox.stop().await;
}

#[tokio::test]
async fn a_file_is_added_by_a_user_and_found_by_its_slug() {
    let (sandbox, (_folder, store)) = (sandbox().await, store());
    let password = said(&sandbox, "/shop/media_password");
    let known = shop(&sandbox, Some(("flowc", password)), &store).await;
    let file = File::new(b"\x89PNG\r\n\x1a\n--picture--\r\n".to_vec(), None);
    assert!(known.find(&by_slug("flowc-1")).await.unwrap().is_empty());
    let made = known.write_with(&add("flowc-1"), &file).await.unwrap();
    let found = known.find(&by_slug("flowc-1")).await.unwrap();
    assert_eq!(found.read.len(), 1);
    assert_eq!(found.read[0].member("id"), made.id);
    let held = held(&sandbox, "shop/media").await;
    assert_eq!(held[0]["media_details"]["filesize"], file.bytes.len(), "not a byte more or less");
    assert_eq!(held[0]["alt_text"], "A cup");
    let page = known.write_with(&add("flowc-2"), &File::new(b"<html>".to_vec(), None)).await.unwrap_err();
    assert!(matches!(page, CallError::Refused { .. }), "{page}");

    let nobody = shop(&sandbox, None, &store).await;
    let refused = nobody.write_with(&add("flowc-3"), &file).await.unwrap_err();
    assert!(refused.to_string().contains("`media_user`"), "{refused}");
    let wrong = shop(&sandbox, Some(("flowc", "abcd".to_owned())), &store).await;
    let refused = wrong.write_with(&add("flowc-3"), &file).await.unwrap_err();
    assert!(refused.to_string().contains("application password"), "{refused}");
    assert!(wrong.find(&by_slug("flowc-1")).await.is_err());
    sandbox.stop().await;
}
