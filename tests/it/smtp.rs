//! A mail server that keeps what it is given, one file for each mail.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// The server; it ends with the test's runtime.
pub(crate) struct MailServer {
    folder: tempfile::TempDir,
    port: u16,
}

impl MailServer {
    /// Starts on any free port. The first mails are refused, so many, as a server does that is busy.
    pub(crate) async fn start(refused: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (path, count) = (folder.path().to_owned(), Arc::new(AtomicUsize::new(0)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (path, count) = (path.clone(), Arc::clone(&count));
                tokio::spawn(async move {
                    // A client that goes away in between has sent nothing.
                    let _ended = talk(stream, &path, &count, refused).await;
                });
            }
        });
        Self { folder, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}?tls=none", self.port)
    }

    pub(crate) fn folder(&self) -> String {
        self.folder.path().display().to_string()
    }
}

async fn talk(
    stream: TcpStream,
    folder: &Path,
    count: &AtomicUsize,
    refused: usize,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.example\r\n").await?;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mail = read_mail(&mut stream).await?;
                let number = count.fetch_add(1, Ordering::SeqCst);
                if number < refused {
                    "451 busy"
                } else {
                    keep(folder, number, &mail)?;
                    "250 taken"
                }
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "250 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

async fn read_mail(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let (mut mail, mut line) = (String::new(), String::new());
    while stream.read_line(&mut line).await? > 0 && line != ".\r\n" {
        mail.push_str(line.strip_prefix('.').unwrap_or(&line));
        line.clear();
    }
    Ok(mail)
}

/// A file that is there is whole.
fn keep(folder: &Path, number: usize, mail: &str) -> std::io::Result<()> {
    let file: PathBuf = folder.join(format!("{number:04}.eml"));
    let draft = folder.join(format!("{number:04}.draft"));
    std::fs::write(&draft, mail)?;
    std::fs::rename(draft, file)
}
