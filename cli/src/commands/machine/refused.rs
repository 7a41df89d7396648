//! What `docker-machine` does to virtual machines, and there are none to do it to.

use crate::commands::refused::refused;

refused! {
    Config, "machine config", "nothing travels by TLS; `machine env NAME` sets a shell up, `--node NAME` is for one command";
    Mount, "machine mount", "a machine has the files of this one: `machine ssh NAME` begins in this folder";
    Provision, "machine provision", "there is no virtual machine to set up, and every machine has this program";
    RegenerateCerts, "machine regenerate-certs", "nothing travels by TLS, so there are no certificates";
    Scp, "machine scp", "a machine has the files of this one: `cp` copies them";
    Upgrade, "machine upgrade", "every machine has this program, which is replaced as any other";
    Url, "machine url", "nothing listens on a machine; `machine env NAME` sets a shell up to work on it";
}
