#[cfg(test)]
mod tests {
    use super::has_zero;

    #[test]
    fn only_the_escape_of_a_zero_character_is_one() {
        assert!(has_zero(br#"{"owner":"a\u0000b"}"#));
        assert!(has_zero(br#""\\\u0000""#));
        for fine in [&br#""\\u0000""#[..], br#""u0000""#, br#""\u00001"#.split_at(5).0, b"\\", b""] {
            assert!(!has_zero(fine), "{fine:?}");
        }
    }
}
