use std::{
    io::{Read, Write},
    net::TcpListener,
};

use serde_json::json;

use super::{Client, encode};

#[test]
fn names_are_encoded() {
    assert_eq!(encode("core.1"), "core.1");
    assert_eq!(encode("a b&c=ü"), "a%20b%26c%3D%C3%BC");
}

/// Reads the head and the body of a request, and answers it unless `answer` is empty.
fn serve(listener: &TcpListener, answer: &str) {
    let (mut stream, _) = listener.accept().unwrap();
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                break;
            }
        }
        let mut piece = [0; 1024];
        let count = stream.read(&mut piece).unwrap();
        assert!(count > 0);
        request.extend_from_slice(&piece[..count]);
    }
    stream.write_all(answer.as_bytes()).unwrap();
}

#[test]
fn a_change_whose_answer_got_lost_was_made_by_this_client() {
    let answer = |status: &str, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\netag: \"2\"\r\n\r\n{body}"
        )
    };
    for (there, ours) in [(json!({ "keep": 1 }), true), (json!({ "keep": 9 }), false)] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let answers =
            [String::new(), answer("412 Precondition Failed", "{}"), answer("200 OK", &there.to_string())];
        let serving = std::thread::spawn(move || answers.iter().for_each(|answer| serve(&listener, answer)));
        let client = Client::new(&server, None).unwrap();
        let sent = client.send("PUT", "retention", &json!({ "keep": 1 }), Some("\"1\""));
        serving.join().unwrap();
        match sent {
            Ok(now) => assert!(ours && now.etag.as_deref() == Some("\"2\"")),
            Err(error) => assert!(!ours, "{error}"),
        }
    }
}

#[test]
fn a_server_has_a_scheme() {
    assert!(Client::new("localhost:7171", None).is_err());
    assert!(Client::new("http://", None).is_err());
    assert!(Client::new("http://localhost:7171/", None).is_ok());
}
