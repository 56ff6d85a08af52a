use crate::bytes::Bytes;

/// How the record holds its strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildInfoForm {
    /// Behind the header, as Go writes them since 1.18.
    Inline,
    /// Behind pointers to string headers, as Go wrote them before. The value is the address at
    /// which the record will lie.
    Pointers(u64),
}

/// A build information record. `modules` are the lines as `go version -m` takes them apart, without
/// the marks around them.
pub fn build_info(form: BuildInfoForm, version: &str, modules: &str) -> Vec<u8> {
    // The marks of cmd/go/internal/modload, 16 bytes each.
    const START: &[u8] = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
    const END: &[u8] = b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";
    let framed = [START, modules.as_bytes(), END].concat();
    let mut bytes = Bytes::default();
    bytes.raw(b"\xff Go buildinf:");
    match form {
        BuildInfoForm::Inline => {
            bytes.raw(&[8, 2]).raw(&[0; 16]);
            for text in [version.as_bytes(), &framed] {
                let mut length = text.len();
                while length >= 0x80 {
                    bytes.raw(&[length as u8 | 0x80]);
                    length >>= 7;
                }
                bytes.raw(&[length as u8]).raw(text);
            }
        }
        BuildInfoForm::Pointers(address) => {
            let (headers, texts) = (address + 32, address + 64);
            bytes.raw(&[8, 0]).long(headers).long(headers + 16);
            bytes.long(texts).long(version.len() as u64);
            bytes.long(texts + version.len() as u64).long(framed.len() as u64);
            bytes.raw(version.as_bytes()).raw(&framed);
        }
    }
    bytes.align(16);
    bytes.0
}
