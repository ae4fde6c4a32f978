//! What strangers post to the page of one-time links, and what goes over the line between the public role and web.

use domain::{ExportId, LinkCode, LinkTry, LinkWord};

const TOKEN: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// Whatever is read goes over the line and reads the same there; a code is read again from how it is told.
pub fn form(bytes: &[u8]) {
    let Some(read) = LinkTry::from_form(bytes) else { return };
    assert!(bytes.len() <= domain::limit::LINK_FORM_BYTES_MAX);
    assert_eq!(LinkTry::from_bytes(&read.to_bytes()).as_ref(), Some(&read));
    assert_eq!(LinkCode::parse(read.code.text().as_bytes()).as_ref(), Some(&read.code));
    let again = format!("code={}&jeton={}", read.code.text(), read.token.text());
    assert_eq!(LinkTry::from_form(again.as_bytes()), Some(read));
}

pub fn form_seeds() -> Vec<Vec<u8>> {
    let forms = [
        format!("jeton={TOKEN}&code=70Q2M-X1KRT"),
        format!("code=+7oq2m%20xlkrt%0D%0A&jeton={}", TOKEN.to_uppercase()),
        format!("jeton={TOKEN}&code="),
    ];
    forms.into_iter().map(String::into_bytes).collect()
}

/// Web's first word, and a try as web reads it.
pub fn line(bytes: &[u8]) {
    if let Some(word) = bytes.get(..LinkWord::BYTES).and_then(|word| word.try_into().ok()).map(LinkWord::from_bytes) {
        assert!(word.is_none_or(|word| LinkWord::from_bytes(&word.to_bytes()) == Some(word)));
    }
    if let Some(read) = bytes.get(..LinkTry::BYTES).and_then(|asked| LinkTry::from_bytes(asked.try_into().ok()?)) {
        assert_eq!(LinkTry::from_bytes(&read.to_bytes()), Some(read));
    }
}

pub fn line_seeds() -> Vec<Vec<u8>> {
    let form = &form_seeds()[0];
    let tried = LinkTry::from_form(form).expect("a right form").to_bytes().to_vec();
    let yes = LinkWord::Yes { export: ExportId([7; 16]), bytes: 1 << 33 }.to_bytes().to_vec();
    vec![tried, [yes, b"sealed".to_vec(), vec![0; 16]].concat(), vec![0; LinkTry::BYTES]]
}
