//! Lines for people on the command line: French first, English where the locale asks for it.

/// The language of the command line's answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    French,
    English,
}

impl Language {
    /// English where `VIGIE_LANG`, or else the locale, begins with `en`; French otherwise.
    pub fn of_environment() -> Language {
        let names = ["VIGIE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"];
        let value = names.iter().filter_map(|name| std::env::var(name).ok()).find(|value| !value.is_empty());
        Language::of(&value.unwrap_or_default())
    }

    pub fn of(locale: &str) -> Language {
        if locale.to_ascii_lowercase().starts_with("en") { Language::English } else { Language::French }
    }

    pub fn pick<T>(self, french: T, english: T) -> T {
        match self {
            Language::French => french,
            Language::English => english,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn french_comes_first_and_english_where_it_is_asked_for() {
        assert_eq!(Language::of(""), Language::French);
        assert_eq!(Language::of("C.UTF-8"), Language::French);
        assert_eq!(Language::of("en_GB.UTF-8"), Language::English);
    }
}
