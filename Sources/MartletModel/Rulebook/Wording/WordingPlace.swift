/// Where a text of a message is read, and so by whom.
public enum WordingPlace: CaseIterable, Sendable {
    /// A screen shows it to anybody before it is unlocked: title, preview and buttons of a push, the subject of a mail.
    case lockedScreen
    /// The customer reads or hears it, on a device of the customer's own: short messages, the body of a push, messengers, voice.
    case message
    /// The same with markup: the body of a rich push.
    case markup
    /// It lies where it was sent to for years, and goes through other people's servers: mails, passes.
    case letter
    /// The same in HTML.
    case html
    /// An address: what it says stands in other people's logs.
    case link
    /// The address of a picture.
    case image

    /// Schemes that no address has that customers are sent to, in its own field or within markup: they run or read something on the device, or go unprotected.
    public static let refusedSchemes: Set<String> = ["http", "javascript", "vbscript", "data", "file", "blob", "about", "ftp"]

    /// Whether a value of this class may stand there.
    /// - Parameter isMasked: only its last digits are shown. That makes it one that anybody may see, but not a secret: half of a code is
    ///   half of the way to the other half; and in an address there is nothing of it at all.
    public func shows(_ dataClass: DataClass, isMasked: Bool) -> Bool {
        switch (self, dataClass) {
        case (_, .open): true
        case (.link, _), (.image, _): false
        case (.lockedScreen, .personal): true
        case (.lockedScreen, .financial), (.lockedScreen, .identifier): isMasked
        case (.lockedScreen, .secret): false
        case (.message, .personal), (.message, .financial), (.message, .secret): true
        case (.markup, .personal), (.markup, .financial), (.markup, .secret): true
        case (.letter, .personal), (.letter, .financial), (.html, .personal), (.html, .financial): true
        case (.message, .identifier), (.markup, .identifier), (.letter, .identifier), (.html, .identifier): isMasked
        case (.letter, .secret), (.html, .secret): false
        }
    }

    /// For findings: `a locked screen shows this text`.
    public var doc: String {
        switch self {
        case .lockedScreen: "a locked screen shows this text"
        case .message, .markup: "this text shows it as it is"
        case .letter, .html: "this text stays where it was sent to"
        case .link: "this is an address"
        case .image: "this is the address of a picture"
        }
    }
}
