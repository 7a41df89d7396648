//! A web server with the files of a folder, each with its time, which answers whether it has changed since.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
    time::UNIX_EPOCH,
};

/// The server; its threads end with the test process.
#[derive(Debug)]
pub struct WebServer {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl WebServer {
    /// Serves what is in `folder` at the moment of each request.
    pub fn start(folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket").to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (folder, notes) = (folder.to_owned(), Arc::clone(&requests));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (folder, notes) = (folder.clone(), Arc::clone(&notes));
                thread::spawn(move || answer(stream, &folder, &notes));
            }
        });
        Self { address, requests }
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Of each request so far its first line, and in brackets the code it was answered with.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic while locked").clone()
    }
}

fn answer(mut stream: TcpStream, folder: &Path, requests: &Mutex<Vec<String>>) {
    let lines = BufReader::new(stream.try_clone().expect("a descriptor")).lines();
    let lines: Vec<String> =
        lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let Some(first) = lines.first() else { return };
    let path = first.split(' ').nth(1).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default().trim_start_matches('/');
    let since = lines.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("if-modified-since").then(|| value.trim().to_owned())
    });
    let (code, head, body) = file(&folder.join(path), since.as_deref());
    requests.lock().expect("no panic while locked").push(format!("{first} [{code}]"));
    let head = format!(
        "HTTP/1.1 {code} X\r\n{head}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // A client may have gone.
    drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)));
}

fn file(path: &PathBuf, since: Option<&str>) -> (u16, String, Vec<u8>) {
    let Ok(body) = fs::read(path) else { return (404, String::new(), b"not here\n".to_vec()) };
    let modified =
        fs::metadata(path).and_then(|about| about.modified()).expect("a file has a time");
    let seconds = modified.duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let time = date(seconds);
    let head = format!("Last-Modified: {time}\r\n");
    if since == Some(&time) { (304, head, Vec::new()) } else { (200, head, body) }
}

/// `Wed, 01 Jan 2020 00:00:00 GMT`.
fn date(seconds: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let days = seconds / 86_400;
    // Days since the first of March of the year 0, in which leap days come last.
    let from_march = days + 719_468;
    let (era, of_era) = (from_march / 146_097, from_march % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12;
    let year = era * 400 + year_of_era + u64::from(month < 2);
    let name = |names: &[&'static str], at: u64| names[usize::try_from(at).expect("few names")];
    let (weekday, month) = (name(&DAYS, days % 7), name(&MONTHS, month));
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{weekday}, {day:02} {month} {year} {hour:02}:{minute:02}:{second:02} GMT")
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn dates_of_headers() {
        assert_eq!(date(784_111_777), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(date(1_577_836_800), "Wed, 01 Jan 2020 00:00:00 GMT");
        assert_eq!(date(1_709_164_800), "Thu, 29 Feb 2024 00:00:00 GMT");
    }
}
