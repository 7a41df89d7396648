//! Contexts that change, are large, or cannot be read; and folders that results are written over.

use coracle_integration::TestEnv;

#[test]
fn a_file_that_is_written_meanwhile_holds_no_build_up() {
    let env = TestEnv::new();
    env.write("c/Dockerfile", "FROM alpine\nCOPY . /c/\nRUN wc -l < /c/app.log > /lines\n");
    env.write("c/app.log", "one\n");
    // The image is of one moment, and so is what was made on top of it.
    let look = "docker run --rm --network none c sh -c \
                '[ $(wc -l < /c/app.log) = $(cat /lines) ] && wc -l < /c/app.log'";
    env.sh(&format!(
        "( while :; do date +%N >> c/app.log; done ) & writer=$!; \
         for i in 1 2; do docker build -q --network none -t c c || code=1; {look} || code=2; done; \
         kill $writer; wait $writer; exit ${{code:-0}}"
    ))
    .success();
    // What was copied then is not taken for what is there now, and this is taken again.
    env.sh("docker build -q --network none -t c c").success();
    let lines = env.sh("wc -l < c/app.log").success().line();
    env.sh(look).success().stdout_is(&format!("{lines}\n"));
    env.sh("docker build --network none -t c c 2>&1 | grep -c CACHED").success().stdout_is("2\n");
    env.assert_nothing_left();
}

#[test]
fn reading_a_context_can_be_interrupted() {
    let env = TestEnv::new();
    env.write("c/Dockerfile", "FROM scratch\nCOPY large /\n");
    env.sh("truncate -s 60G c/large").success();
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        // A shell without jobs starts what is behind it with SIGINT ignored.
        let said = env.sh(&format!(
            "set -m; docker build --progress=plain c > said 2>&1 & \
             until grep -q 'load build context' said 2>/dev/null; do kill -0 $! || break; done; \
             kill -{signal} $!; wait $!; echo $?; cat said >&2"
        ));
        said.success().stdout_is(&format!("{code}\n")).stderr_has(
            "CANCELED\nERROR: failed to build: failed to solve: Canceled: context canceled\n",
        );
    }
    env.assert_nothing_left();
}

#[test]
fn what_cannot_be_read_is_told_where_it_is_read() {
    let env = TestEnv::new();
    env.write("c/Dockerfile", "FROM scratch\nCOPY . /\n");
    env.write("c/s/f", "");
    let place = env.work().join("c/s").display().to_string();
    for (close, open, path) in [("000 c/s", "755 c/s", ""), ("000 c/s/f", "644 c/s/f", "/f")] {
        let line = format!("chmod {close}; docker build c; code=$?; chmod {open}; exit $code");
        let wanted = format!("error from sender: open {place}{path}: permission denied\n");
        env.sh(&line)
            .code(1)
            .stderr_has(&format!("ERROR: {wanted}"))
            .stderr_has("> [internal] load build context:\n")
            .stderr_has(&format!("failed to solve: {wanted}"));
    }
    env.write("c/.dockerignore", "s\n");
    env.sh("chmod 000 c/s; docker build -q c; code=$?; chmod 755 c/s; exit $code").success();
    env.assert_nothing_left();
}

#[test]
fn a_folder_takes_whatever_a_result_has() {
    let env = TestEnv::new();
    env.sh(
        "mkdir -p o/file/deep o/file2 c/folder c/ring kept; echo 1 > c/file; echo 2 > c/folder/x; \
            echo 3 > c/ring/x; echo old > o/folder; touch kept/x o/file/deep/y o/stays; \
            ln -s $PWD/kept o/ring; ln -s $PWD/kept o/file/deep/l",
    )
    .success();
    env.write(
        "c/Dockerfile",
        "FROM scratch\nCOPY file /file\nCOPY folder /folder\nCOPY ring /ring\n",
    );
    env.sh(
        "docker build -q -o o c && cat o/file o/folder/x o/ring/x && ls o kept && wc -c < kept/x",
    )
    .success()
    .stdout_has("1\n2\n3\nkept:\nx\n\no:\nfile\nfile2\nfolder\nring\nstays\n0\n");
    // What is no folder itself is told of, once.
    env.sh("docker build -o c/file c").code(1).stderr_has("/c/file: File exists (os error 17)\n");
    env.assert_nothing_left();
}
