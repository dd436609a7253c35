//! A server with a certificate that an authority of the tests has signed. Key and certificates are for nothing else.

use super::{Reply, Seen, Server, serve};
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Who has signed the certificates.
pub(crate) const AUTHORITY: &str = include_str!("tls/authority.pem");
/// A certificate for this machine; one that has expired; one for another host.
pub(crate) const GOOD: &str = include_str!("tls/good.pem");
pub(crate) const EXPIRED: &str = include_str!("tls/expired.pem");
pub(crate) const ELSEWHERE: &str = include_str!("tls/elsewhere.pem");
const KEY: &str = include_str!("tls/key.pem");

/// A server on loopback that speaks TLS.
pub(crate) async fn start(certificate: &str, answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
    let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (answer, kept) = (Arc::new(answer), Arc::clone(&seen));
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { return };
            let (acceptor, answer, kept) = (acceptor.clone(), Arc::clone(&answer), Arc::clone(&kept));
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    serve(stream, &*answer, &kept).await;
                }
            });
        }
    });
    Server { url, seen }
}
