//! Names of containers: made up when the user gives none, checked when they do.
//!
//! # How it works
//!
//! A made-up name is an adjective, an underscore and the surname of a scientist or
//! engineer. Randomness comes from the caller, so the same numbers give the same name.
//!
//! # Not here
//!
//! Whether a name is taken: the caller tries again, with [`generate_numbered`] when two
//! attempts clashed.

/// The longest name: files are called so, with something before and behind.
pub const NAME_BYTES_MAX: usize = 240;

/// Why a text cannot be the name of a container.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    #[error("Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")]
    Characters { name: String },
    #[error("Invalid container name ({name}…), at most {NAME_BYTES_MAX} characters are allowed")]
    TooLong {
        /// Its beginning.
        name: String,
    },
}

/// The name that a user gave, with or without the slash that Docker keeps before it.
///
/// # Errors
/// As [`validate`]; the message has the name as it was given.
pub fn given(name: &str) -> Result<&str, InvalidName> {
    let bare = name.strip_prefix('/').unwrap_or(name);
    validate(bare).map_err(|error| match error {
        InvalidName::Characters { .. } => InvalidName::Characters { name: name.to_owned() },
        error @ InvalidName::TooLong { .. } => error,
    })?;
    Ok(bare)
}

/// Checks a name as given by the user. A leading slash is an error here: strip it first
/// where Docker allows it.
///
/// # Errors
/// When it is shorter than two characters or has one that is not allowed.
pub fn validate(name: &str) -> Result<(), InvalidName> {
    if name.len() > NAME_BYTES_MAX {
        return Err(InvalidName::TooLong { name: name.chars().take(32).collect() });
    }
    let mut bytes = name.bytes();
    let first_fits = bytes.next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let rest_fits = bytes.all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    if first_fits && rest_fits && name.len() > 1 {
        return Ok(());
    }
    Err(InvalidName::Characters { name: name.to_owned() })
}

/// Makes up a name from two random numbers.
pub fn generate(mut random: impl FnMut() -> u32) -> String {
    format!("{}_{}", pick(ADJECTIVES, random()), pick(SURNAMES, random()))
}

/// As [`generate`] with a digit at the end, for when the shorter names clashed.
pub fn generate_numbered(mut random: impl FnMut() -> u32) -> String {
    let digit = random() % 10;
    format!("{}{digit}", generate(random))
}

fn pick<'a>(words: &[&'a str], number: u32) -> &'a str {
    // The bias of the remainder does not matter for names.
    let count = u32::try_from(words.len()).expect("a list of words is short");
    let index = usize::try_from(number % count).expect("an index of a list fits");
    words[index]
}

#[rustfmt::skip]
const ADJECTIVES: &[&str] = &[
    "agile", "airy", "alert", "ample", "amber", "artful", "astute", "autumn", "azure", "balmy",
    "blithe", "bold", "bonny", "brave", "breezy", "bright", "brisk", "bubbly", "buoyant", "calm",
    "candid", "canny", "cheery", "civil", "clear", "clever", "cordial", "cosy", "crisp", "curious",
    "dapper", "daring", "dashing", "deft", "dreamy", "eager", "earnest", "easy", "fair", "famous",
    "fearless", "fleet", "fluent", "fond", "frank", "free", "fresh", "frosty", "gallant", "genial",
    "gentle", "gifted", "glad", "golden", "grand", "handy", "hardy", "hearty", "honest", "humble",
    "ideal", "jaunty", "jolly", "jovial", "keen", "kind", "lively", "loyal", "lucid", "lucky",
    "lunar", "mellow", "merry", "mighty", "mild", "modest", "neat", "nimble", "noble", "patient",
    "peppy", "placid", "plucky", "polite", "prime", "proud", "quick", "quiet", "radiant", "ready",
    "rosy", "sage", "serene", "sharp", "shiny", "silent", "smooth", "snappy", "solar", "solid",
    "spry", "steady", "stellar", "sturdy", "sunny", "swift", "tidy", "tranquil", "trusty", "upbeat",
    "valiant", "vivid", "warm", "wise", "witty", "zesty",
];

#[rustfmt::skip]
const SURNAMES: &[&str] = &[
    "abel", "adelard", "airy", "alembert", "alhazen", "ampere", "anning", "antonelli",
    "apollonius", "arago", "arber", "archimedes", "argelander", "aristarchus", "arrhenius",
    "aryabhata", "avogadro", "babbage", "baekeland", "banach", "banneker", "banting", "bardeen",
    "bartik", "bassi", "becquerel", "bell", "berners", "bernoulli", "berzelius", "bessel",
    "bessemer", "bethe", "bhabha", "bhaskara", "biruni", "blackwell", "bohr", "boltzmann",
    "bolyai", "boole", "born", "bose", "bourne", "boyle", "bragg", "brahe", "brahmagupta",
    "bramah", "brouwer", "brunel", "buffon", "bunsen", "burbidge", "bush", "cannon", "cantor",
    "cardano", "carnot", "carson", "carver", "cassini", "cauchy", "cavendish", "cayley",
    "celsius", "cerf", "chadwick", "chandrasekhar", "chatelet", "chebyshev", "church",
    "clairaut", "clarke", "clausius", "cockcroft", "codd", "compton", "copernicus", "cori",
    "coriolis", "coulomb", "cray", "crick", "curie", "cuvier", "daguerre", "daimler", "dalton",
    "darwin", "davy", "dedekind", "descartes", "dewar", "diesel", "dijkstra", "diophantus",
    "dirac", "doppler", "drebbel", "dyson", "earhart", "edison", "ehrenfest", "eiffel",
    "einstein", "elion", "engelbart", "eratosthenes", "ericsson", "erdos", "euclid", "euler",
    "evans", "fahrenheit", "faraday", "fermat", "fermi", "feynman", "fibonacci", "fisher",
    "fitch", "fizeau", "flamsteed", "fleming", "foucault", "fourier", "franklin", "fraunhofer",
    "frege", "fresnel", "fulton", "galileo", "galois", "galvani", "gauss", "geiger", "germain",
    "gibbs", "gilbert", "goddard", "godel", "goeppert", "golgi", "goodall", "green", "grimaldi",
    "guericke", "gutenberg", "haber", "hadamard", "hadley", "haldane", "halley", "hamilton",
    "hamming", "harrison", "harvey", "hawking", "heaviside", "heisenberg", "helmholtz", "henry",
    "hero", "herschel", "hertz", "hilbert", "hipparchus", "hodgkin", "hollerith", "hooke",
    "hopper", "hubble", "huffman", "humboldt", "hutton", "huygens", "hypatia", "jacobi",
    "jacquard", "jansky", "joliot", "joule", "kapitza", "kelvin", "kepler", "khayyam",
    "kirchhoff", "kleene", "knuth", "koch", "kolmogorov", "kovalevskaya", "krebs", "lagrange",
    "lamarck", "lamarr", "landau", "langmuir", "laplace", "lavoisier", "lawrence", "leavitt",
    "leeuwenhoek", "legendre", "leibniz", "lenoir", "lenz", "liebig", "lilienthal", "linnaeus",
    "liouville", "liskov", "lomonosov", "lorentz", "lovelace", "lyell", "mach", "malpighi",
    "marconi", "markov", "maxwell", "mcclintock", "meitner", "mendel", "mendeleev", "mercator",
    "michelson", "minkowski", "moore", "morse", "napier", "newcomen", "newton", "nightingale",
    "nobel", "noether", "oersted", "ohm", "otto", "papin", "pascal", "pasteur", "pauli",
    "pauling", "payne", "peano", "perkin", "planck", "poincare", "poisson", "polhem", "priestley",
    "ptolemy", "pythagoras", "raman", "ramanujan", "rayleigh", "riemann", "ritchie", "roentgen",
    "rubin", "rutherford", "sagan", "scheele", "schrodinger", "seki", "shannon", "siemens",
    "snell", "somerville", "stephenson", "stevin", "stokes", "sturgeon", "swan", "telford",
    "tesla", "thales", "torricelli", "trevithick", "turing", "vaucanson", "vesalius", "vieta",
    "volta", "wallace", "watt", "weber", "wegener", "weierstrass", "wheatstone", "whitney",
    "wilkes", "wirth", "wright", "yalow", "young", "yukawa", "zeeman", "zeppelin", "zuse",
];

/// Letters of a name that are compared; a longer one is nobody's slip.
const COMPARED_MAX: usize = 64;

/// The one of `known` that is most like `wanted`, if one is so like it that it may be meant.
/// Names that differ in numbers alone (`web1`, `web2`) are not slips of each other.
#[must_use]
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = wanted.chars().count();
    let most = match length {
        0..=2 => return None,
        3..=5 => 1,
        6..=8 => 2,
        _ => 3,
    };
    if length > COMPARED_MAX {
        return None;
    }
    let words = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "");
    let candidates = known.into_iter().filter(|name| words(name) != words(wanted));
    let measured = candidates.map(|name| (slips(wanted, name), name));
    measured.filter(|(slips, _)| *slips <= most).min().map(|(_, name)| name)
}

/// Letters to put in, take out, replace or swap with their neighbours to get from one to the
/// other.
#[must_use]
pub fn slips(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().take(COMPARED_MAX + 1).collect();
    let to: Vec<char> = to.chars().take(COMPARED_MAX + 1).collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=to.len()).collect()];
    for i in 1..=from.len() {
        let mut row = vec![i];
        for j in 1..=to.len() {
            let differs = usize::from(from[i - 1] != to[j - 1]);
            let mut best =
                (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + differs);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}

/// Whether a `--filter` for names lets `text` pass: a regular expression that is found in it, as
/// in Docker. One that does not parse stands for itself.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    pattern == text || regex::Regex::new(pattern).is_ok_and(|regex| regex.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::nearest;
    use super::{ADJECTIVES, SURNAMES, generate, generate_numbered, validate};

    #[test]
    fn names_come_from_the_numbers_given() {
        let mut numbers = [0, 1].into_iter();
        assert_eq!(generate(|| numbers.next().unwrap()), "agile_adelard");
        let mut numbers = [u32::MAX, 0, 0].into_iter();
        assert_eq!(generate_numbered(|| numbers.next().unwrap()), "agile_abel5");
    }

    #[test]
    fn every_word_makes_a_valid_name_and_comes_once() {
        for list in [ADJECTIVES, SURNAMES] {
            let mut seen = std::collections::BTreeSet::new();
            for word in list {
                assert!(word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
                assert!(seen.insert(word), "{word} is there twice");
            }
        }
        assert!(ADJECTIVES.len() >= 100 && SURNAMES.len() >= 200);
    }

    #[test]
    fn good_names() {
        for name in ["ab", "A1", "0x", "web-1", "a_b.c-d", "x."] {
            assert_eq!(validate(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_name_fits_into_a_file_name() {
        assert_eq!(validate(&"a".repeat(240)), Ok(()));
        let error = validate(&"ä".repeat(200)).unwrap_err().to_string();
        assert!(error.ends_with("ä…), at most 240 characters are allowed"), "{error}");
    }

    #[test]
    fn bad_names_in_dockers_words() {
        for name in ["", "x", "-x", ".x", "_x", "bad/name", "/ab", "b d", "ä1", "a\n"] {
            assert_eq!(
                validate(name).unwrap_err().to_string(),
                format!(
                    "Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
                )
            );
        }
    }

    #[test]
    fn the_nearest_name_is_found_when_it_is_near() {
        let known = ["run", "rm", "rename", "restart", "web-db", "database", "web2"];
        let near = |wanted| nearest(wanted, known);
        assert_eq!(near("rnu"), Some("run"));
        assert_eq!(near("renmae"), Some("rename"));
        assert_eq!(near("restrat"), Some("restart"));
        assert_eq!(near("web_db"), Some("web-db"));
        assert_eq!(near("databse"), Some("database"));
        for far in ["r", "xyz", "web1", "nosuch", "", "databases-of-others"] {
            assert_eq!(near(far), None, "{far}");
        }
    }
}
