//! Contexts and Dockerfiles of somebody who means harm: refused, or without effect, and in time.

use std::fs;
use std::time::Duration;

use coracle_integration::{Output, TestEnv};

/// Nothing here is to take longer.
const PATIENCE: Duration = Duration::from_secs(180);

fn build(env: &TestEnv, args: &[&str]) -> Output {
    env.coracle().args(["build"]).args(args).deadline(PATIENCE).run()
}

#[test]
fn no_link_leads_out_of_a_context() {
    let env = TestEnv::new();
    env.write("outside/secret", "outside\n");
    env.sh("mkdir -p b/sub && cd b && ln -s ../outside up && ln -s ../outside/secret link && \
         ln -s \"$PWD/../outside/secret\" absolute && ln -s ../../../../../../../../../etc/passwd far && \
         ln -s sub around && ln -s ../../.. sub/up && echo in > sub/f")
        .success();
    for source in
        ["up/secret", "link", "absolute", "far", "../outside/secret", "sub/../../outside/secret"]
    {
        env.write("b/Dockerfile", format!("FROM bb\nCOPY {source} /x\n"));
        build(&env, &["b"]).code(1).stderr_has("not found");
    }
    // What only stays inside is followed; a link that is copied with its folder stays one.
    env.write(
        "b/Dockerfile",
        "FROM bb\nCOPY around/f /in\nCOPY . /all/\nRUN ls -l /all/link /all/up | cut -c1 > /o\n",
    );
    build(&env, &["-q", "-t", "links", "b"]).success();
    env.run(["run", "--rm", "links", "cat", "/in", "/o"]).success().stdout_is("in\nl\nl\n");
    env.sh("! docker save links | grep -qa ^outside").success();
    env.assert_nothing_left();
}

#[test]
fn no_link_of_an_image_leads_out_of_it() {
    let env = TestEnv::new();
    env.write("b/f", "f\n");
    env.write("outside/kept", "kept\n");
    let outside = env.work().join("outside").display().to_string();
    env.write(
        "b/Dockerfile",
        format!(
            "FROM bb AS made\nRUN ln -s {outside} /d && ln -s ../../../../../../..{outside} /up\n\
             COPY f /d/new\nCOPY f /up/new\nWORKDIR /d/deep\n\
             FROM bb\nCOPY --from=made /d/kept /x\n"
        ),
    );
    build(&env, &["b"]).code(1).stderr_has("lstat /d/kept: no such file or directory");
    build(&env, &["-q", "--target", "made", "b"]).success();
    let left: Vec<_> = fs::read_dir(&outside).expect("a folder of ours").flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    env.assert_nothing_left();
}

#[test]
fn pipes_and_sockets_hold_nobody_up() {
    let env = TestEnv::new();
    env.sh("mkdir b c d && mkfifo b/pipe c/Dockerfile d/.dockerignore && printf 'FROM bb\\n' > d/Dockerfile").success();
    env.write("b/Dockerfile", "FROM bb\nCOPY pipe /p\n");
    assert!(build(&env, &["-q", "b"]).status() < 2);
    env.write("b/Dockerfile", "FROM bb\nADD . /all/\n");
    assert!(build(&env, &["-q", "b"]).status() < 2);
    assert_eq!(build(&env, &["c"]).status(), 1);
    assert!(build(&env, &["-q", "d"]).status() < 2);
    env.assert_nothing_left();
}

#[test]
fn many_files_are_only_many() {
    let env = TestEnv::new();
    for folder in 1..=100 {
        let folder = env.work().join("b").join(folder.to_string());
        fs::create_dir_all(&folder).expect("a folder of ours");
        for file in 1..=1000 {
            fs::write(folder.join(file.to_string()), "").expect("a file of ours");
        }
    }
    env.write("b/Dockerfile", "FROM bb\nCOPY 7/7 /x\nCOPY . /all/\nRUN ls /all | wc -l > /o\n");
    build(&env, &["-q", "-t", "many", "b"]).success();
    env.run(["run", "--rm", "many", "cat", "/o"]).success().stdout_is("101\n");
    build(&env, &["b"]).success().stderr_has("CACHED");
    env.run(["rmi", "many"]).success();
    fs::remove_dir_all(env.work().join("b")).expect("a folder of ours");
    env.assert_nothing_left();
}

#[test]
fn long_dockerfiles_are_read_or_refused() {
    let env = TestEnv::new();
    let comment = format!("# {}\n", "x".repeat(1000));
    env.write("b/Dockerfile", format!("{}FROM bb\nCMD x\n", comment.repeat(10_000)));
    build(&env, &["-q", "b"]).success();
    env.write("b/Dockerfile", format!("{}FROM bb\n", comment.repeat(20_000)));
    assert_eq!(build(&env, &["b"]).status(), 1);
    // A long line, many stages, many instructions.
    env.write("b/Dockerfile", format!("FROM bb\nENV A={}\n", "x".repeat(10 << 20)));
    assert_eq!(build(&env, &["b"]).status(), 1);
    env.write("b/Dockerfile", "FROM bb\n".repeat(100_000));
    assert_eq!(build(&env, &["b"]).status(), 1);
    env.write(
        "b/Dockerfile",
        format!("FROM bb\n{}", "ENV A=$A$A$A$A$A$A$A$A$A$A\n".repeat(50).replacen("$A", "x", 10)),
    );
    assert_eq!(build(&env, &["b"]).status(), 1);
    env.assert_nothing_left();
}

#[test]
fn heredocs_are_bounded() {
    let env = TestEnv::new();
    let words: String = (0..2000).map(|number| format!(" <<E{number}")).collect();
    let bodies: String = (0..2000).map(|number| format!("x\nE{number}\n")).collect();
    env.write("b/Dockerfile", format!("FROM bb\nCOPY{words} /x/\n{bodies}"));
    assert_eq!(build(&env, &["b"]).status(), 1);
    // One body, named again and again.
    let body = "y".repeat(1000) + "\n";
    env.write(
        "b/Dockerfile",
        format!("FROM bb\nCOPY{} /x/\n{}E\n", " <<E".repeat(900), body.repeat(8000)),
    );
    assert!(build(&env, &["-q", "b"]).status() < 2);
    env.write("b/Dockerfile", "FROM bb\nCOPY <<E /x\nnever ends\n");
    build(&env, &["b"]).code(1).stderr_has("unterminated heredoc");
    env.assert_nothing_left();
}

#[test]
fn an_archive_is_no_way_out_of_its_folder() {
    let env = TestEnv::new();
    let mut archive = coracle_integration::fixture::Layer::new();
    archive.file("Dockerfile", 0o644, "FROM bb\nCOPY . /all/\n");
    archive.file("../../../../evil", 0o644, "evil");
    archive.symlink("out", "../../../..").file("out/evil", 0o644, "evil");
    archive.hardlink("shadow", "/etc/passwd");
    env.write("c.tar", archive.finish());
    env.write("b/Dockerfile", "FROM bb\nADD c.tar /x/\nRUN find / -xdev -name evil > /o\n");
    env.sh("cp c.tar b/").success();
    assert!(env.sh("docker build -q - < c.tar").status() < 2);
    assert!(build(&env, &["-q", "b"]).status() < 2);
    env.sh(&format!(
        "find {} /tmp -name evil -not -path '*/layers/*' -user $(id -u) 2> /dev/null",
        env.root().display()
    ))
    .stdout_is("");
    env.assert_nothing_left();
}

#[test]
fn addresses_carry_no_options() {
    let env = TestEnv::new();
    for address in [
        "https://127.0.0.1:1/x.git#--upload-pack=touch mark",
        "https://127.0.0.1:1/x.git?ref=-x",
        "ssh://-oProxyCommand=touch mark/x",
        "ssh://-oProxyCommand=touch%20mark/x",
        "git@-oProxyCommand:x",
        "--upload-pack=touch mark@127.0.0.1:1:x",
        "ext::sh -c 'touch mark'",
        "git::ext::sh -c 'touch mark'",
        "file:///etc/x.git",
    ] {
        let output = build(&env, &["--", address]);
        assert_ne!(output.status(), 0, "{address}: {output}");
        assert!(!env.work().join("mark").exists(), "{address}");
        env.write("b/Dockerfile", format!("FROM bb\nADD [\"{address}\", \"/x\"]\n"));
        let output = build(&env, &["b"]);
        assert_eq!(output.status(), 1, "{address}: {output}");
        assert!(!env.work().join("mark").exists(), "{address}");
    }
    env.assert_nothing_left();
}
