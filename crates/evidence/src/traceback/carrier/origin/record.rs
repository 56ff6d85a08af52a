//! Records of JSON: docker's, journald's, those of loggers and shippers.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Origin, json, name, pid, time};
use time::Written;

/// Records in records that are looked into, and objects in objects.
const MAX_DEPTH: u32 = 4;

/// What the fields of a record say, the outermost of each name.
#[derive(Default)]
struct Fields {
    /// When the journal's sender wrote it, when the journal had it, and when a logger or a driver says.
    times: [Option<(u32, Written)>; 3],
    pids: [Option<(u32, i32)>; 2],
    hostname: Option<(u32, String)>,
    container: Option<(u32, String)>,
    pod: Option<(u32, String)>,
    /// The journal's fields of docker's driver: the number is the driver's.
    driver: bool,
}

/// Adds what a record says to what is known.
pub(super) fn read(line: &[u8], origin: &mut Origin) {
    let mut fields = Fields::default();
    fields.object(line, 0);
    for (_, written) in fields.times.into_iter().flatten() {
        origin.written(written);
    }
    let [own, told] = fields.pids;
    let found = own.or(told).filter(|_| !fields.driver);
    origin.pid = origin.pid.or(found.map(|(_, pid)| pid));
    origin.hostname = origin.hostname.take().or(fields.hostname.map(|(_, name)| name));
    origin.container = origin.container.take().or(fields.container.map(|(_, name)| name));
    origin.pod = origin.pod.take().or(fields.pod.map(|(_, name)| name));
}

/// A value that a field can have.
enum Scalar<'a> {
    Text(&'a str),
    Whole(i128),
    Real(f64),
}

impl Fields {
    fn object(&mut self, line: &[u8], depth: u32) {
        let mut json = serde_json::Deserializer::from_slice(line);
        // Of one that is cut, what came before the cut is there.
        let _ = DeserializeSeed::deserialize(Value { fields: self, parent: "", key: "", depth }, &mut json);
    }

    fn take(&mut self, parent: &str, key: &str, depth: u32, value: &Scalar<'_>) {
        let number = || match value {
            Scalar::Text(text) => pid(text.as_bytes()),
            Scalar::Whole(number) => i32::try_from(*number).ok().filter(|pid| *pid > 0),
            Scalar::Real(_) => None,
        };
        let text = || match value {
            Scalar::Text(text) => name(text.as_bytes()),
            Scalar::Whole(_) | Scalar::Real(_) => None,
        };
        match (parent, key) {
            (_, "_SOURCE_REALTIME_TIMESTAMP") => outermost(&mut self.times[0], depth, value.time()),
            (_, "__REALTIME_TIMESTAMP") => outermost(&mut self.times[1], depth, value.time()),
            ("", "time" | "ts" | "timestamp" | "@timestamp" | "Time" | "Timestamp") => {
                outermost(&mut self.times[2], depth, value.time());
            }
            (_, "_PID") => outermost(&mut self.pids[0], depth, number()),
            ("" | "process", "pid") | (_, "SYSLOG_PID") => outermost(&mut self.pids[1], depth, number()),
            (_, "_HOSTNAME") | ("" | "host", "hostname") | ("host", "name") | ("kubernetes", "host") => {
                outermost(&mut self.hostname, depth, text());
            }
            (_, "CONTAINER_NAME") => {
                self.driver = true;
                outermost(&mut self.container, depth, text());
            }
            (_, "container_name" | "containerName" | "container_id" | "containerId")
            | ("", "container")
            | ("container", "name" | "id") => outermost(&mut self.container, depth, text()),
            (_, "pod_name" | "podName") | ("", "pod") | ("pod", "name") => {
                outermost(&mut self.pod, depth, text());
            }
            _ => {}
        }
    }
}

impl Scalar<'_> {
    fn time(&self) -> Option<Written> {
        match self {
            Self::Text(text) => Some(time::text(text.as_bytes())),
            Self::Whole(number) => (*number >= 0).then(|| time::number(*number, 0)),
            // zap's seconds.
            Self::Real(seconds) => (0.0..1e11).contains(seconds).then(|| {
                let nanos = (seconds.fract() * 1e9) as i128;
                time::number(seconds.trunc() as i128, nanos)
            }),
        }
    }
}

/// Takes a value unless one of an object further out is known.
fn outermost<T>(known: &mut Option<(u32, T)>, depth: u32, value: Option<T>) {
    if let Some(value) = value
        && known.as_ref().is_none_or(|(known, _)| *known > depth)
    {
        *known = Some((depth, value));
    }
}

/// A value under a key of an object under a key.
struct Value<'f, 'k> {
    fields: &'f mut Fields,
    parent: &'k str,
    key: &'k str,
    depth: u32,
}

impl Value<'_, '_> {
    fn take(self, value: &Scalar<'_>) {
        // The object itself is no field.
        if self.depth > 0 {
            self.fields.take(self.parent, self.key, self.depth, value);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        // Docker's record of a logger's record.
        if self.depth < MAX_DEPTH && json::is_object(text.as_bytes()) {
            self.fields.object(text.as_bytes(), self.depth);
        } else {
            self.take(&Scalar::Text(text));
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.take(&Scalar::Whole(i128::from(number)));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.take(&Scalar::Whole(i128::from(number)));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.take(&Scalar::Real(number));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if self.depth >= MAX_DEPTH {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            map.next_value_seed(Value {
                fields: &mut *self.fields,
                parent: self.key,
                key: &key,
                depth: self.depth + 1,
            })?;
        }
        Ok(())
    }
}
