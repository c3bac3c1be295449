//! Who webhooks are sent to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::PATIENCE;

/// Hears webhooks and answers them, unless it is told to hold its answers.
pub(crate) struct Receiver {
    pub(crate) url: String,
    heard: Arc<Mutex<Heard>>,
    is_open: watch::Sender<bool>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Heard {
    ids: Vec<String>,
    now: usize,
    most: usize,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        Self::start_slow(Duration::ZERO).await
    }

    /// One that takes its time for each answer, in which its caller may die.
    pub(crate) async fn start_slow(pause: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Heard::default()));
        let is_open = watch::Sender::new(true);
        let (noted, gate) = (Arc::clone(&heard), is_open.subscribe());
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(answer(stream, Arc::clone(&noted), gate.clone(), pause));
            }
        });
        Self {
            url,
            heard,
            is_open,
            task,
        }
    }

    /// Holds its answers from now on.
    pub(crate) fn hold(&self) {
        self.is_open.send_replace(false);
    }

    /// Answers what it has held, and all that comes.
    pub(crate) fn open(&self) {
        self.is_open.send_replace(true);
    }

    /// How often each webhook was heard, by its id.
    pub(crate) fn times(&self) -> HashMap<String, usize> {
        let mut times = HashMap::new();
        for id in &self.heard.lock().unwrap().ids {
            *times.entry(id.clone()).or_default() += 1;
        }
        times
    }

    /// The most that were heard and not answered at a time.
    pub(crate) fn most_at_once(&self) -> usize {
        self.heard.lock().unwrap().most
    }

    /// Waits until so many have been heard.
    pub(crate) async fn until(&self, wanted: usize) {
        let end = Instant::now() + PATIENCE;
        loop {
            let heard = self.heard.lock().unwrap().ids.len();
            if heard >= wanted {
                return;
            }
            assert!(Instant::now() < end, "{heard} were heard, not {wanted}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    mut stream: TcpStream,
    heard: Arc<Mutex<Heard>>,
    mut gate: watch::Receiver<bool>,
    pause: Duration,
) {
    let Some(request) = read(&mut stream).await else {
        return;
    };
    {
        let mut heard = heard.lock().unwrap();
        heard.ids.push(request["webhook-id"].clone());
        heard.now += 1;
        heard.most = heard.most.max(heard.now);
    }
    let _ = gate.wait_for(|is_open| *is_open).await;
    tokio::time::sleep(pause).await;
    // Who was asked by a worker that died meanwhile has nobody to answer.
    heard.lock().unwrap().now -= 1;
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";
    let _ = stream.write_all(answer.as_bytes()).await;
}

/// The headers of a request, and its body as `body`; nothing if it is cut off.
pub(crate) async fn read(stream: &mut TcpStream) -> Option<HashMap<String, String>> {
    let mut text = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk).await {
            Ok(read) if read > 0 => text.extend_from_slice(&chunk[..read]),
            _ => return None,
        }
        let all = String::from_utf8_lossy(&text).into_owned();
        if let Some((head, body)) = all.split_once("\r\n\r\n")
            && body.ends_with('}')
        {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            let mut request: HashMap<String, String> = lines
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            request.insert("body".to_owned(), body.to_owned());
            return Some(request);
        }
    }
}
