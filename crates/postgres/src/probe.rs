//! A cheap question to the server: do you accept our connections?

use std::path::Path;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

use crate::{PORT, options::SUPERUSER};

/// Protocol 3.0 (PostgreSQL documentation, "Message Formats", `StartupMessage`).
const PROTOCOL: i32 = 196_608;

/// The server is there and has not finished starting.
const CANNOT_CONNECT_NOW: &str = "57P03";

/// All connections are taken, so it accepts them.
const TOO_MANY_CONNECTIONS: &str = "53300";

/// More than any error of a connection attempt.
const LONGEST_ANSWER: usize = 16 * 1024;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Ready,
    NotYet,
    Refused(String),
}

/// Connects as the superuser and reads the first answer.
pub(crate) async fn ask(socket_dir: &Path) -> Answer {
    match first_message(socket_dir).await {
        Ok((kind, body)) => judge(kind, &body),
        Err(_) => Answer::NotYet,
    }
}

async fn first_message(socket_dir: &Path) -> std::io::Result<(u8, Vec<u8>)> {
    let mut stream = UnixStream::connect(socket_dir.join(format!(".s.PGSQL.{PORT}"))).await?;
    stream.write_all(&startup_message()).await?;
    let kind = stream.read_u8().await?;
    let length = usize::try_from(stream.read_i32().await?).unwrap_or(0).saturating_sub(4);
    let mut body = vec![0; length.min(LONGEST_ANSWER)];
    stream.read_exact(&mut body).await?;
    // `Terminate`, so that the server notes no broken connection.
    stream.write_all(b"X\0\0\0\x04").await?;
    Ok((kind, body))
}

fn startup_message() -> Vec<u8> {
    let mut body = PROTOCOL.to_be_bytes().to_vec();
    for word in ["user", SUPERUSER, "database", "postgres"] {
        body.extend_from_slice(word.as_bytes());
        body.push(0);
    }
    body.push(0);
    // A few dozen bytes always fit.
    let length = i32::try_from(body.len() + 4).unwrap_or(i32::MAX);
    let mut message = length.to_be_bytes().to_vec();
    message.append(&mut body);
    message
}

fn judge(kind: u8, body: &[u8]) -> Answer {
    match kind {
        b'R' if body == [0; 4] => Answer::Ready,
        b'R' => {
            Answer::Refused("it asks for a password: its pg_hba.conf was changed while it ran".to_owned())
        }
        b'E' => {
            let field = |name: u8| {
                body.split(|byte| *byte == 0)
                    .find_map(|field| field.strip_prefix(&[name]))
                    .map(|text| String::from_utf8_lossy(text).into_owned())
                    .unwrap_or_default()
            };
            match field(b'C').as_str() {
                CANNOT_CONNECT_NOW => Answer::NotYet,
                TOO_MANY_CONNECTIONS => Answer::Ready,
                _ => Answer::Refused(field(b'M')),
            }
        }
        _ => Answer::Refused("it does not speak PostgreSQL's protocol".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_usual_answers() {
        assert_eq!(judge(b'R', &[0; 4]), Answer::Ready);
        assert_eq!(judge(b'E', b"SFATAL\0C57P03\0Mthe database system is starting up\0\0"), Answer::NotYet);
        assert_eq!(judge(b'E', b"SFATAL\0C53300\0Msorry, too many clients already\0\0"), Answer::Ready);
        assert_eq!(
            judge(b'E', b"SFATAL\0C28000\0MPeer authentication failed\0\0"),
            Answer::Refused("Peer authentication failed".to_owned())
        );
    }
}
