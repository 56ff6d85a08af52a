//! Logs of one JSON object a line: docker's `{"log":"…\n"}`, journald's `{"MESSAGE":"…"}`, and loggers that
//! put a stack into a field (`stack`, `stacktrace`, `error`).
//!
//! No name of a field is known here: the field that holds what the runtime prints is the one.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Texts taken of one object.
const MAX_TEXTS: usize = 256;

/// Fields that name a process' container, number or stream: docker's, journald's, those of Kubernetes as shippers
/// and clouds write them.
const NAMES: [&str; 11] = [
    "stream",
    "container",
    "container_id",
    "container_name",
    "containerId",
    "containerName",
    "pod",
    "pod_name",
    "podName",
    "_PID",
    "_HOSTNAME",
];

/// The texts in an object, also in objects within it.
pub(in super::super) struct Object {
    /// Innermost key and text, in their order.
    pub(super) texts: Vec<(String, Vec<u8>)>,
}

impl Object {
    /// Who wrote the record, by the fields in which log drivers and shippers name it.
    pub(super) fn source(&self) -> Option<u64> {
        let named =
            self.texts.iter().filter(|(key, _)| NAMES.iter().any(|name| key.eq_ignore_ascii_case(name)));
        let mut names = named.flat_map(|(key, text)| [key.as_bytes(), text]).peekable();
        names.peek()?;
        Some(super::source(names))
    }

    /// `None` where the line is no JSON object. Of one that is cut what is before the cut is there.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        if !is_object(line) {
            return None;
        }
        let mut texts = Vec::new();
        let mut json = serde_json::Deserializer::from_slice(line);
        // An object that ends early still gave what came before.
        let _ = serde::de::DeserializeSeed::deserialize(Value { key: "", texts: &mut texts }, &mut json);
        Some(Self { texts })
    }
}

/// The line could be a JSON object.
pub(in super::super) fn is_object(line: &[u8]) -> bool {
    line.first() == Some(&b'{') && matches!(line.get(1), Some(b'"' | b' '))
}

/// Cheap: whether anything in a record looks like what the runtime prints.
pub(super) fn may_hold(line: &[u8]) -> bool {
    // What `headline::begins_crash` knows.
    const MARKS: [&[u8]; 11] = [
        b"goroutine ",
        b"panic: ",
        b"fatal error: ",
        b"runtime: ",
        b"unexpected fault address ",
        b"DATA RACE",
        b"http: panic serving ",
        b"SIG",
        // And of `godebug::kind`.
        b" ms clock, ",
        b"ms: gomaxprocs=",
        b"scav ",
    ];
    // As numbers: journald writes a text with colours as a list of bytes, 27 91 being `\x1b[`.
    const BYTES: &[u8] = b"[27,91,";
    MARKS.iter().any(|mark| memchr::memmem::find(line, mark).is_some())
        || memchr::memmem::find(line, BYTES).is_some()
}

/// A value under a key: texts are taken, all else is passed.
struct Value<'a> {
    key: &'a str,
    texts: &'a mut Vec<(String, Vec<u8>)>,
}

impl Value<'_> {
    fn take(self, text: &[u8]) {
        if self.texts.len() < MAX_TEXTS {
            self.texts.push((self.key.to_owned(), text.to_owned()));
        }
    }
}

impl<'de> serde::de::DeserializeSeed<'de> for Value<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.take(text.as_bytes());
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut bytes = Some(Vec::new());
        while let Some(element) = seq.next_element_seed(Element { key: self.key, texts: &mut *self.texts })? {
            match (&mut bytes, element) {
                (Some(bytes), Some(byte)) => bytes.push(byte),
                _ => bytes = None,
            }
        }
        if let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) {
            self.take(&bytes);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Key>()? {
            map.next_value_seed(Value { key: &key.0, texts: &mut *self.texts })?;
        }
        Ok(())
    }
}

/// A key, of a bounded length.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut key = String::deserialize(deserializer)?;
        if key.len() > 200 {
            key = key.chars().take(50).collect();
        }
        Ok(Self(key))
    }
}

/// An element of a list: a byte of a text that is written as numbers, or a value.
struct Element<'a> {
    key: &'a str,
    texts: &'a mut Vec<(String, Vec<u8>)>,
}

impl<'de> serde::de::DeserializeSeed<'de> for Element<'_> {
    type Value = Option<u8>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<u8>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = Option<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_u64<E>(self, number: u64) -> Result<Option<u8>, E> {
        Ok(u8::try_from(number).ok())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Option<u8>, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Option<u8>, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Option<u8>, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Option<u8>, E> {
        Ok(None)
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<u8>, E> {
        Value { key: self.key, texts: self.texts }.take(text.as_bytes());
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Option<u8>, A::Error> {
        Value { key: self.key, texts: self.texts }.visit_seq(seq).map(|()| None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<u8>, A::Error> {
        Value { key: self.key, texts: self.texts }.visit_map(map).map(|()| None)
    }
}
