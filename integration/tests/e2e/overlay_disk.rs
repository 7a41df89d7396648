//! Images that remove files, where the disk is an overlay itself: a container without a volume, as in CI.

use coracle_integration::{
    TestEnv,
    fixture::{self, Layer},
};

use crate::ladder::{NESTED, nested};

/// What is done to an image that removes files, and to a container of it.
const SCRIPT: &str = "coracle load -q -i $1 > /dev/null
    coracle run -d --network none --name c1 cut sleep 1000 > /dev/null
    coracle exec c1 sh -c 'ls -d /etc/motd /etc/apk /tmp/.wh* 2>/dev/null; ls -A /var /usr /srv /opt'
    coracle exec c1 sh -c 'rm /etc/group /opt/kept; rm -r /var; mkdir /var; echo made > /var/x; echo more >> /etc/passwd'
    echo DIFF; coracle diff c1 | sort
    echo CP; coracle cp c1:/var/x - | tar -x -O
    echo EXPORT; coracle export c1 | tar -t | grep -E '^(etc/(group|motd|apk)|var|opt|usr|srv)|[.]wh[.]' | sort
    coracle commit -q c1 cut2 > /dev/null || coracle commit c1 cut2 > /dev/null
    coracle stop -t 0 c1 > /dev/null; coracle start c1 > /dev/null
    coracle exec c1 cat /var/x
    coracle rm -f c1 > /dev/null
    coracle save -o $2 cut2; coracle rmi -f cut cut2 > /dev/null; coracle load -q -i $2 > /dev/null; rm $2
    echo SAVED; coracle run --rm --network none cut2 sh -c 'ls -A /var /usr /srv /opt; tail -1 /etc/passwd; test -e /etc/group || echo gone'
    echo MOUNTED; coracle run --rm --network none --mount type=image,src=cut2,dst=/m cut2 sh -c 'ls -A /m/var /m/opt; touch /m/var/y 2> /dev/null || cat /m/var/x'
    coracle ps -aq";

const EXPECTED: &str = "/opt:\nkept\n\n/srv:\nnew\n\n/usr:\nfresh\n\n/var:\nnew\n\
    DIFF\nA /var/x\nC /etc\nC /etc/passwd\nC /opt\nC /var\nD /etc/group\nD /opt/kept\nD /var/new\n\
    CP\nmade\n\
    EXPORT\nopt/\nsrv/\nsrv/new\nusr/\nusr/fresh\nvar/\nvar/x\n\
    made\n\
    SAVED\n/opt:\n\n/srv:\nnew\n\n/usr:\nfresh\n\n/var:\nx\nmore\ngone\n\
    MOUNTED\n/m/opt:\n\n/m/var:\nx\nmade\n";

/// Removes files in each way there is: by name, a whole folder, one that comes again, everything in one.
fn image() -> Vec<u8> {
    let mut image = fixture::alpine_like();
    image.names = vec!["cut:latest".into()];
    let mut middle = Layer::new();
    middle.file("opt/kept", 0o644, "").file("srv/old", 0o644, "").file("srv/deep/old", 0o644, "");
    let mut top = Layer::new();
    top.file("etc/.wh.motd", 0o644, "").file("etc/.wh.apk", 0o644, "");
    top.file("var/.wh..wh..opq", 0o644, "").file("var/new", 0o644, "");
    top.file(".wh.usr", 0o644, "").dir("usr", 0o755).file("usr/fresh", 0o644, "");
    top.dir("srv", 0o755).file("srv/new", 0o644, "").file(".wh.srv", 0o644, "");
    // Of nothing, and of a name as long as a whiteout can be.
    top.file("tmp/.wh.nothing", 0o644, "").file(&format!("tmp/.wh.{}", "n".repeat(80)), 0o644, "");
    image.layers.extend([middle.finish(), top.finish()]);
    fixture::save(&[image])
}

fn script(archive: &str, saved: &str) -> String {
    SCRIPT.replace("$1", archive).replace("$2", saved)
}

#[test]
fn images_that_remove_files_work_in_containers() {
    let env = TestEnv::bare();
    env.run(["load", "-q", "-i", &fixture::archive().display().to_string()]).success();
    let archive = env.write("cut.tar", image());
    // What an overlay does is the measure.
    let script_here = script(&archive.display().to_string(), "saved.tar");
    env.sh(&format!("set -e; {script_here}")).success().stdout_is(EXPECTED);

    let mount = format!("-v {}:/cut.tar:ro", archive.display());
    let script = script("/cut.tar", "/saved.tar");
    for flags in NESTED {
        nested(&env, &format!("{flags} {mount}"), &script).success().stdout_is(EXPECTED);
    }
    env.assert_nothing_left();
}

/// Without ids of its own, and without the rights of root.
#[test]
fn images_that_remove_files_work_for_a_user_in_a_container() {
    let env = TestEnv::new();
    let archive = env.write("cut.tar", image());
    let flags = format!("{} -u 1000 -e HOME=/tmp -v {}:/cut.tar:ro", NESTED[1], archive.display());
    let script = script("/cut.tar", "/tmp/saved.tar");
    nested(&env, &flags, &script).success().stdout_is(EXPECTED);
    env.assert_nothing_left();
}

/// The disk would do for overlays, but a filter refuses to make their marks: copies, and it is said why.
#[test]
fn images_that_remove_files_work_where_no_node_may_be_made() {
    let env = TestEnv::new();
    let archive = env.write("cut.tar", image());
    let profile = r#"{"defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mknod", "mknodat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}"#;
    let profile = env.write("no-mknod.json", profile);
    let flags = format!(
        "--security-opt seccomp={} --security-opt systempaths=unconfined -v inner:/var/lib/coracle -v {}:/cut.tar:ro",
        profile.display(),
        archive.display()
    );
    let script = script("/cut.tar", "/var/lib/coracle-saved.tar");
    let output = nested(&env, &flags, &script).success().stdout_is(EXPECTED);
    output.stderr_has("whose marks it cannot read");
    env.sh("docker volume rm inner").success();
    env.assert_nothing_left();
}
