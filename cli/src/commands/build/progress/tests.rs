//! Builds whose output was recorded, told again.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use coracle_builder::Span;
use coracle_builder::check::Finding;
use coracle_builder::progress::{Event, Source, Status, Vertex};

use super::colours::Colours;
use super::ending;
use super::plain::Plain;
use super::trace::{Keep, Trace};
use super::tree::{Look, rows};

/// A build that is told, by a clock that only the test moves.
struct Told {
    trace: Trace,
    plain: Plain,
    now: SystemTime,
    out: Vec<u8>,
}

impl Told {
    fn new() -> Self {
        let title = "building with \"default\" instance using coracle driver".to_owned();
        let trace = Trace::new(Keep { tail: 10, output: true });
        Self { trace, plain: Plain::new(title), now: SystemTime::UNIX_EPOCH, out: Vec::new() }
    }

    fn after(&mut self, ms: u64) -> &mut Self {
        self.now += Duration::from_millis(ms);
        self
    }

    fn tell(&mut self, event: Event) -> &mut Self {
        self.trace.take(event, self.now);
        self
    }

    fn known(&mut self, vertex: Vertex, name: &str) -> &mut Self {
        self.tell(Event::Known { vertex, name: name.to_owned(), inputs: Vec::new() })
    }

    fn start(&mut self, vertex: Vertex, name: &str) -> &mut Self {
        let at = self.now;
        self.known(vertex, name).tell(Event::Started { vertex, at })
    }

    fn cached(&mut self, vertex: Vertex, name: &str) -> &mut Self {
        let at = self.now;
        self.known(vertex, name).tell(Event::Cached { vertex, at })
    }

    fn done(&mut self, vertex: Vertex) -> &mut Self {
        let at = self.now;
        self.tell(Event::Completed { vertex, at, error: None })
    }

    fn fails(&mut self, vertex: Vertex, error: &str) -> &mut Self {
        let at = self.now;
        self.tell(Event::Completed { vertex, at, error: Some(error.to_owned()) })
    }

    fn count(&mut self, vertex: Vertex, id: &str, current: u64, ms: Option<u64>) -> &mut Self {
        let started = self.now;
        let completed = ms.map(|ms| started + Duration::from_millis(ms));
        let id = id.to_owned();
        self.tell(Event::Status(Status { vertex, id, current, total: 0, started, completed }))
    }

    fn log(&mut self, vertex: Vertex, text: &str) -> &mut Self {
        let at = self.now;
        self.tell(Event::Log { vertex, stream: 1, bytes: text.as_bytes().to_vec(), at })
    }

    fn warns(&mut self, rule: &'static str, detail: &str, line: usize) -> &mut Self {
        let finding = Finding {
            rule,
            description: "What the rule says",
            url: "https://docs/rule".to_owned(),
            detail: detail.to_owned(),
            at: vec![Span::line(line)],
        };
        let text = "FROM alpine\nENV A b\nRUN x\n".to_owned();
        let source = Arc::new(Source { path: "Dockerfile".to_owned(), text });
        self.tell(Event::Warning { vertex: 0, finding, source })
    }

    fn print(&mut self) -> &mut Self {
        self.plain.print(&mut self.trace, self.now, &mut self.out);
        self
    }

    fn end(&mut self) -> String {
        self.plain.finish(&mut self.trace, self.now, &mut self.out);
        String::from_utf8(std::mem::take(&mut self.out)).unwrap()
    }

    fn tree(&self, columns: usize, lines: usize, whole: bool) -> String {
        let (colours, _) = Colours::new(true, None);
        let title = "coracle:default".to_owned();
        let look = Look { columns, rows: lines, log_lines: 3, colours, title };
        let rows = rows(&self.trace, &look, self.now, whole);
        assert!(rows.iter().all(|row| row.columns < columns.max(1)), "{rows:?}");
        assert!(whole || rows.len() < lines.max(2), "{} rows for {lines}", rows.len());
        rows.into_iter().map(|row| row.text.trim_end().to_owned() + "\n").collect()
    }
}

const ALPINE: &str = "docker.io/library/alpine:latest";

fn beginning(told: &mut Told, size: u64) {
    told.start(0, "[internal] load build definition from Dockerfile");
    told.count(0, "transferring dockerfile:", size, Some(40)).after(40).done(0);
    told.start(1, &format!("[internal] load metadata for {ALPINE}")).done(1);
    told.start(2, "[internal] load .dockerignore");
    told.count(2, "transferring context:", 2, Some(0)).done(2);
}

#[test]
fn a_build_from_top_to_bottom() {
    let mut told = Told::new();
    beginning(&mut told, 162);
    told.start(3, &format!("[1/4] FROM {ALPINE}")).done(3);
    told.start(4, "[internal] load build context");
    told.count(4, "transferring context:", 36, Some(0)).after(100).done(4);
    told.cached(5, "[2/4] WORKDIR /app").print();
    told.start(6, "[3/4] COPY f.txt .").print().after(200).done(6);
    told.start(7, "[4/4] RUN echo").print().after(1321).log(7, "to stdout\nto st").print();
    told.after(1).log(7, "derr\n").print().after(100).done(7).print();
    told.start(8, "exporting to image").count(8, "exporting layers", 0, None).print();
    told.after(200).done(8);
    insta::assert_snapshot!(told.end(), @r#"
    #0 building with "default" instance using coracle driver

    #1 [internal] load build definition from Dockerfile
    #1 transferring dockerfile: 162B 0.0s done
    #1 DONE 0.0s

    #2 [internal] load metadata for docker.io/library/alpine:latest
    #2 DONE 0.0s

    #3 [internal] load .dockerignore
    #3 transferring context: 2B done
    #3 DONE 0.0s

    #4 [1/4] FROM docker.io/library/alpine:latest
    #4 DONE 0.0s

    #5 [internal] load build context
    #5 transferring context: 36B done
    #5 DONE 0.1s

    #6 [2/4] WORKDIR /app
    #6 CACHED

    #7 [3/4] COPY f.txt .
    #7 DONE 0.2s

    #8 [4/4] RUN echo
    #8 1.321 to stdout
    #8 1.321 to stderr
    #8 DONE 1.4s

    #9 exporting to image
    #9 exporting layers
    #9 DONE 0.2s
    "#);
}

#[test]
fn two_stages_at_once() {
    let mut told = Told::new();
    told.cached(0, "[two 1/2] FROM a").print();
    told.start(1, "[two 2/2] RUN for").start(2, "[one 2/2] RUN sleep 1").print();
    told.after(2195).log(1, "two 1\n").print().after(640).log(1, "two 2\nand ").print();
    told.after(665).done(2).print();
    told.start(3, "[stage-3 1/2] COPY --from=one /1 /").after(100).done(3).print();
    told.after(100).log(1, "three\n").print().after(619).done(1);
    insta::assert_snapshot!(told.end(), @r#"
    #0 building with "default" instance using coracle driver

    #1 [two 1/2] FROM a
    #1 CACHED

    #2 [two 2/2] RUN for
    #2 2.195 two 1
    #2 2.835 two 2
    #2 2.835 and 
    #2 ...

    #3 [one 2/2] RUN sleep 1
    #3 DONE 3.5s

    #4 [stage-3 1/2] COPY --from=one /1 /
    #4 DONE 0.1s

    #2 [two 2/2] RUN for
    #2 2.835 and three
    #2 DONE 4.3s
    "#);
}

#[test]
fn the_word_goes_to_who_waits_long_or_has_much_to_say() {
    let mut told = Told::new();
    told.start(0, "one").start(1, "two").print();
    told.after(1000).log(0, "a\n").log(1, "b\n").print().after(11_000).log(1, "c\n").print();
    told.log(0, &"x".repeat(2 << 20)).print();
    let said = told.end();
    let turns: Vec<&str> = said.lines().filter(|line| !line.contains('x')).collect();
    assert!(
        turns.ends_with(&[
            "#1 ...",
            "",
            "#2 two",
            "#2 1.000 b",
            "#2 12.00 c",
            "#2 ...",
            "",
            "#1 one"
        ]),
        "{turns:?}"
    );
}

#[test]
fn a_step_that_fails() {
    let mut told = Told::new();
    beginning(&mut told, 152);
    told.warns("LegacyKeyValueFormat", "\"ENV key=value\" should be used", 2);
    told.cached(3, "[1/3] FROM a").print();
    let lines: String = (1..=12).map(|n| format!("line {n}\n")).collect();
    told.start(4, "[2/3] RUN exit 3").start(5, "[other 1/1] RUN sleep").after(1428).log(4, &lines);
    told.log(4, "no end").fails(4, "process \"exit 3\" did not complete: exit code: 3");
    told.fails(5, "Canceled: context canceled");
    let said = told.end();
    assert!(said.contains(
        "#1 WARN: LegacyKeyValueFormat: \"ENV key=value\" should be used (line 2)\n#1 DONE"
    ));
    assert!(said.contains("#5 1.428 line 12\n#5 1.428 no end\n#5 ERROR: process \"exit 3\" did"));
    assert!(said.ends_with("\n\n#6 [other 1/1] RUN sleep\n#6 CANCELED\n"), "{said}");
    let failures = String::from_utf8(told.trace.failures()).unwrap();
    assert!(failures.starts_with("------\n > [2/3] RUN exit 3:\n1.428 line 4\n"), "{failures}");
    assert!(failures.ends_with("1.428 line 12\n1.428 no end\n------\n"), "{failures}");
    assert_eq!(failures.lines().count(), 13);
    let more = Some("use docker --debug to expand");
    assert_eq!(
        ending::warnings(&told.trace.warnings, more, "33"),
        "\n \u{1b}[33m1 warning found (use docker --debug to expand):\n\u{1b}[0m - \
         LegacyKeyValueFormat: \"ENV key=value\" should be used (line 2)\n"
    );
    told.warns("Other", "thing", 1);
    insta::assert_snapshot!(ending::warnings(&told.trace.warnings, None, ""), @r#"

     2 warnings found:
     - LegacyKeyValueFormat: "ENV key=value" should be used (line 2)
    What the rule says
    More info: https://docs/rule
    Dockerfile:2
    --------------------
       1 |     FROM alpine
       2 | >>> ENV A b
       3 |     RUN x
       4 |     
    --------------------

     - Other: thing (line 1)
    What the rule says
    More info: https://docs/rule
    Dockerfile:1
    --------------------
       1 | >>> FROM alpine
       2 |     ENV A b
       3 |     RUN x
    --------------------

    "#);
    let failure = ending::failure("boom", "Dockerfile", "FROM a\nRUN x\n", &[Span::line(2)]);
    assert_eq!(
        failure.message,
        format!(
            "Dockerfile:2\n{rule}\n   1 |     FROM a\n   2 | >>> RUN x\n   3 |     \n{rule}\n\
             ERROR: failed to build: failed to solve: boom",
            rule = "-".repeat(20)
        )
    );
}

fn busy() -> Told {
    let mut told = Told::new();
    beginning(&mut told, 271);
    told.cached(3, "[two 1/2] FROM docker.io/library/alpine:latest");
    told.known(6, "exporting to image");
    told.start(4, "[one 2/2] RUN sleep 1; echo one > /1");
    told.start(5, "[two 2/2] RUN for i in 1 2 3; do echo \"two\t$i\"; done; echo 北京 > /2");
    told.after(1234).log(5, "a\nb\n\x1b[31mc\x1b[0m\n 10%\r 20%").log(4, "only\n");
    told
}

#[test]
fn a_tree() {
    let mut told = busy();
    insta::assert_snapshot!(told.tree(60, 30, false), @r#"
    [+] Building 1.3s (4/7)                     coracle:default
     => [internal] load build definition from Dockerfile   0.0s
     => => transferring dockerfile: 271B                   0.0s
     => [internal] load metadata for docker.io/library/alp 0.0s
     => [internal] load .dockerignore                      0.0s
     => => transferring context: 2B                        0.0s
     => CACHED [two 1/2] FROM docker.io/library/alpine:lat 0.0s
     => [one 2/2] RUN sleep 1; echo one > /1               1.2s
     => => # only
     => [two 2/2] RUN for i in 1 2 3; do echo "two $i"; do 1.2s
     => => # b
     => => # c
     => => #  20%
    "#);
    told.done(4).fails(5, "exit").fails(6, "Canceled: context canceled");
    let end = told.tree(100, 5, true);
    assert!(end.starts_with("[+] Building 1.3s (7/7) FINISHED    "), "{end}");
    assert!(end.contains(" => ERROR [two 2/2] RUN for") && end.contains(" => CANCELED exporting"));
    assert_eq!(end.lines().count(), 10, "all of it, and no output");
}

#[test]
fn small_terminals() {
    let told = busy();
    insta::assert_snapshot!(told.tree(20, 6, false), @r#"
    [+] Building 1.3s (
     => => transferring
     => CACHED [two 1/2
     => [one 2/2] RUN s
     => [two 2/2] RUN f
    "#);
    // What goes on stays in view.
    insta::assert_snapshot!(told.tree(80, 4, false), @r#"
    [+] Building 1.3s (4/7)                                         coracle:default
     => [one 2/2] RUN sleep 1; echo one > /1                                   1.2s
     => [two 2/2] RUN for i in 1 2 3; do echo "two $i"; done; echo 北京 > /2   1.2s
    "#);
    for columns in 0..40 {
        for lines in 0..12 {
            told.tree(columns, lines, false);
        }
    }
}
