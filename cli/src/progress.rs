//! Shows how a transfer goes: bars on a terminal, plain lines elsewhere.

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use coracle_image::{LayerEvent, ProgressEvent, ProgressSink};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Width of the bar itself, in characters.
const BAR: &str = "{prefix}: {msg:<18} [{bar:30}] {bytes}/{total_bytes}";
const WORDS: &str = "{prefix}: {msg}";

/// Writes to standard output.
#[derive(Debug)]
pub(crate) struct Progress {
    bars: Option<MultiProgress>,
    layers: Mutex<HashMap<String, ProgressBar>>,
    quiet: bool,
    /// The transfer itself began: what fails from now on is told without preface.
    began: AtomicBool,
    /// For a program: lines `CURRENT TOTAL`, in bytes, and nothing else.
    report: Option<Mutex<Report>>,
}

/// How far the layers are whose size is known.
#[derive(Debug, Default)]
struct Report {
    layers: HashMap<String, (u64, u64)>,
    told: Option<Instant>,
}

/// More often nobody looks.
const REPORT_EVERY: Duration = Duration::from_millis(100);

impl Report {
    fn take(&mut self, id: &str, event: &LayerEvent) {
        match event {
            LayerEvent::Downloading { current, total } => {
                self.layers.insert(id.to_owned(), (*current, *total));
            }
            LayerEvent::DownloadComplete => {
                let Some((current, total)) = self.layers.get_mut(id) else { return };
                *current = *total;
            }
            _ => return,
        }
        if self.told.is_some_and(|told| told.elapsed() < REPORT_EVERY) {
            return;
        }
        self.told = Some(Instant::now());
        let (current, total) = self.layers.values().fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
        // Who does not read it does not miss it.
        writeln!(io::stdout().lock(), "{current} {total}").unwrap_or_default();
    }
}

impl Progress {
    pub(crate) fn new(quiet: bool, terminal: bool) -> Self {
        let bars = (terminal && !quiet)
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stdout()));
        Self { bars, layers: Mutex::default(), quiet, began: AtomicBool::new(false), report: None }
    }

    /// For a program that waits.
    pub(crate) fn report() -> Self {
        Self { report: Some(Mutex::default()), ..Self::new(true, false) }
    }

    pub(crate) fn began(&self) -> bool {
        self.began.load(Ordering::Relaxed)
    }

    fn line(&self, text: &str) {
        if self.quiet {
            return;
        }
        // Who does not read the progress does not miss it.
        match &self.bars {
            Some(bars) => bars.println(text).unwrap_or_default(),
            None => writeln!(io::stdout().lock(), "{text}").unwrap_or_default(),
        }
    }

    /// A line below the layers.
    fn last_line(&self, text: &str) {
        let Some(bars) = &self.bars else { return self.line(text) };
        let line = bars.add(ProgressBar::new(0));
        if let Ok(style) = ProgressStyle::with_template("{msg}") {
            line.set_style(style);
        }
        line.abandon_with_message(text.to_owned());
    }

    fn layer(&self, bars: &MultiProgress, id: &str, event: &LayerEvent) {
        let Ok(mut layers) = self.layers.lock() else { return };
        let bar = layers.entry(id.to_owned()).or_insert_with(|| {
            let bar = bars.add(ProgressBar::new(0));
            bar.set_prefix(id.to_owned());
            bar
        });
        bar.set_message(event.to_string());
        let (template, place) = match event {
            LayerEvent::Downloading { current, total }
            | LayerEvent::Extracting { current, total }
            | LayerEvent::Compressing { current, total }
            | LayerEvent::Pushing { current, total } => (BAR, Some((*current, *total))),
            _ => (WORDS, None),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        if let Some((current, total)) = place {
            bar.set_length(total);
            bar.set_position(current);
        }
        let done = matches!(
            event,
            LayerEvent::PullComplete
                | LayerEvent::AlreadyExists
                | LayerEvent::Pushed
                | LayerEvent::LayerAlreadyExists
                | LayerEvent::MountedFrom { .. }
        );
        if done {
            bar.abandon();
        } else {
            bar.tick();
        }
    }
}

impl ProgressSink for Progress {
    fn event(&self, event: &ProgressEvent<'_>) {
        match event {
            ProgressEvent::PullingFrom { what, repository } => {
                self.began.store(true, Ordering::Relaxed);
                self.line(&format!("{what}: Pulling from {repository}"));
            }
            ProgressEvent::PushingTo { repository } => {
                self.began.store(true, Ordering::Relaxed);
                self.line(&format!("The push refers to repository [{repository}]"));
            }
            ProgressEvent::Layer { id, event } if self.report.is_some() => {
                if let Some(Ok(mut report)) = self.report.as_ref().map(Mutex::lock) {
                    report.take(id, event);
                }
            }
            ProgressEvent::Layer { id, event } => match &self.bars {
                Some(bars) => self.layer(bars, id, event),
                None if event.is_milestone() => self.line(&format!("{id}: {event}")),
                None => {}
            },
            ProgressEvent::Warning { text } => {
                let line = format!("WARNING: {text}");
                let tell = || writeln!(io::stderr(), "{line}").unwrap_or_default();
                match &self.bars {
                    Some(bars) => bars.suspend(tell),
                    None => tell(),
                }
            }
            ProgressEvent::Digest { digest } => self.last_line(&format!("Digest: {digest}")),
            _ => {}
        }
    }
}

/// How far an archive is, by layer; shown on standard error.
#[derive(Debug)]
pub(crate) struct Bytes {
    bars: Option<MultiProgress>,
    layers: Mutex<HashMap<String, ProgressBar>>,
}

impl Bytes {
    pub(crate) fn new(quiet: bool) -> Self {
        let bars = (!quiet).then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Self { bars, layers: Mutex::default() }
    }

    pub(crate) fn show(&self, layer: &str, bytes: u64) {
        let Some(bars) = &self.bars else { return };
        let Ok(mut layers) = self.layers.lock() else { return };
        let bar = layers.entry(layer.to_owned()).or_insert_with(|| {
            let bar = bars.add(ProgressBar::no_length());
            bar.set_prefix(layer.to_owned());
            if let Ok(style) = ProgressStyle::with_template("{prefix}: Extracting {bytes}") {
                bar.set_style(style);
            }
            bar
        });
        bar.set_position(bytes);
    }

    pub(crate) fn finish(&self) {
        if let Some(bars) = &self.bars {
            // Bars that stay are no worse than bars that go.
            bars.clear().unwrap_or_default();
        }
    }
}
