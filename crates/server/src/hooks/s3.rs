//! Events of buckets, as their makers write them.
//!
//! - AWS S3, "Event message structure"; MinIO and Ceph write the same, with `s3:` in front of the name of the event or
//!   not, and Ceph's size may be a text. In these, keys are URL-encoded, with a plus for a blank.
//! - Amazon EventBridge, "S3 event message structure": keys are as they are.
//! - CloudEvents 1.0 with such a record as `data`, as its "AWS Simple Storage Service" adapter and Ceph's notifications
//!   have it, alone or in a batch. In the binary form, the headers add nothing that is needed here.
//! - Any of them as the text of an Amazon SNS notification.

use base64::{Engine, engine::general_purpose::STANDARD};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::shapes::objects::Refused;

/// Wrappings within each other; SNS has CloudEvents that have records.
const MAX_DEPTH: u32 = 5;
/// Events of one request.
pub(crate) const MAX_EVENTS: usize = 1000;
/// Keys of S3 have at most so many bytes; encoded, three times as many.
const MAX_KEY: usize = 3 * 1024;

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    /// It is there now.
    Created,
    /// It is not there any more.
    Removed,
    /// Nothing that is of interest.
    Other,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) happened: Happened,
    pub(crate) bucket: String,
    /// Decoded.
    pub(crate) key: String,
    /// As it is in the event.
    pub(crate) raw_key: String,
    pub(crate) size: Option<u64>,
    /// Without quotation marks.
    pub(crate) etag: Option<String>,
    pub(crate) version_id: Option<String>,
    pub(crate) sequencer: Option<String>,
}

/// What a document says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) events: Vec<Event>,
    /// A test of the way, which tells of no object.
    pub(crate) tests: usize,
    /// The topic that asks whether it may send here, and where to say so.
    pub(crate) subscription: Option<(String, String)>,
    /// What cannot be understood.
    pub(crate) refused: Vec<Refused>,
}

/// Why nothing is taken of a document, or of a part of one.
#[derive(Debug)]
enum Wrong {
    /// This part of it.
    Part(String),
    /// All of it, whatever else is in it.
    Document(String),
}

impl From<String> for Wrong {
    fn from(reason: String) -> Self {
        Self::Part(reason)
    }
}

impl From<&str> for Wrong {
    fn from(reason: &str) -> Self {
        Self::Part(reason.to_owned())
    }
}

/// Reads a document; the error says what it cannot be. Of a list, what can be understood is taken.
pub(crate) fn read(document: &Value) -> Result<Told, String> {
    let mut told = Told::default();
    match collect(document, "", MAX_DEPTH, &mut told) {
        Ok(()) => {}
        Err(Wrong::Part(reason) | Wrong::Document(reason)) => return Err(reason),
    }
    let is_nothing = told.events.is_empty() && told.tests == 0 && told.subscription.is_none();
    match told.refused.first() {
        Some(first) if is_nothing => Err(first.to_string()),
        _ => Ok(told),
    }
}

/// Each item of a list for itself.
fn each(
    list: &[Value],
    place: &str,
    told: &mut Told,
    mut read: impl FnMut(&Value, &str, &mut Told) -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    for (number, item) in list.iter().enumerate() {
        let place = format!("{place}/{number}");
        match read(item, &place, told) {
            Err(Wrong::Part(reason)) => {
                is_room(told)?;
                told.refused.push(Refused { place, reason });
            }
            read => read?,
        }
    }
    Ok(())
}

fn collect(value: &Value, place: &str, depth: u32, told: &mut Told) -> Result<(), Wrong> {
    if depth == 0 {
        return Err("it is wrapped too often".into());
    }
    if let Some(list) = value.as_array() {
        return each(list, place, told, |item, place, told| collect(item, place, depth - 1, told));
    }
    if let Some(records) = value.get("Records") {
        let records = records.as_array().ok_or("Records is no list")?;
        return each(records, &format!("{place}/Records"), told, |item, _, told| record(item, told));
    }
    if value.get("s3").is_some() {
        return record(value, told);
    }
    if value.get("detail-type").is_some() {
        return bridged(value, told);
    }
    if value.get("specversion").is_some() {
        if let Some(data) = value.get("data") {
            // Some send the data as the text that it is in the binary form.
            return inner(data, &format!("{place}/data"), depth, told);
        }
        let data = value.get("data_base64").and_then(Value::as_str).ok_or("the CloudEvent has no data")?;
        let data = STANDARD.decode(data).map_err(|_| "data_base64 is no base64")?;
        let data: Value = serde_json::from_slice(&data).map_err(|error| format!("data_base64: {error}"))?;
        return collect(&data, &format!("{place}/data_base64"), depth - 1, told);
    }
    match value.get("Type").and_then(Value::as_str) {
        Some("Notification") => {
            let message = value.get("Message").ok_or("the notification has no Message")?;
            return inner(message, &format!("{place}/Message"), depth, told);
        }
        Some("SubscriptionConfirmation") => {
            let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let address = text("SubscribeURL");
            if address.len() > MAX_KEY || topic_host(&address).is_none() {
                return Err("SubscribeURL is no address of Amazon SNS".into());
            }
            told.subscription = Some((text("TopicArn"), address));
            return Ok(());
        }
        _ => {}
    }
    // What AWS sends once when notifications are configured.
    if value.get("Event").and_then(Value::as_str) == Some("s3:TestEvent") {
        told.tests += 1;
        return Ok(());
    }
    Err("it is no event of a bucket: it has neither Records, nor a record s3, nor is it of EventBridge, a CloudEvent \
         or a notification of SNS"
        .into())
}

/// The host of an address, if that is one of SNS: `sns.<region>.amazonaws.com`, or `.com.cn` in China.
pub(crate) fn topic_host(address: &str) -> Option<String> {
    let address: http::Uri = address.parse().ok()?;
    let host = address.host()?.to_ascii_lowercase();
    let authority = address.authority()?.as_str();
    let region =
        host.strip_suffix(".cn").unwrap_or(&host).strip_prefix("sns.")?.strip_suffix(".amazonaws.com")?;
    let is_region = !region.is_empty()
        && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    (is_region && address.scheme_str() == Some("https") && authority.eq_ignore_ascii_case(&host))
        .then_some(host)
}

/// A document, or the text of one.
fn inner(value: &Value, place: &str, depth: u32, told: &mut Told) -> Result<(), Wrong> {
    match value.as_str() {
        None => collect(value, place, depth - 1, told),
        Some(text) => {
            let parsed: Value =
                serde_json::from_str(text).map_err(|error| format!("the inner text: {error}"))?;
            collect(&parsed, place, depth - 1, told)
        }
    }
}

fn record(record: &Value, told: &mut Told) -> Result<(), Wrong> {
    let text = |pointer: &str| record.pointer(pointer).and_then(Value::as_str);
    let name = text("/eventName").ok_or("a record has no eventName")?;
    let bucket = text("/s3/bucket/name").ok_or("a record has no s3.bucket.name")?;
    let raw_key = text("/s3/object/key").ok_or("a record has no s3.object.key")?;
    let happened = happened(name.strip_prefix("s3:").unwrap_or(name));
    let object = record.pointer("/s3/object").unwrap_or(&Value::Null);
    let version = object.get("versionId").or_else(|| object.get("version-id"));
    push(told, name, happened, bucket, raw_key, &decoded(raw_key), object, version)
}

/// An event by way of EventBridge.
fn bridged(event: &Value, told: &mut Told) -> Result<(), Wrong> {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
    let name = text("/detail-type").ok_or("detail-type is no text")?;
    let happened = match name {
        "Object Created" => Happened::Created,
        "Object Deleted" => Happened::Removed,
        _ => Happened::Other,
    };
    let bucket = text("/detail/bucket/name").ok_or("the event has no detail.bucket.name")?;
    let key = text("/detail/object/key").ok_or("the event has no detail.object.key")?;
    let object = event.pointer("/detail/object").unwrap_or(&Value::Null);
    push(told, name, happened, bucket, key, key, object, object.get("version-id"))
}

#[expect(clippy::too_many_arguments, reason = "the parts of an event, by the two ways to name them")]
fn push(
    told: &mut Told,
    name: &str,
    happened: Happened,
    bucket: &str,
    raw_key: &str,
    key: &str,
    object: &Value,
    version: Option<&Value>,
) -> Result<(), Wrong> {
    is_room(told)?;
    let said = |value: Option<&Value>| {
        let text = value?.as_str()?.trim_matches('"');
        Some(text.to_owned()).filter(|text| !text.is_empty() && text != "null")
    };
    let etag = object.get("eTag").or_else(|| object.get("etag"));
    let size = match object.get("size") {
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.trim().parse().ok(),
        _ => None,
    };
    let event = Event {
        name: name.to_owned(),
        happened,
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        raw_key: raw_key.to_owned(),
        size,
        etag: said(etag),
        version_id: said(version),
        sequencer: said(object.get("sequencer")),
    };
    let texts = [&event.name, &event.bucket, &event.key, &event.raw_key];
    let more = [&event.etag, &event.version_id, &event.sequencer].into_iter().flatten();
    if texts.into_iter().chain(more).any(|text| text.len() > MAX_KEY || text.contains('\0')) {
        return Err(format!("a text of an event has more than {MAX_KEY} bytes, or a zero character").into());
    }
    told.events.push(event);
    Ok(())
}

fn is_room(told: &Told) -> Result<(), Wrong> {
    if told.events.len() + told.refused.len() >= MAX_EVENTS {
        return Err(Wrong::Document(format!("there are more than {MAX_EVENTS} events")));
    }
    Ok(())
}

fn happened(name: &str) -> Happened {
    let class = name.split(':').next().unwrap_or(name);
    match class {
        // The old S3 API of Ceph has `ObjectCreated:Put`, and so have all; a restored object is there again.
        "ObjectCreated" => Happened::Created,
        "ObjectRemoved" | "LifecycleExpiration" | "ObjectLifecycle" => Happened::Removed,
        "ObjectRestore" if name == "ObjectRestore:Completed" => Happened::Created,
        _ => Happened::Other,
    }
}

/// A key as the bucket has it. What is no encoding stays as it is.
fn decoded(key: &str) -> String {
    let blanks = key.replace('+', " ");
    percent_decode_str(&blanks).decode_utf8().map_or_else(|_| key.to_owned(), std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests;
