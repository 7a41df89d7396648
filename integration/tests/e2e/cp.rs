//! `cp`, `diff`, `top`, `port`.

use coracle_integration::{TestEnv, recorded};

recorded! {
    "cp.md":
    top_port_diff = "top, port, diff",
    cp = "cp",
}

#[test]
fn a_copy_to_the_host_has_the_rights_of_the_user() {
    let env = TestEnv::new();
    env.sh("docker run --name cc --network none alpine sh -c 'dd if=/dev/zero of=/big bs=1k count=64 2> /dev/null
        mkdir -p /d/e; echo x > /d/e/f; chmod 555 /d/e /d'")
        .success();
    env.sh("mkdir ro && touch ro/there && chmod 555 ro").success();
    for (words, said) in [
        ("cc:/big ro", "open $ROOT/work/ro/big: permission denied"),
        ("-a cc:/big ro", "open $ROOT/work/ro/big: permission denied"),
        ("cc:/etc ro", "mkdir $ROOT/work/ro/etc: permission denied"),
        ("-a cc:/etc ro", "mkdir $ROOT/work/ro/etc: permission denied"),
        ("cc:/big ro/there", "unlinkat $ROOT/work/ro/there: permission denied"),
        ("cc:/big /usr/coracle-test-cp", "open /usr/coracle-test-cp: permission denied"),
    ] {
        env.sh(&format!("docker cp {words}")).code(1).stdout_is("").stderr_is(&format!("{said}\n"));
    }
    env.sh("ls ro; chmod 755 ro").success().stdout_is("there\n");
    // A file is replaced, whatever its mode; and a folder's own mode is no hindrance.
    env.sh("touch kept && chmod 444 kept && docker cp cc:/big kept && stat -c %s kept")
        .success()
        .stdout_is("65536\n");
    env.sh(
        "docker cp cc:/d copy && stat -c '%a %n' copy copy/e && cat copy/e/f; chmod -R u+w copy",
    )
    .success()
    .stdout_is("555 copy\n555 copy/e\nx\n");
    env.sh("docker rm cc").success();
    env.assert_nothing_left();
}

#[test]
fn what_the_host_cannot_take_whole_is_not_there() {
    let env = TestEnv::new();
    env.sh("docker run --name cc --network none alpine sh -c 'mkdir /d; echo x > /d/a
        dd if=/dev/zero of=/d/big bs=1k count=512 2> /dev/null'")
        .success();
    env.sh("ulimit -f 256; docker cp cc:/d/big out")
        .code(1)
        .stderr_is("write $ROOT/work/out: file too large\n");
    env.sh("ulimit -f 256; docker cp cc:/d out")
        .code(1)
        .stderr_is("write $ROOT/work/out/big: file too large\n");
    env.sh("find out ! -type d ! -name a").success().stdout_is("");
    env.sh("docker cp cc:/d - > /dev/full")
        .code(1)
        .stderr_is("write /dev/stdout: no space left on device\n");
    env.sh("docker rm cc").success();
    env.assert_nothing_left();
}
