//! Why user namespaces are refused; each cause has another remedy.

use std::fs;
use std::path::Path;

use coracle_sys::SyscallError;
use rustix::io::Errno;

use super::rung::Rung;
use super::{Inputs, host};

const NAME: &str = "user-namespaces";

/// What can be read about the refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Evidence {
    errno: i32,
    /// `kernel.unprivileged_userns_clone` of Debian's kernels.
    clone_sysctl: Option<String>,
    max_namespaces: Option<String>,
    /// `kernel.apparmor_restrict_unprivileged_userns` of Ubuntu.
    apparmor_sysctl: Option<String>,
    in_container: Option<String>,
    has_filter: bool,
}

pub(super) fn user_namespaces(inputs: &Inputs, refusal: Option<&SyscallError>) -> Rung {
    let Some(error) = refusal else {
        return Rung::have(NAME, "a user may make them");
    };
    let sysctl = |path: &str| {
        fs::read_to_string(Path::new("/proc/sys").join(path))
            .ok()
            .map(|text| text.trim().to_owned())
    };
    let evidence = Evidence {
        errno: error.errno().unwrap_or(0),
        clone_sysctl: sysctl("kernel/unprivileged_userns_clone"),
        max_namespaces: sysctl("user/max_user_namespaces"),
        apparmor_sysctl: sysctl("kernel/apparmor_restrict_unprivileged_userns"),
        in_container: host::container(),
        has_filter: host::status_field("Seccomp").is_some_and(|mode| mode != "0"),
    };
    let why = format!("{error}: {}", error.source);
    judge(&evidence, &why, &inputs.exe)
}

fn judge(evidence: &Evidence, why: &str, exe: &Path) -> Rung {
    let is = |value: &Option<String>, wanted: &str| value.as_deref() == Some(wanted);
    let refused =
        |cause: &str, remedy: String| Rung::refused(NAME, format!("{cause} ({why})"), remedy);
    if evidence.errno == Errno::BUSY.raw_os_error() {
        return refused("not tried: this process has threads", "run `coracle info`".to_owned());
    }
    if is(&evidence.clone_sysctl, "0") {
        return refused(
            "kernel.unprivileged_userns_clone is 0",
            "as root: `sysctl -w kernel.unprivileged_userns_clone=1`".to_owned(),
        );
    }
    if is(&evidence.max_namespaces, "0") {
        return refused(
            "user.max_user_namespaces is 0",
            "as root: `sysctl -w user.max_user_namespaces=15000`".to_owned(),
        );
    }
    if evidence.errno == Errno::NOSPC.raw_os_error() {
        return refused(
            "as many user namespaces as user.max_user_namespaces allows exist",
            "end containers, or as root raise `sysctl user.max_user_namespaces`".to_owned(),
        );
    }
    if is(&evidence.apparmor_sysctl, "1") {
        return refused("AppArmor allows them to named programs only", apparmor_remedy(exe));
    }
    if let Some(container) = &evidence.in_container {
        return refused(
            &format!("the {container} container we are in forbids them"),
            "start that container with `--security-opt seccomp=unconfined \
             --security-opt apparmor=unconfined --security-opt systempaths=unconfined`"
                .to_owned(),
        );
    }
    if evidence.has_filter {
        return refused(
            "a seccomp filter on this process forbids them",
            "start coracle outside the sandbox that set the filter (`grep Seccomp \
             /proc/self/status` shows 2 in it)"
                .to_owned(),
        );
    }
    if evidence.errno == Errno::INVAL.raw_os_error()
        || evidence.errno == Errno::NOSYS.raw_os_error()
    {
        return refused(
            "this kernel has none",
            "use a kernel built with CONFIG_USER_NS=y".to_owned(),
        );
    }
    refused(
        "no cause found",
        "ask the administrator which security module forbids user namespaces".to_owned(),
    )
}

/// A profile for this very file that allows nothing but what is missing.
fn apparmor_remedy(exe: &Path) -> String {
    let exe = exe.display();
    format!(
        "as root: `printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile coracle {exe} \
         flags=(unconfined) {{\\n  userns,\\n}}\\n' > /etc/apparmor.d/coracle && \
         apparmor_parser -r /etc/apparmor.d/coracle`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(evidence: &Evidence) -> (String, String) {
        let rung = judge(evidence, "unshare(): EPERM", Path::new("/opt/coracle"));
        let super::super::Answer::Refused(why) = rung.answer else { panic!("not refused") };
        (why, rung.remedy.unwrap())
    }

    #[test]
    fn each_cause_has_its_remedy() {
        let denied = Evidence { errno: 1, ..Evidence::default() };
        let (why, remedy) = cause(&Evidence { clone_sysctl: Some("0".into()), ..denied.clone() });
        assert_eq!(why, "kernel.unprivileged_userns_clone is 0 (unshare(): EPERM)");
        assert_eq!(remedy, "as root: `sysctl -w kernel.unprivileged_userns_clone=1`");
        let (_, remedy) = cause(&Evidence { max_namespaces: Some("0".into()), ..denied.clone() });
        assert_eq!(remedy, "as root: `sysctl -w user.max_user_namespaces=15000`");
        let (why, remedy) =
            cause(&Evidence { apparmor_sysctl: Some("1".into()), ..denied.clone() });
        assert!(why.starts_with("AppArmor allows them to named programs only"));
        assert!(remedy.contains("profile coracle /opt/coracle flags=(unconfined)"), "{remedy}");
        let (why, _) = cause(&Evidence { in_container: Some("docker".into()), ..denied.clone() });
        assert!(why.starts_with("the docker container we are in forbids them"));
        let (why, _) = cause(&Evidence { has_filter: true, ..denied.clone() });
        assert!(why.starts_with("a seccomp filter on this process forbids them"));
        let (why, _) = cause(&denied);
        assert!(why.starts_with("no cause found"));
    }
}
