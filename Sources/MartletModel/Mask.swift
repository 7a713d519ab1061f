/// How what names a person is shown to who may not see it: enough to recognise what one knows already, too little to learn it. Never more
/// than half of a value, and nothing of one too short for that.
public enum Mask {
    /// The first two digits and the last four: `+44•••••0123`; of fewer than twelve the last two, of fewer than eight none.
    public static func number(_ number: PhoneNumber) -> String {
        let digits = number.national
        guard digits.utf8.count >= 8 else { return "+•••••" }
        return "+\(digits.prefix(2))•••••\(digits.suffix(digits.utf8.count >= 12 ? 4 : 2))"
    }

    /// The last two letters: `•••20`; of fewer than four none.
    public static func reference(_ text: String) -> String { "•••\(text.suffix(text.count >= 4 ? 2 : 0))" }

    /// The first letter: `W•••`, if there is a second. What is empty stays so.
    public static func name(_ text: String) -> String { text.isEmpty ? "" : "\(text.prefix(text.count >= 2 ? 1 : 0))•••" }

    /// The first letter, if there is a second, and the domain: `W•••@mail.example`.
    public static func mail(_ text: String) -> String {
        guard let at = text.lastIndex(of: "@") else { return "•••" }
        return name(String(text[..<at])) + text[at...]
    }
}
