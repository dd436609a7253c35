//! A system's front door: connections are served one by one, so that one can be ended without an answer.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use hyper::body::{Body as HttpBody, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Sleep;
use tower_service::Service;

use super::calls::{Calls, UNANSWERED};
use super::faults::{Fault, Faults, Kind};
use super::rows::RowFaults;

/// Largest body passed through, bytes; a longer request is cut off.
const BODY_BYTES_MAX: usize = 32 << 20;
/// How late an effect comes when a fault does not say, milliseconds.
const LATE_MS: u64 = 2000;
/// How long a slow answer takes when a fault does not say, milliseconds.
const SLOW_MS: u64 = 5000;
/// Pieces that a slow answer comes in.
const SLOW_PIECES: usize = 10;

/// The half of an answer goes out before the connection breaks: what is still in our buffer then would never be seen.
const BREAK_AFTER: Duration = Duration::from_millis(25);

/// What PHP writes before an answer while it shows its notices.
const NOTICE: &str = "<br />\n<b>Warning</b>:  Undefined array key \"price\" in <b>/var/www/html/wp-content/plugins/price-rules/rules.php</b> on line <b>214</b><br />\n";
/// What a cache or a profiler writes behind an answer.
const TAIL: &str = "\n<!-- Page cached in 0.214 seconds. -->";

/// What a fault does to a system's tokens and limits.
pub(crate) type Hook = Box<dyn Fn(Kind) + Send + Sync>;

/// One system behind its door.
pub(crate) struct Door {
    /// `shop` or `ledger`.
    pub(crate) system: &'static str,
    pub(crate) router: Router,
    /// The resource that an address names, for counting and for faults.
    pub(crate) resource_of: fn(&axum::http::Uri) -> String,
    /// The records that it names.
    pub(crate) records_of: fn(&axum::http::Uri) -> Vec<String>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) hook: Hook,
}

/// The connection ends here, without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was ended on purpose")]
pub(crate) struct Dropped;

impl Door {
    /// Serves connections until told to stop; open ones end with it.
    pub(crate) async fn serve(self: Arc<Self>, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    let Ok((stream, _)) = accepted else {
                        // Too many open files, most likely: they close by themselves.
                        tokio::time::sleep(Duration::from_millis(20)).await;
                        continue;
                    };
                    // Small answers must not wait for the client's acknowledgement.
                    let _ = stream.set_nodelay(true);
                    let door = Arc::clone(&self);
                    connections.spawn(async move {
                        let service = service_fn(move |request| Arc::clone(&door).answer(request));
                        // An error here is a client that left or a connection ended on purpose.
                        let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                    });
                }
                _ = stop.changed() => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => {}
            }
        }
        connections.abort_all();
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Dropped> {
        let (mut parts, body) = request.into_parts();
        let method = parts.method.as_str().to_owned();
        let resource = (self.resource_of)(&parts.uri);
        let mut strike = self.faults.strike(self.system, &method, &resource, &(self.records_of)(&parts.uri));
        parts.extensions.insert(RowFaults::new(std::mem::take(&mut strike.rows)));
        let body = to_bytes(Body::new(body), BODY_BYTES_MAX).await.map_err(|_| Dropped)?;
        if strike.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(strike.delay_ms)).await;
        }
        for kind in &strike.before {
            (self.hook)(*kind);
        }
        let request = Request::from_parts(parts, Body::from(body));
        let answered = match strike.end {
            None => Ok(self.pass_on(request).await),
            Some(fault) => self.misbehave(request, &fault).await,
        };
        let status = answered.as_ref().map_or(UNANSWERED, |response| response.status().as_u16());
        self.calls.count(self.system, &method, &resource, status);
        answered
    }

    async fn pass_on(&self, request: Request<Body>) -> Response<Body> {
        let answered: Result<Response<Body>, Infallible> = self.router.clone().call(request).await;
        let Ok(response) = answered;
        response
    }

    async fn misbehave(self: &Arc<Self>, request: Request<Body>, fault: &Fault) -> Result<Response<Body>, Dropped> {
        let Fault { kind, ms, status, .. } = *fault;
        match kind {
            Kind::DropBefore => Err(Dropped),
            Kind::DropAfter => {
                drop(self.pass_on(request).await);
                Err(Dropped)
            }
            Kind::EffectLate => {
                let door = Arc::clone(self);
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_millis(ms.unwrap_or(LATE_MS))).await;
                    drop(door.pass_on(request).await);
                });
                Err(Dropped)
            }
            Kind::Status => Ok(outage(status.unwrap_or(503))),
            Kind::Garbage => {
                let response = self.pass_on(request).await;
                Ok(with_body(response, Body::from(&b"\x1f\x8b<b>Warning</b>: {\"d\" : ["[..]), None))
            }
            Kind::Truncate => {
                let response = self.pass_on(request).await;
                let (parts, body) = response.into_parts();
                let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
                let half = bytes.slice(..bytes.len() / 2);
                let body = Trickle { pieces: VecDeque::from([half]), pause: BREAK_AFTER, sleep: None, breaks: true };
                Ok(with_body(Response::from_parts(parts, Body::empty()), Body::new(body), Some(bytes.len())))
            }
            Kind::SlowBody => {
                let response = self.pass_on(request).await;
                let (parts, body) = response.into_parts();
                let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
                let body = slow(&bytes, Duration::from_millis(ms.unwrap_or(SLOW_MS)));
                Ok(with_body(Response::from_parts(parts, Body::empty()), Body::new(body), Some(bytes.len())))
            }
            Kind::Notice => {
                let words = fault.text.as_deref().unwrap_or(NOTICE);
                Ok(framed(self.pass_on(request).await, words, "").await)
            }
            Kind::Tail => {
                let words = fault.text.as_deref().unwrap_or(TAIL);
                Ok(framed(self.pass_on(request).await, "", words).await)
            }
            // What concerns rows went on with the request.
            _ => Ok(self.pass_on(request).await),
        }
    }
}

/// An answer with words before and behind it.
async fn framed(response: Response<Body>, before: &str, behind: &str) -> Response<Body> {
    let (parts, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let framed = [before.as_bytes(), &bytes, behind.as_bytes()].concat();
    with_body(Response::from_parts(parts, Body::empty()), Body::from(framed), None)
}

fn with_body(response: Response<Body>, body: Body, length: Option<usize>) -> Response<Body> {
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(header::CONTENT_LENGTH);
    if let Some(length) = length {
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(parts, body)
}

/// What a proxy before the system says when the system is not there: a page, not the API's error form.
fn outage(status: u16) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let reason = status.canonical_reason().unwrap_or("Error");
    let page = format!(
        "<html><head><title>{0} {reason}</title></head><body><h1>{0} {reason}</h1></body></html>\n",
        status.as_u16()
    );
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(HeaderName::from_static("retry-after"), HeaderValue::from_static("1"));
    }
    response
}

fn slow(bytes: &Bytes, whole: Duration) -> Trickle {
    let size = bytes.len().div_ceil(SLOW_PIECES).max(1);
    let pieces =
        (0..bytes.len()).step_by(size).map(|start| bytes.slice(start..(start + size).min(bytes.len()))).collect();
    let count = u32::try_from(SLOW_PIECES).expect("ten pieces");
    Trickle { pieces, pause: whole / count, sleep: None, breaks: false }
}

/// A body that comes in pieces, with pauses, and may break off at its end.
struct Trickle {
    pieces: VecDeque<Bytes>,
    pause: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
    breaks: bool,
}

impl HttpBody for Trickle {
    type Data = Bytes;
    type Error = Dropped;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Dropped>>> {
        if !self.pause.is_zero() {
            let pause = self.pause;
            let sleep = self.sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(pause)));
            ready!(sleep.as_mut().poll(context));
            self.sleep = None;
        }
        match self.pieces.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None if self.breaks => Poll::Ready(Some(Err(Dropped))),
            None => Poll::Ready(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A door before a counter: its address, the count, the calls, and what stops it.
    async fn opened(faults: &str) -> (String, Arc<AtomicUsize>, Arc<Calls>, watch::Sender<bool>) {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let router = Router::new().fallback(move || {
            let counted = Arc::clone(&counted);
            async move {
                counted.fetch_add(1, Ordering::SeqCst);
                "an answer of some length"
            }
        });
        let calls = Arc::new(Calls::default());
        let door = Door {
            system: "shop",
            router,
            resource_of: |uri| uri.path().trim_matches('/').to_owned(),
            records_of: |_| Vec::new(),
            faults: Arc::new(Faults::new(Fault::parse(faults).unwrap())),
            calls: Arc::clone(&calls),
            hook: Box::new(|_| {}),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/orders", listener.local_addr().unwrap());
        let (stop, told) = watch::channel(false);
        tokio::spawn(Arc::new(door).serve(listener, told));
        (address, count, calls, stop)
    }

    async fn text(address: &str) -> Result<String, reqwest::Error> {
        reqwest::get(address).await?.text().await
    }

    #[tokio::test]
    async fn a_connection_ends_before_or_after_the_effect() {
        let (address, count, calls, _stop) = opened(
            r#"[{"system":"shop","kind":"drop_before","once":1},{"system":"shop","kind":"drop_after","once":2}]"#,
        )
        .await;
        assert!(text(&address).await.is_err());
        assert_eq!(count.load(Ordering::SeqCst), 0);
        assert!(text(&address).await.is_err());
        assert_eq!(count.load(Ordering::SeqCst), 1);
        assert_eq!(text(&address).await.unwrap(), "an answer of some length");
        let list = calls.list();
        assert_eq!((&list[0]["status"], &list[0]["count"], &list[1]["status"]), (&0.into(), &2.into(), &200.into()));
    }

    #[tokio::test]
    async fn an_effect_comes_late() {
        let (address, count, _calls, _stop) = opened(r#"{"system":"shop","kind":"effect_late","ms":80}"#).await;
        assert!(text(&address).await.is_err());
        assert_eq!(count.load(Ordering::SeqCst), 0);
        soon(async || count.load(Ordering::SeqCst) == 1).await;
    }

    #[tokio::test]
    async fn an_answer_breaks_off_or_trickles() {
        let (address, _count, _calls, _stop) = opened(
            r#"[{"system":"shop","kind":"truncate","once":1},{"system":"shop","kind":"slow_body","ms":60,"once":2}]"#,
        )
        .await;
        let response = reqwest::get(&address).await.unwrap();
        assert_eq!((response.status().as_u16(), response.content_length()), (200, Some(24)));
        assert!(response.text().await.is_err());
        assert_eq!(text(&address).await.unwrap(), "an answer of some length");
    }

    #[tokio::test]
    async fn an_outage_is_no_answer_of_the_api() {
        let (address, count, _calls, stop) = opened(r#"{"system":"shop","kind":"status","status":502}"#).await;
        let response = reqwest::get(&address).await.unwrap();
        assert_eq!(response.status().as_u16(), 502);
        assert!(response.text().await.unwrap().contains("Bad Gateway"));
        assert_eq!(count.load(Ordering::SeqCst), 0);
        stop.send(true).unwrap();
        soon(async || reqwest::get(&address).await.is_err()).await;
    }

    /// Waits until it is so.
    async fn soon(is_so: impl AsyncFn() -> bool) {
        let waiting = async {
            while !is_so().await {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), waiting).await.expect("it comes to that");
    }
}
