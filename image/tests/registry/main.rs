//! Pull, push and login over real connections on this machine.

#[cfg(test)]
mod behaviour;
#[cfg(test)]
mod download;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod platforms;
#[cfg(test)]
mod redirects;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod support;
