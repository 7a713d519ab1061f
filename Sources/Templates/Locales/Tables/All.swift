// Written by scripts/make-locales; not by hand. Facts of the Unicode CLDR 47 (Unicode License v3), as babel 2.18.0 carries them.

extension TextLocale {
    static let generated: [TextLocale] = [
        .az, .bg, .cs, .de, .en, .enGB, .es, .et, .fr, .hu, .hy, .it, .ka, .kk, .lt, .lv, .pl, .ro, .ru, .sk, .tr, .uk,
    ]
}
