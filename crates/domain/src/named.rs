//! Closed lists whose items have a text each: declared once, listed and named by the compiler.

/// An enum with `ALL` and, under the name that is given, each item's text. As JSON an item is its name in kebab case.
#[macro_export]
macro_rules! named_enum {
    ($(#[$doc:meta])* $name:ident, $(#[$text_doc:meta])* $text_of:ident { $($(#[$item_doc:meta])* $item:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, ::serde::Serialize, ::serde::Deserialize,
        )]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$item_doc])* $item,)* }

        impl $name {
            pub const ALL: &[$name] = &[$($name::$item),*];

            $(#[$text_doc])*
            pub const fn $text_of(self) -> &'static str {
                match self { $($name::$item => $text),* }
            }
        }
    };
}
