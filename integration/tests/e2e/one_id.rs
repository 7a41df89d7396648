//! A user without subordinate ids: one id is all there is, and real work goes on.
//!
//! `scripts/test` runs these as a user who has no line in `/etc/subuid`.

use std::{net::TcpStream, time::Duration};

use coracle_integration::{
    TestEnv,
    fixture::{self, Layer},
    settings::settings,
    skip,
};

#[test]
fn root_in_the_container_is_the_user() {
    let env = TestEnv::new();
    env.run(["run", "--rm", "--network", "none", "alpine", "id", "-u"]).success().stdout_is("0\n");
    env.run(["run", "--rm", "--network", "none", "alpine", "cat", "/proc/self/uid_map"])
        .success()
        .stdout_has(" 1\n");
    let file = env.write("shared/made", "");
    let volume = format!("{}:/m", file.parent().expect("a folder").display());
    env.run(["run", "--rm", "--network", "none", "-v", &volume, "alpine", "touch", "/m/new"])
        .success();
    assert!(env.work().join("shared/new").exists());
    env.assert_nothing_left();
}

#[test]
fn a_mounted_image_has_its_owners() {
    let env = TestEnv::new();
    env.sh("docker run --network none --name made alpine sh -c 'echo x > /f; chown 1000:100 /f'")
        .success();
    env.sh("docker commit made owned && docker rm made").success();
    env.sh("docker run --rm --network none --mount type=image,src=owned,dst=/m alpine \
         sh -c 'stat -c %u:%g /m/f; echo y > /m/f'")
        .code(1)
        .stdout_is("1000:100\n")
        .stderr_has("Read-only file system");
    env.run(["rmi", "owned"]).success();
    env.assert_nothing_left();
}

#[test]
fn another_user_than_root_runs() {
    let env = TestEnv::new();
    for user in ["nobody", "1000", "1000:1000"] {
        env.run(["run", "--rm", "--network", "none", "-u", user, "alpine", "sh", "-c", "echo ran"])
            .success()
            .stdout_is("ran\n");
    }
    env.assert_nothing_left();
}

#[test]
fn owners_can_be_changed_and_are_remembered() {
    let env = TestEnv::new();
    let script = "touch /f && chown 33:44 /f && chown -R nobody /tmp && echo changed";
    env.run(["run", "--network", "none", "--name", "own", "alpine", "sh", "-c", script])
        .success()
        .stdout_is("changed\n");
    env.run(["commit", "own", "owned"]).success();
    env.run(["rm", "own"]).success();
    env.run(["run", "--rm", "--network", "none", "owned", "test", "-e", "/f"]).success();
    env.assert_nothing_left();
}

#[test]
fn apt_get_installs_a_service_in_a_debian_root() {
    let Some(debian) = &settings().debian else { skip!("no Debian root: run scripts/test") };
    if TcpStream::connect(("deb.debian.org", 80)).is_err() {
        skip!("no Debian mirror in reach");
    }
    let env = TestEnv::bare();
    env.run(["import", &debian.display().to_string(), "debian"]).success();
    let script = "echo exit 101 > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d; apt-get update -qq \
                  && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends redis-server \
                  && redis-server --version";
    let args = ["run", "--rm", "--network", "host", "debian", "sh", "-c", script];
    let output = env.coracle().args(args).deadline(Duration::from_secs(300)).run().success();
    assert!(output.stdout().contains("Redis server v="), "{output}");
    env.assert_nothing_left();
}

/// Runs a script in `image` as `user`.
fn script(env: &TestEnv, flags: &str, image: &str, script: &str) -> coracle_integration::Output {
    env.write("script", script);
    env.sh(&format!(
        "docker run --rm --network none {flags} -v $ROOT/work/script:/script:ro {image} sh -e /script"
    ))
}

#[test]
fn a_file_without_a_record_is_roots_whoever_asks() {
    let env = TestEnv::new();
    let look = "stat -c '%u:%g %n' /etc/passwd /etc /bin/sh /script; exec 3< /etc/passwd; stat -L -c %u /proc/self/fd/3";
    let expected = "0:0 /etc/passwd\n0:0 /etc\n0:0 /bin/sh\n0:0 /script\n0\n";
    for user in ["0", "1", "nobody", "1000:50"] {
        script(&env, &format!("-u {user}"), "alpine", look).success().stdout_is(expected);
    }
    let changing = format!("setpriv --reuid 7 --regid 8 --clear-groups sh -c {look:?}");
    let changed = script(&env, "", "alpine", &changing);
    if changed.status() == 0 {
        changed.stdout_is(expected);
    }
    // What is not one's own cannot be given away.
    script(&env, "-u 1", "alpine", "chown 1:1 /etc/passwd || echo refused")
        .success()
        .stdout_is("refused\n");
    env.assert_nothing_left();
}

/// As `initdb` and others make sure of.
#[test]
fn what_a_user_makes_belongs_to_that_user() {
    let env = TestEnv::new();
    let make = "umask 027; mkdir -p /tmp/d/e; echo x > /tmp/d/f; echo y >> /tmp/d/f; mktemp /tmp/d/t.XXXXXX > /tmp/d/name
        cp /etc/passwd /tmp/d/c; mv /tmp/d/c /tmp/d/moved; touch /tmp/d/touched; ln /tmp/d/f /tmp/d/hard; cd /tmp/d; mkdir rel; echo z > rel/z
        mkdir -m 2770 sgid; chgrp 8 sgid; echo s > sgid/s; mkdir sgid/d
        ( set -C; echo a > excl; echo b > excl ) 2> /dev/null || cat excl
        stat -c '%u:%g %a %n' /tmp/d e f moved touched hard rel rel/z sgid/s sgid/d excl; stat -c '%u:%g %a' $(cat name)
        cat f; chown 33:8 f; chown 0 f || echo refused";
    let listing = |uid: u32, gid: u32| {
        let own = format!("{uid}:{gid}");
        format!(
            "a\n{own} 750 /tmp/d\n{own} 750 e\n{own} 640 f\n{own} 640 moved\n{own} 640 touched\n{own} 640 hard\n\
             {own} 750 rel\n{own} 640 rel/z\n{uid}:8 640 sgid/s\n{uid}:8 2750 sgid/d\n{own} 640 excl\n{own} 600\nx\ny\nrefused\n"
        )
    };
    let flags = "-u 33:44 --group-add 8";
    script(&env, flags, "alpine", make).success().stdout_is(&listing(33, 44));
    script(&env, &format!("{flags} --tmpfs /tmp"), "alpine", make)
        .success()
        .stdout_is(&listing(33, 44));
    script(&env, &format!("{flags} -v vol:/tmp"), "alpine", make)
        .success()
        .stdout_is(&listing(33, 44));
    // A folder may give its group to what root makes in it.
    let inherit = "mkdir /tmp/g; chown 33:8 /tmp/g; chmod 2775 /tmp/g; echo r > /tmp/g/f; mkdir /tmp/g/d; echo r > /tmp/g/d/f
        ln -s f /tmp/g/l; cp /etc/passwd /tmp/g/c; cd /tmp/g; stat -c '%u:%g %a %n' f d d/f c";
    let inherited = "0:8 644 f\n0:8 2755 d\n0:8 644 d/f\n0:8 644 c\n";
    for flags in ["", "--tmpfs /tmp", "-v vol:/tmp"] {
        script(&env, flags, "alpine", inherit).success().stdout_is(inherited);
    }
    // Others see the same, later too, and root's files are root's.
    let look = "stat -c '%u:%g' /tmp/d/f /tmp/d/e; echo r > /tmp/r; mkdir /tmp/rd; stat -c '%u:%g' /tmp/r /tmp/rd";
    script(&env, "-v vol:/tmp", "alpine", look).success().stdout_is("33:8\n33:44\n0:0\n0:0\n");
    env.sh("docker volume rm vol").success();
    env.assert_nothing_left();
}

#[test]
fn a_tmpfs_belongs_to_whom_it_is_mounted_for() {
    let env = TestEnv::new();
    let look = "stat -c '%u:%g %a' /ram; grep -c ' /ram .*size=1024k' /proc/self/mountinfo";
    for flags in ["--tmpfs /ram:uid=33,gid=44,mode=750,size=1m", "-v ram:/ram"] {
        env.sh("docker volume create -d local -o type=tmpfs -o device=tmpfs -o o=size=1m,uid=33,gid=44,mode=750 ram")
            .success();
        script(&env, flags, "alpine", look).success().stdout_is("33:44 750\n1\n");
        script(&env, &format!("{flags} -u 33:44"), "alpine", look)
            .success()
            .stdout_is("33:44 750\n1\n");
        env.sh("docker volume rm ram").success();
    }
    // An owner given later stays for further processes.
    env.sh("docker run -d --network none --name c1 --tmpfs /ram:uid=33 alpine sleep 1000")
        .success();
    env.sh("docker exec c1 sh -c 'stat -c %u:%g /ram; chown 5:6 /ram'; docker exec c1 stat -c %u:%g /ram")
        .success()
        .stdout_is("33:0\n5:6\n");
    env.sh("docker rm -f c1").success();
    env.assert_nothing_left();
}

#[test]
fn a_tmpfs_has_the_owner_on_record_of_the_folder_it_covers() {
    let env = TestEnv::new();
    let make = "docker run --name c1 --network none alpine sh -c \
                'mkdir /run/srv; chown 33:44 /run/srv; chmod 750 /run/srv'; docker commit c1 own; docker rm c1";
    env.sh(make).success();
    let look = "stat -c '%u:%g %a' /run/srv";
    for (flags, seen) in [
        ("--tmpfs /run/srv", "33:44 750\n"),
        ("--tmpfs /run/srv:uid=5", "5:44 750\n"),
        ("--mount type=tmpfs,dst=/run/srv", "33:44 750\n"),
        ("-v ram:/run/srv", "33:44 750\n"),
        ("-v ram7:/run/srv", "7:44 700\n"),
    ] {
        env.sh("docker volume create -o type=tmpfs -o device=tmpfs ram").success();
        env.sh("docker volume create -o type=tmpfs -o device=tmpfs -o o=uid=7,mode=700 ram7")
            .success();
        script(&env, flags, "own", look).success().stdout_is(seen);
        env.sh("docker volume rm ram ram7").success();
    }
    env.assert_nothing_left();
}

#[test]
fn making_a_device_is_refused_as_with_ids() {
    let env = TestEnv::new();
    let make = "mknod /tmp/null c 1 3; mknod /tmp/disk b 8 0; ls /tmp; mknod /tmp/pipe p; ls /tmp";
    env.write("script", make);
    env.sh("docker run --rm --network none -v $ROOT/work/script:/script:ro alpine sh /script")
        .success()
        .stdout_is("pipe\n")
        .stderr_has("mknod: /tmp/null: Operation not permitted")
        .stderr_has("mknod: /tmp/disk: Operation not permitted");
    env.assert_nothing_left();
}

/// A PAX header with one extended attribute, for the entry that follows.
fn attribute(layer: &mut Layer, name: &str, value: &[u8]) {
    let field = [format!(" SCHILY.xattr.{name}=").as_bytes(), value, b"\n"].concat();
    let mut length = field.len() + 2;
    while length.to_string().len() + field.len() != length {
        length += 1;
    }
    let record = [length.to_string().as_bytes(), &field].concat();
    layer.entry(tar::EntryType::XHeader, "pax", 0o644, "", &record);
}

#[test]
fn access_lists_of_others_are_left_out() {
    let env = TestEnv::new();
    let mut list = 2u32.to_le_bytes().to_vec();
    let anybody = u32::MAX;
    for (tag, rights, id) in
        [(1u16, 6u16, anybody), (2, 4, 33), (4, 4, anybody), (16, 4, anybody), (32, 0, anybody)]
    {
        list.extend([tag.to_le_bytes(), rights.to_le_bytes()].concat());
        list.extend(id.to_le_bytes());
    }
    let mut image = fixture::alpine_like();
    image.names = vec!["listed:latest".into()];
    let mut layer = Layer::new();
    attribute(&mut layer, "system.posix_acl_access", &list);
    layer.file("listed", 0o640, "kept\n");
    image.layers.push(layer.finish());
    let archive = env.write("listed.tar", fixture::save(&[image]));
    let loaded = env.sh(&format!("docker load -i {}", archive.display())).success();
    loaded.stderr_has("listed: its access list names others than it may");
    env.sh("docker run --rm --network none listed cat /listed").success().stdout_is("kept\n");
    env.assert_nothing_left();
}

/// `sudo` looks at the owner of each of its files, from several sides.
#[test]
fn sudo_works_in_a_debian_root() {
    let Some(debian) = &settings().debian else { skip!("no Debian root: run scripts/test") };
    if TcpStream::connect(("deb.debian.org", 80)).is_err() {
        skip!("no Debian mirror in reach");
    }
    let env = TestEnv::bare();
    env.run(["import", &debian.display().to_string(), "debian"]).success();
    let script = "apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends sudo acl > /dev/null
        echo 'daemon ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/test
        setpriv --reuid daemon --regid daemon --init-groups sudo -n id -u
        setpriv --reuid daemon --regid daemon --init-groups sudo -n -u games id -un
        touch /f; setfacl -m u:games:r /f 2>&1";
    let args = ["run", "--rm", "--network", "host", "debian", "sh", "-c", script];
    let output = env.coracle().args(args).deadline(Duration::from_secs(300)).run();
    let told = "0\ngames\nsetfacl: /f: Operation not supported\n";
    assert!(output.stdout().ends_with(told), "{output}");
    env.assert_nothing_left();
}

/// Who answers for ids is found by a socket in the runtime folder.
#[test]
fn exec_works_after_the_runtime_folder_was_removed() {
    let env = TestEnv::new();
    env.run(["run", "-d", "--name", "c1", "--network", "none", "alpine", "sleep", "1000"])
        .success();
    let script = "touch /f && chown 33:34 /f && stat -c %u:%g /f && id -u";
    for _ in 0..2 {
        std::fs::remove_dir_all(env.data().join("run")).expect("files of ours");
        for _ in 0..2 {
            env.run(["exec", "-u", "0", "c1", "sh", "-c", script])
                .success()
                .stdout_is("33:34\n0\n");
            env.run(["exec", "-u", "1000", "c1", "id", "-u"]).success().stdout_is("1000\n");
        }
    }
    env.run(["restart", "-t", "0", "c1"]).success();
    env.run(["exec", "c1", "sh", "-c", script]).success().stdout_is("33:34\n0\n");
    env.run(["rm", "-f", "c1"]).success();
    env.assert_nothing_left();
}
