//! Files of the ledger, such as pictures of items: what the answer to a call for one means. They lie at addresses that rows
//! show, behind the login.

use crate::connector::file::File;

/// What came where a file was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    File(File),
    /// The ledger says that there is none.
    Nothing,
    /// What who is not logged in is shown: a page where people do that.
    Shut(String),
    /// It cannot answer now.
    Outage(String),
    Refused(String),
}

/// What an answer with this status, this content type and these bytes is.
pub(super) fn came(status: u16, kind: Option<&str>, bytes: Vec<u8>) -> Came {
    let page = kind.is_some_and(|kind| kind.starts_with("text/html"));
    let said = || format!("it answered a call for a file with status {status}");
    match status {
        200 if !page && !bytes.is_empty() => Came::File(File::new(bytes, kind)),
        404 | 410 => Came::Nothing,
        200 | 300..=399 | 401 | 403 => Came::Shut(format!("it shows no file there, with status {status}")),
        429 | 500..=599 => Came::Outage(said()),
        _ => Came::Refused(said()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_no_page_is() {
        let png = || b"\x89PNG\r\n".to_vec();
        assert_eq!(came(200, Some("image/png"), png()), Came::File(File::new(png(), None)));
        assert_eq!(came(404, None, Vec::new()), Came::Nothing);
        let shut = [(200, Some("text/html; charset=utf-8")), (302, None), (401, None), (403, None)];
        for (status, kind) in shut {
            assert!(matches!(came(status, kind, png()), Came::Shut(_)), "{status}");
        }
        assert!(matches!(came(200, Some("image/png"), Vec::new()), Came::Shut(_)), "nothing is no file");
        assert!(matches!(came(503, None, Vec::new()), Came::Outage(_)));
        assert!(matches!(came(400, None, Vec::new()), Came::Refused(_)));
    }
}
