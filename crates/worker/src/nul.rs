//! Texts without the character NUL, which PostgreSQL keeps in no text.

use panicle_report::Report;
use serde_json::Value;

/// What is shown for it, as terminals do: the symbol for it.
const SYMBOL: &str = "\u{2400}";

/// The same report, with a visible character for each NUL in its texts: memory has them, and a crash must not
/// be lost over one.
pub(crate) fn without_nul(report: Box<Report>) -> Result<Box<Report>, String> {
    let json = serde_json::to_string(&report).map_err(|error| error.to_string())?;
    // As JSON has it, or a backslash before `u0000`, for which nothing will be replaced.
    if !json.contains("\\u0000") {
        return Ok(report);
    }
    let mut value: Value = serde_json::from_str(&json).map_err(|error| error.to_string())?;
    replace(&mut value);
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn replace(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = text.replace('\0', SYMBOL),
        Value::Array(items) => items.iter_mut().for_each(replace),
        Value::Object(fields) => fields.values_mut().for_each(replace),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::replace;

    #[test]
    fn only_nul_is_replaced_and_everywhere() {
        let mut value = json!({ "a": ["x\0y", { "b": "\\u0000" }], "c": 0, "d": "\u{1}" });
        replace(&mut value);
        assert_eq!(value, json!({ "a": ["x\u{2400}y", { "b": "\\u0000" }], "c": 0, "d": "\u{1}" }));
    }
}
