use axum::routing::{get, post};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    sync::mpsc,
};

use super::*;

/// Connections that a test makes, without a network, so that the clock can be turned.
struct Made(mpsc::Receiver<io::Result<DuplexStream>>);

impl Accept for Made {
    type Stream = DuplexStream;

    async fn accept(&mut self) -> io::Result<DuplexStream> {
        match self.0.recv().await {
            Some(made) => made,
            None => std::future::pending().await,
        }
    }
}

/// A server, and how to connect to it.
struct Served {
    made: mpsc::Sender<io::Result<DuplexStream>>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

const LIMITS: Limits = Limits {
    connections: 3,
    head: Duration::from_secs(10),
    body: Duration::from_secs(30),
    body_bytes: 100,
};

fn served() -> Served {
    let (made, connections) = mpsc::channel(1_000);
    let (stop, stopped) = watch::channel(false);
    let router = Router::new()
        .route("/", get(async || "here\n"))
        .route("/body", post(async |body: Bytes| body.len().to_string()));
    let task = tokio::spawn(serve(Made(connections), router, LIMITS, stopped));
    Served { made, stop, task }
}

impl Served {
    async fn connect(&self) -> DuplexStream {
        let (ours, theirs) = duplex(64 << 10);
        self.made.send(Ok(theirs)).await.unwrap();
        ours
    }
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

async fn ask(mut stream: DuplexStream, request: &[u8]) -> String {
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(start_paused = true)]
async fn idle_connections_end_and_whoever_waits_gets_through() {
    let served = served();
    let mut idle = Vec::new();
    for _ in 0..53 {
        idle.push(served.connect().await);
    }
    // Half a head is no head.
    for stream in &mut idle {
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: ").await;
    }
    let began = tokio::time::Instant::now();
    let answer = ask(served.connect().await, REQUEST).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("here\n"), "{answer}");
    // 53 idle ones, three at a time, ten seconds each.
    assert!(began.elapsed() <= Duration::from_secs(190), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_stays_idle_after_a_request_ends_too() {
    let served = served();
    let mut stream = served.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(60), stream.read_to_end(&mut answer)).await;
    read.unwrap().unwrap();
    assert!(answer.ends_with(b"here\n"));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_comes_drop_by_drop_is_given_up() {
    let served = served();
    let mut stream = served.connect().await;
    let head = b"POST /body HTTP/1.1\r\nhost: localhost\r\ncontent-length: 90\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let (mut reading, mut writing) = tokio::io::split(stream);
    let drops = tokio::spawn(async move {
        while writing.write_all(b"x").await.is_ok() {
            sleep(Duration::from_secs(5)).await;
        }
    });
    let began = tokio::time::Instant::now();
    let mut answer = vec![0; 12];
    reading.read_exact(&mut answer).await.unwrap();
    assert_eq!(answer, b"HTTP/1.1 400");
    assert!(began.elapsed() <= Duration::from_secs(31), "{:?}", began.elapsed());
    drops.abort();
}

#[tokio::test(start_paused = true)]
async fn a_body_is_no_larger_than_it_may_be_whatever_it_announces() {
    let served = served();
    let head = "POST /body HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
    let right = format!("{head}content-length: 100\r\n\r\n{}", "x".repeat(100));
    assert!(ask(served.connect().await, right.as_bytes()).await.ends_with("100"));
    let announced = format!("{head}content-length: 101\r\n\r\n");
    let answer = ask(served.connect().await, announced.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let chunk = format!("64\r\n{}\r\n", "x".repeat(100));
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n");
    let answer = ask(served.connect().await, chunked.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn a_system_without_descriptors_is_asked_again_later() {
    let served = served();
    for _ in 0..5 {
        served.made.send(Err(io::Error::from_raw_os_error(24))).await.unwrap();
    }
    let began = tokio::time::Instant::now();
    let answer = ask(served.connect().await, REQUEST).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(began.elapsed() >= Duration::from_millis(2_500), "it does not ask in a circle");
}

#[tokio::test(start_paused = true)]
async fn it_ends_when_it_is_told_to() {
    let served = served();
    let _idle = served.connect().await;
    tokio::task::yield_now().await;
    served.stop.send_replace(true);
    tokio::time::timeout(Duration::from_secs(20), served.task).await.unwrap().unwrap();
}
