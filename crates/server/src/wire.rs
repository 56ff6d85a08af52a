//! What the HTTP library answers by itself, before any handler is asked, as problems: a request line or headers that
//! are too long, and bytes that are no request.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    body::{Body, HttpBody},
    extract::{ConnectInfo, Request, connect_info::Connected},
    middleware::Next,
    response::Response,
    serve::{IncomingStream, Listener},
};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// An answer of the library has nothing but a few headers.
const MAX_BARE_BYTES: usize = 512;

/// Accepts connections whose bare errors become problems.
pub(crate) struct Problems(pub(crate) TcpListener);

impl Listener for Problems {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (Connection { stream, instead: None, handlers: Handlers::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// What handlers have to do with the bytes that are written to a connection. The library answers by itself only
/// when no handler has: what a handler sends is passed on whatever it looks like, stored evidence above all.
#[derive(Clone, Default)]
pub(crate) struct Handlers(Arc<Writing>);

#[derive(Default)]
struct Writing {
    /// Requests whose handler, or whose response's body, is not at its end.
    under_way: AtomicUsize,
    /// The library may have bytes of a response that it has not written.
    unwritten: AtomicBool,
}

impl Handlers {
    fn begin(&self) -> UnderWay {
        self.0.under_way.fetch_add(1, Ordering::SeqCst);
        self.0.unwritten.store(true, Ordering::SeqCst);
        UnderWay(self.clone())
    }

    /// The library has written all that it had: it flushes a connection only then.
    fn flushed(&self) {
        if self.0.under_way.load(Ordering::SeqCst) == 0 {
            self.0.unwritten.store(false, Ordering::SeqCst);
        }
    }

    fn may_be_writing(&self) -> bool {
        self.0.unwritten.load(Ordering::SeqCst)
    }
}

impl Connected<IncomingStream<'_, Problems>> for Handlers {
    fn connect_info(stream: IncomingStream<'_, Problems>) -> Self {
        stream.io().handlers.clone()
    }
}

/// A request that is not answered to its end.
struct UnderWay(Handlers);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.0.under_way.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Tells the connection of a request while it is answered.
pub(crate) async fn tell(
    ConnectInfo(handlers): ConnectInfo<Handlers>,
    request: Request,
    next: Next,
) -> Response {
    let under_way = handlers.begin();
    next.run(request).await.map(|body| Body::new(Told { body, _under_way: under_way }))
}

/// A body of a response, and the request that it answers.
struct Told {
    body: Body,
    _under_way: UnderWay,
}

impl HttpBody for Told {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A connection.
pub(crate) struct Connection {
    stream: TcpStream,
    handlers: Handlers,
    /// What is written in the place of a bare error, how much of it is out, and how long the error was.
    instead: Option<(Vec<u8>, usize, usize)>,
}

/// The problem for a bare answer, if `bytes` are one.
fn problem(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() > MAX_BARE_BYTES || !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let head = std::str::from_utf8(bytes).ok()?;
    let (line, headers) = head.split_once("\r\n")?;
    let status = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix("HTTP/1.0 "))?;
    let (slug, title, detail) = match status.get(..3)? {
        "400" => ("bad-request", "The request cannot be understood", "this is no HTTP request"),
        "414" => ("uri-too-long", "The address is too long", "an address has at most 65534 bytes"),
        "431" => {
            ("headers-too-large", "The headers are too large", "there are too many headers, or too long ones")
        }
        _ => return None,
    };
    let mut lines = headers.split("\r\n").filter(|line| !line.is_empty());
    let named =
        |line: &str, name: &str| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    if lines.clone().any(|line| named(line, "content-type:"))
        || !lines.any(|line| line.eq_ignore_ascii_case("content-length: 0"))
    {
        return None;
    }
    let number: u16 = status[..3].parse().ok()?;
    let body = serde_json::json!({
        "type": format!("/problems/{slug}"), "title": title, "status": number, "detail": detail
    })
    .to_string();
    let kept: Vec<&str> = headers
        .split("\r\n")
        .filter(|line| !line.is_empty() && !named(line, "content-length:"))
        .chain(["content-type: application/problem+json"])
        .collect();
    let kept = kept.join("\r\n");
    Some(format!("{line}\r\n{kept}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes())
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.instead.is_none() && !this.handlers.may_be_writing() {
            this.instead = problem(bytes).map(|instead| (instead, 0, bytes.len()));
        }
        while let Some((instead, written, length)) = &mut this.instead {
            match Pin::new(&mut this.stream).poll_write(cx, &instead[*written..]) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => *written += count,
                other => return other,
            }
            if *written == instead.len() {
                let length = *length;
                this.instead = None;
                return Poll::Ready(Ok(length));
            }
        }
        Pin::new(&mut this.stream).poll_write(cx, bytes)
    }

    // A bare error is one piece.
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [piece] = pieces {
            return self.poll_write(cx, piece);
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.handlers.flushed();
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
