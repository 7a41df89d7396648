//! A disk that gets full during a build: told in words with what to do, nothing of it stays, and with room the same build
//! succeeds.
//!
//! The data root is a small file system in memory, mounted in namespaces of the test's own.

use coracle_integration::{TestEnv, fixture, skip};

/// `$1`: the images of the fixture.
const SCRIPT: &str = r#"
mount -t tmpfs -o size=24m,mode=700 none "$CORACLE_DATA_ROOT" || exit 77
coracle load -q -i "$1" > /dev/null
used() { df -k --output=used "$CORACLE_DATA_ROOT" | tail -1; }
before=$(used)
kept() { coracle builder prune -af > /dev/null; test $(($(used) - before)) -lt 512 && echo nothing kept || find "$CORACLE_DATA_ROOT" -size +100k; }
head -c 30000000 /dev/zero > b/big
fails() {
    printf "FROM alpine\n$1\n" > b/Dockerfile
    coracle build --network none -t made ${2:-b} > out 2>&1
    echo "$? $(grep -c 'No space left on device' out | sed 's/^[1-9].*/told/')"; kept
}
fails 'RUN cat /dev/zero > /big'
fails 'COPY big /'
fails 'RUN --mount=type=cache,target=/c cat /dev/zero > /c/big'
fails 'RUN --mount=type=bind,rw,target=/m touch /m/x'
fails 'COPY <<E /small\nsmall\nE\nADD big /'
tar -C b -c . | fails 'COPY . /' -
rm b/big
dd if=/dev/zero of="$CORACLE_DATA_ROOT/fill" bs=64k 2> /dev/null
fails 'RUN true' > /dev/null
grep -c '^hint: the disk is full; `coracle system prune` removes what is unused$' out
rm "$CORACLE_DATA_ROOT/fill"
coracle build -q --network none -t made b > /dev/null && coracle run --rm --network none made echo runs
coracle rmi made > /dev/null; kept
"#;

#[test]
fn what_does_not_fit_is_told_and_not_kept() {
    let env = TestEnv::new();
    let can = "unshare --map-auto --map-root-user -m true";
    if env.sh(can).status() != 0 {
        skip!("no unshare with subordinate ids");
    }
    env.run(["rmi", "-f", "alpine", "fixture", "bb"]).success();
    env.write("b/Dockerfile", "");
    env.write("script", SCRIPT);
    let archive = fixture::archive().display().to_string();
    let line = format!(
        "exec unshare --map-auto --map-root-user -m --propagation private bash script {archive}"
    );
    let failing = "1 told\nnothing kept\n";
    let all = format!("{}1\nruns\nnothing kept\n", failing.repeat(6));
    env.sh(&line).success().stdout_is(&all);
    env.assert_nothing_left();
}
