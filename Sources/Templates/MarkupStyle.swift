/// Follows the styles of markup while it is compiled: what they load, from wherever, tells its owner who reads the message and when. The functions and rules
/// that load nothing are listed, so `url(`, `image-set(`, `@import` and what browsers will know one day are refused, and so is every way
/// of writing them otherwise.
struct StyleScan {
    /// In an attribute references (`&lpar;`) stand for signs; in `<style>` they do not.
    private let isAttribute: Bool
    private var word: [UInt8] = []
    /// The word is behind an `@`.
    private var isRule = false
    /// A section or partial began or ended where the word may go on.
    private var isTorn = false
    /// What stands behind an `&`; nil: there is none.
    private var reference: [UInt8]?

    init(isAttribute: Bool) { self.isAttribute = isAttribute }

    static let functions: Set<String> = [
        "calc", "clamp", "color", "color-mix", "conic-gradient", "cubic-bezier", "dir", "env", "has", "hsl", "hsla", "hwb", "is", "lab",
        "lang",
        "lch", "linear-gradient", "matrix", "max", "min", "minmax", "not", "nth-child", "nth-last-child", "nth-last-of-type", "nth-of-type",
        "oklab", "oklch", "radial-gradient", "repeat", "repeating-linear-gradient", "repeating-radial-gradient", "rgb", "rgba", "rotate",
        "scale",
        "steps", "translate", "translatex", "translatey", "var", "where", "-webkit-linear-gradient",
    ]
    static let rules: Set<String> = [
        "-ms-viewport", "-webkit-keyframes", "charset", "font-face", "keyframes", "media", "page", "supports", "viewport",
    ]
    /// Signs that no function or rule is written with.
    private static let references: Set<String> = ["quot", "apos", "amp", "#34", "#39", "nbsp"]
    /// Letters of a word; none that is taken has more.
    private static let wordMax = 32

    mutating func take(_ byte: UInt8) throws(MarkupScan.Mistake) {
        if let begun = reference { return try refer(begun, byte) }
        let isLetter = byte >= 0x80 || (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || byte == 0x2D || byte == 0x5F
        if isLetter {
            if word.count <= StyleScan.wordMax { word.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte) }
            return
        }
        let (before, wasRule, wasTorn) = (String(decoding: word, as: UTF8.self), isRule, isTorn)
        (word, isRule, isTorn) = ([], byte == 0x40, false)
        if byte == 0x26, isAttribute { reference = [] }
        if wasRule, !StyleScan.rules.contains(before) { throw refuse("`@\(before)`") }
        if byte == 0x5C { throw refuse("`\\`") }
        guard byte == 0x28, !wasRule else { return }
        if wasTorn { throw refuse("a function whose name stands behind a section") }
        if !before.isEmpty, !StyleScan.functions.contains(before) { throw refuse("`\(before)(`") }
    }

    private mutating func refer(_ begun: [UInt8], _ byte: UInt8) throws(MarkupScan.Mistake) {
        let name = String(decoding: begun, as: UTF8.self)
        if byte == 0x3B {
            reference = nil
            if !StyleScan.references.contains(name) { throw refuse("`&\(name);`") }
            return
        }
        guard begun.count < 8, byte == 0x23 || (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) else {
            reference = nil
            throw refuse("`&` that begins no sign")
        }
        reference = begun + [byte]
    }

    /// Where a section or a partial begins or ends: other text may follow than is written here.
    mutating func boundary() throws(MarkupScan.Mistake) {
        let isWithin = isRule || reference != nil
        (isRule, reference, isTorn) = (false, nil, true)
        if isWithin { throw refuse("a rule or a sign with a section within it") }
    }

    private func refuse(_ what: String) -> MarkupScan.Mistake {
        MarkupScan.Mistake(
            code: .unsafePlace,
            reason: "A style may not have \(what): styles of a text for customers load nothing, and say so plainly.")
    }
}
