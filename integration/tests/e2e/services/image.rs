//! One image with all the services, made once for all tests and over a network of the product's own: `run`,
//! `apt-get install`, `commit`, as a user makes one without a builder.

use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use coracle_integration::{TestEnv, settings::settings};

const MIRROR: &str = "deb.debian.org:80";
const PACKAGES: &str = "redis-server nginx-light postgresql-15 curl dnsutils";
pub(super) const INSTALL_DEADLINE: Duration = Duration::from_secs(400);

/// The image `services` in a new world, or a skip.
macro_rules! with_services {
    () => {{
        use crate::services::image;
        if !image::mirror_answers() {
            coracle_integration::skip!("no Debian mirror in reach");
        }
        let Some(debian) = &coracle_integration::settings::settings().debian else {
            coracle_integration::skip!("no Debian root: run scripts/test");
        };
        image::load(image::archive(debian))
    }};
}
pub(super) use with_services;

pub(super) fn mirror_answers() -> bool {
    let mut addresses = MIRROR.to_socket_addrs().into_iter().flatten();
    addresses.any(|address| TcpStream::connect_timeout(&address, Duration::from_secs(3)).is_ok())
}

/// A world with the image.
pub(super) fn load(archive: &Path) -> TestEnv {
    let env = TestEnv::bare();
    let load = ["load", "-q", "-i", &archive.display().to_string()];
    env.coracle().args(load).deadline(INSTALL_DEADLINE).run().success();
    env
}

/// The image as `save` wrote it, made by the first who asks.
pub(super) fn archive(debian: &Path) -> &'static Path {
    static ARCHIVE: OnceLock<PathBuf> = OnceLock::new();
    ARCHIVE.get_or_init(|| {
        let path = settings().fixtures.join("services.tar");
        // An earlier run over the same fixtures has made it.
        if !path.is_file() {
            make(debian, &path);
        }
        path
    })
}

fn make(debian: &Path, path: &Path) {
    let env = TestEnv::bare();
    let patiently = |args: &[&str]| {
        env.coracle().args(args).deadline(INSTALL_DEADLINE).run().success();
    };
    patiently(&["import", &debian.display().to_string(), "debian"]);
    // Services are not to be started by the installation.
    let script = format!(
        "echo exit 101 > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d; apt-get update -qq && \
         DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends {PACKAGES} && apt-get clean"
    );
    patiently(&["run", "--name", "installer", "debian", "sh", "-c", &script]);
    patiently(&["commit", "installer", "services"]);
    let temporary = path.with_extension("new").display().to_string();
    patiently(&["save", "-o", &temporary, "services"]);
    std::fs::rename(&temporary, path).expect("a file of ours");
    env.run(["rm", "installer"]).success();
    env.assert_nothing_left();
}
