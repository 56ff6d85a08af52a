//! A way to a server that can be slow, that breaks, and that stays where it is when the server moves.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

const PIECE: usize = 32 << 10;

/// The server's end, and what happens on the way to it.
#[derive(Default)]
struct Way {
    target: Mutex<String>,
    /// Pause after each piece that goes to the server.
    pause_us: AtomicU64,
    /// Connections to break after so many more bytes, each.
    break_after: AtomicU64,
    breaks_left: AtomicU32,
    /// The server is one from before there were uploads in several requests.
    old: AtomicBool,
    old_asked: AtomicU32,
}

pub(crate) struct Link {
    pub(crate) url: String,
    way: Arc<Way>,
}

impl Link {
    pub(crate) fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let way = Arc::new(Way::default());
        let link = Self { url, way: Arc::clone(&way) };
        link.lead_to(server);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let way = Arc::clone(&way);
                thread::spawn(move || connect(client, &way));
            }
        });
        link
    }

    pub(crate) fn lead_to(&self, server: &str) {
        server.strip_prefix("http://").unwrap().clone_into(&mut self.way.target.lock().unwrap());
    }

    /// At most about so many bytes a second.
    pub(crate) fn slow_down(&self, bytes_per_second: u64) {
        self.way.pause_us.store(PIECE as u64 * 1_000_000 / bytes_per_second, Ordering::Relaxed);
    }

    /// Breaks so many connections, each after so many bytes.
    pub(crate) fn break_connections(&self, number: u32, after: u64) {
        self.way.break_after.store(after, Ordering::Relaxed);
        self.way.breaks_left.store(number, Ordering::Relaxed);
    }

    pub(crate) fn breaks_left(&self) -> u32 {
        self.way.breaks_left.load(Ordering::Relaxed)
    }

    /// Answers requests for uploads in several requests as a server did that had none.
    pub(crate) fn grow_old(&self) {
        self.way.old.store(true, Ordering::Relaxed);
    }

    pub(crate) fn old_was_asked(&self) -> u32 {
        self.way.old_asked.load(Ordering::Relaxed)
    }
}

fn connect(mut client: TcpStream, way: &Arc<Way>) {
    let target = way.target.lock().unwrap().clone();
    let Ok(mut server) = TcpStream::connect(target) else { return };
    let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let mut buffer = vec![0; PIECE];
    let mut sent = 0;
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        if way.old.load(Ordering::Relaxed) && buffer.starts_with(b"POST /api/v1/uploads ") {
            way.old_asked.fetch_add(1, Ordering::Relaxed);
            let body = r#"{"type":"/problems/not-found","title":"There is no such thing","status":404,"detail":"x"}"#;
            let answer = format!(
                "HTTP/1.1 404 Not Found\r\ncontent-type: application/problem+json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = client.write_all(answer.as_bytes());
            continue;
        }
        if server.write_all(&buffer[..count]).is_err() {
            break;
        }
        sent += count as u64;
        if sent > way.break_after.load(Ordering::Relaxed)
            && way
                .breaks_left
                .try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1))
                .is_ok()
        {
            break;
        }
        thread::sleep(Duration::from_micros(way.pause_us.load(Ordering::Relaxed)));
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
}
