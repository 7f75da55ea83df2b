use super::*;

const MANY: &str = "de en es es-419 he nb pt pt-PT zh zh-Hant";

#[test]
fn closest_language_follows_cldr_inheritance() {
    for (preferred, expected) in [
        ("zh-TW", "zh-Hant"),
        ("zh-HK", "zh-Hant"),
        ("zh-MO", "zh-Hant"),
        ("zh-Hant-HK", "zh-Hant"),
        ("zh_hant_tw", "zh-Hant"),
        ("zh_TW_#Hant", "zh-Hant"),
        ("zh-CN", "zh"),
        ("zh-SG", "zh"),
        ("no", "nb"),
        ("nb-NO", "nb"),
        ("nn", "nb"),
        ("nn-NO", "nb"),
        ("iw", "he"),
        ("iw_IL", "he"),
        ("es-MX", "es-419"),
        ("es-AR", "es-419"),
        ("es-US", "es-419"),
        ("es-ES", "es"),
        ("pt-AO", "pt-PT"),
        ("pt-MZ", "pt-PT"),
        ("pt_BR.UTF-8", "pt"),
        ("de-AT-u-nu-latn", "de"),
        ("en-AU", "en"),
    ] {
        closest(MANY, preferred, Some(expected));
    }
}

#[test]
fn sibling_is_preferred_to_another_language() {
    closest("en en-GB", "en-AU", Some("en-GB"));
    closest("en en-GB", "en-IN", Some("en-GB"));
    closest("en en-001 en-GB", "en-IN", Some("en-001"));
    closest("en en-GB", "en-US", Some("en"));
    closest("en de-AT", "de-CH", Some("de-AT"));
    closest("en zh-TW", "zh-HK", Some("zh-TW"));
    closest("en zh-HK zh-TW", "zh-Hant", Some("zh-TW"));
    closest("en es es-MX", "es-AR", Some("es-MX"));
    closest("en pt-PT pt-BR", "pt", Some("pt-BR"));
    closest("en fr-CA fr-FR", "fr-BE", Some("fr-FR"));
    closest("en no", "nb", Some("no"));
    closest("en iw", "he", Some("iw"));
}

#[test]
fn script_separates_languages() {
    closest("en zh", "zh-TW", None);
    closest("en sr", "sr-Latn", None);
    closest("en sr-Latn sr", "sr-ME", Some("sr-Latn"));
    closest("en sr-Latn sr", "sr-RS", Some("sr"));
}

#[test]
fn default_language_is_the_fallback() {
    let choices = |written: &str, preferred: Option<&str>, default: &str| {
        Languages::new(written.split(' ')).choices(preferred, default).join(" ")
    };
    assert_eq!(choices("de en", Some("fr"), "en"), "en");
    assert_eq!(choices("de en", Some("fr"), "de"), "de");
    assert_eq!(choices("de en", None, "de"), "de");
    assert_eq!(choices("de en", Some("en-GB"), "de"), "en de");
    assert_eq!(choices("pt", None, "pt-BR"), "pt");
    assert_eq!(choices("de", None, "en"), "");
    for odd in ["../../etc", "", "-", "x", "toolonglanguage", "d€", "und", "root"] {
        assert_eq!(choices("de en ../../etc", Some(odd), "en"), "en", "{odd}");
    }
}

#[test]
fn number_format_follows_the_reader_within_a_language() {
    for (text, preferred, expected) in [
        ("de", Some("de-CH"), "de-CH"),
        ("en", Some("de-CH"), "en"),
        ("en-GB", Some("en-AU"), "en-AU"),
        ("zh-Hant", Some("zh-HK"), "zh-HK"),
        ("zh", Some("zh-HK"), "zh"),
        ("nb", Some("nn"), "nb"),
        ("iw", Some("he-IL"), "he-IL"),
        ("de", None, "de"),
        ("de", Some("???"), "de"),
    ] {
        assert_eq!(refined(text, preferred), expected, "{text} for {preferred:?}");
    }
}

#[test]
fn tags_are_normalized() {
    for (tag, expected) in [
        ("pt_br", Some("pt-BR")),
        ("ZH-HANT-tw", Some("zh-Hant-TW")),
        ("es-419", Some("es-419")),
        ("../../etc", None),
        ("", None),
    ] {
        assert_eq!(normalized(tag).as_deref(), expected, "{tag}");
    }
}

#[track_caller]
fn closest(written: &str, preferred: &str, expected: Option<&str>) {
    assert_eq!(Languages::new(written.split(' ')).closest(preferred), expected, "{preferred} of {written}");
}
