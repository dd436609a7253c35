//! WordPress's own API beside the shop's, `wp/v2`: its media library. It knows no key of the shop, but a user with an
//! application password, and takes a file as a form.

use crate::connector::file::File;

/// Whether a route is WordPress's own.
pub(super) fn is_own(route: &str) -> bool {
    route.starts_with("/wp/")
}

/// A form with the texts of a body as its fields, and the file: its content type and its bytes.
pub(super) fn form(body: &str, file: &File) -> (String, Vec<u8>) {
    let mark = format!("flowc-{}", &file.hash[..32.min(file.hash.len())]);
    let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(body).unwrap_or_default();
    let texts = members.iter().filter_map(|(name, value)| Some((name, value.as_str()?)));
    let mut out = Vec::with_capacity(file.bytes.len() + body.len() + 512);
    let mut name = mark.clone();
    for (field, text) in texts {
        if field == "slug" {
            text.clone_into(&mut name);
        }
        let head = format!("--{mark}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{text}\r\n");
        out.extend_from_slice(head.as_bytes());
    }
    // What tells a file's name from a header's other words is no part of it.
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    let head = format!(
        "--{mark}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}.{}\"\r\nContent-Type: {}\r\n\r\n",
        file.ending(),
        file.kind
    );
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(&file.bytes);
    out.extend_from_slice(format!("\r\n--{mark}--\r\n").as_bytes());
    (format!("multipart/form-data; boundary={mark}"), out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_the_texts_and_the_file_under_a_name_of_ours() {
        let file = File::new(b"\x89PNG\r\n--x".to_vec(), None);
        let (_, body) = form(r#"{"slug":"flowc-1","alt_text":"A \"cup\"","file":{"hash":"1"}}"#, &file);
        let text = String::from_utf8_lossy(&body).into_owned();
        assert!(text.contains("name=\"slug\"\r\n\r\nflowc-1\r\n") && text.contains("A \"cup\"\r\n"), "{text}");
        assert!(text.contains("filename=\"flowc-1.png\"\r\nContent-Type: image/png\r\n\r\n"), "{text}");
        assert!(!text.contains("hash") && text.ends_with("--\r\n"));
    }
}
