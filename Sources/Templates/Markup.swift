/// Follows the markup of a text while it is compiled, as browsers read it (WHATWG HTML, section 13.2.5), to know what stands around each value: escaping
/// keeps a value a text only in an element and in a quoted attribute, and does nothing against an address that runs something.
///
/// It sees what is written, not what is rendered. So that it holds for every rendering, a section and a partial end where in the markup they began, and names,
/// and addresses up to their host, are written without tags.
struct MarkupScan {
    /// What compiling says about it.
    struct Mistake: Error {
        let code: TemplateFinding.Code
        let reason: String
    }

    /// Where in the markup something stands. Equal ones are told apart by nothing that follows.
    struct Stand: Hashable {
        fileprivate(set) var place: Place = .text
        /// Of a value in quotes: which; 0: it has none.
        fileprivate(set) var quote: UInt8 = 0
        /// Whether the attribute is an address.
        fileprivate(set) var isAddress = false
        /// Whether it is a style.
        fileprivate(set) var isStyle = false
        /// Whether it is `http-equiv`.
        fileprivate(set) var isEquivalent = false
        /// Within `<title>`, where there are no elements.
        fileprivate(set) var isTitle = false
    }

    enum Place: Hashable {
        case text
        /// Behind `<`.
        case opened
        case elementName
        /// Within a tag, before an attribute's name.
        case inside
        case attributeName, afterName, beforeValue, value
        case comment
        /// `<!DOCTYPE`, `<?xml`, `<!--[if`, `<![endif]`.
        case declaration
        case style
    }

    /// Schemes, in small letters, that no address may have.
    private let refused: Set<String>
    /// Hosts, in small letters, from which pictures and the like may be loaded; nil: any.
    private let hosts: Set<String>?
    private(set) var stand = Stand()
    private var element: [UInt8] = []
    private var name: [UInt8] = []
    /// Of an attribute that is an address, what is written of it until it is known where it leads.
    private var address: [UInt8] = []
    private var isLed = true
    /// What it leads to is loaded when the message is opened.
    private var isLoaded = false
    private var style = StyleScan(isAttribute: false)
    /// What is written of `http-equiv`.
    private var equivalent: [UInt8] = []
    /// A section ended or began within the name before.
    private var isTorn = false
    private var dashes = 0

    /// Letters of a name, and octets of an address up to the end of its host.
    static let nameMax = 64
    static let hostMax = 512

    init(refused: Set<String>, hosts: Set<String>? = nil) {
        self.refused = refused
        self.hosts = hosts
    }

    // MARK: Tags of the template

    /// How a value that stands here is escaped.
    func escape() throws(Mistake) -> OutputKind {
        switch stand.place {
        case .text, .comment: return .html
        case .value where stand.quote != 0:
            if stand.isStyle { throw refuse("A value may not stand in a style: nothing there keeps it a text.") }
            if stand.isEquivalent { throw refuse("`http-equiv` is written out.") }
            guard stand.isAddress else { return .html }
            guard isLed else { throw undecided }
            return .link
        case .value, .beforeValue: throw refuse("A value may not stand in an attribute without quotes: it would end at its first blank.")
        case .style: throw refuse("A value may not stand in a style sheet: nothing there keeps it a text.")
        case .opened, .elementName, .inside, .attributeName, .afterName, .declaration:
            throw refuse(
                "A value may not stand within a tag but in a quoted attribute. Where `<` is meant as a sign, it is written `&lt;`.")
        }
    }

    /// Where a section begins or ends, or a partial is put in.
    mutating func boundary() throws(Mistake) -> Stand {
        switch stand.place {
        case .text, .comment, .inside: break
        case .style: try style.boundary()
        case .elementName:
            (isTorn, stand.place) = (true, .inside)
            finishName()
            try checkElement()
        case .attributeName, .afterName:
            isTorn = stand.place != .afterName
            finishName()
            stand.place = .inside
        case .value where stand.quote != 0:
            if stand.isStyle { try style.boundary() }
            if stand.isEquivalent { throw refuse("`http-equiv` is written out.") }
            if stand.isAddress, !isLed {
                isLed = true
                throw undecided
            }
        case .opened, .beforeValue, .value, .declaration:
            throw refuse(
                "A section or a partial may not begin or end here: a tag's name, and an attribute with its quotes, are written whole.")
        }
        return stand
    }

    /// Goes on from where a section or partial began, after it ended elsewhere.
    mutating func resume(_ before: Stand) {
        stand = before
        isLed = true
    }

    // MARK: Text

    /// Takes the next octet of what is written.
    mutating func take(_ byte: UInt8) throws(Mistake) {
        switch stand.place {
        case .text: if byte == 0x3C { open() }
        case .opened: try opened(byte)
        case .declaration: declared(byte)
        case .comment:
            if byte == 0x3E, dashes >= 2 { return stand.place = .text }
            dashes = byte == 0x2D ? dashes + 1 : byte == 0x21 && dashes >= 2 ? dashes : 0
        case .style: try styled(byte)
        case .elementName: try named(byte)
        case .inside: try inside(byte)
        case .attributeName, .afterName: try attribute(byte)
        case .beforeValue:
            if Source.isBlank(byte) { return }
            if byte == 0x3E { return close() }
            stand.place = .value
            stand.quote = byte == 0x22 || byte == 0x27 ? byte : 0
            if stand.quote == 0 { try value(byte) }
        case .value: try value(byte)
        }
    }

    private mutating func open() {
        stand.place = .opened
        element = []
    }

    private mutating func opened(_ byte: UInt8) throws(Mistake) {
        if stand.isTitle, element.isEmpty, byte != 0x2F {
            stand.place = .text
            throw titled
        }
        switch byte {
        case _ where Self.isLetter(byte):
            element.append(byte | 0x20)
            stand.place = .elementName
        case 0x2F where element.isEmpty: element = [byte]
        case 0x21 where element.isEmpty, 0x3F where element.isEmpty:
            name = []
            stand.place = .declaration
        case 0x3C: open()
        case _ where !element.isEmpty && byte != 0x3E:
            // `</` and no letter is a comment up to the next `>`.
            name = [byte]
            stand.place = .declaration
        default: stand.place = .text
        }
    }

    private mutating func declared(_ byte: UInt8) {
        if name == Array("--".utf8) {
            // What Outlook alone reads is markup to it.
            if byte == 0x5B { return name = [byte] }
            (stand.place, dashes) = (.comment, 2)
            if byte == 0x3E { return stand.place = .text }
            return dashes = byte == 0x2D ? 3 : 0
        }
        if byte == 0x3E { return stand.place = .text }
        if name.count < 3 { name.append(byte) }
    }

    private mutating func styled(_ byte: UInt8) throws(Mistake) {
        let end = Array("</style".utf8)
        let letter = Self.isLetter(byte) ? byte | 0x20 : byte
        if name.count < end.count, letter == end[name.count] { name.append(letter) } else { name = byte == 0x3C ? [byte] : [] }
        guard name.count == end.count else { return try style.take(byte) }
        (element, name) = (Array("/style".utf8), [])
        stand.place = .elementName
    }

    private mutating func named(_ byte: UInt8) throws(Mistake) {
        switch byte {
        case 0x3E, 0x2F,
            _ where Source.isBlank(byte):
            finishName()
            stand.place = .inside
            let isTitle = stand.isTitle
            if byte == 0x3E { close() }
            if isTitle, element != Array("/title".utf8) { throw titled }
            try checkElement()
        default: if element.count < Self.nameMax { element.append(Self.isLetter(byte) ? byte | 0x20 : byte) }
        }
    }

    private func checkElement() throws(Mistake) {
        if let reason = MarkupNames.refusal(ofElement: String(decoding: element, as: UTF8.self)) { throw refuse(reason) }
    }

    private mutating func inside(_ byte: UInt8) throws(Mistake) {
        if byte == 0x3E { return close() }
        if byte == 0x2F || Source.isBlank(byte) { return isTorn = false }
        let wasTorn = isTorn
        (isTorn, name) = (false, [Self.isLetter(byte) ? byte | 0x20 : byte])
        stand.place = .attributeName
        if wasTorn || byte == 0x3D {
            throw refuse("The name of an attribute and its value are written together, without sections between them.")
        }
    }

    private mutating func attribute(_ byte: UInt8) throws(Mistake) {
        switch byte {
        case 0x3D: try beginValue()
        case 0x3E: close()
        case 0x2F: stand.place = .inside
        case _ where Source.isBlank(byte): stand.place = .afterName
        default:
            if stand.place == .afterName { name = [] }
            stand.place = .attributeName
            if name.count < Self.nameMax { name.append(Self.isLetter(byte) ? byte | 0x20 : byte) }
        }
    }

    private mutating func beginValue() throws(Mistake) {
        let name = String(decoding: self.name, as: UTF8.self)
        finishName()
        stand.place = .beforeValue
        stand.isAddress = MarkupNames.addresses.contains(name) || name.hasSuffix(":href")
        (address, isLed) = ([], !stand.isAddress)
        let isPicture = MarkupNames.pictures.contains(String(decoding: element, as: UTF8.self))
        isLoaded = isPicture || !MarkupNames.followed.contains(name) && !name.hasSuffix(":href")
        (stand.isStyle, style) = (MarkupNames.styles.contains(name), StyleScan(isAttribute: true))
        (stand.isEquivalent, equivalent) = (name == "http-equiv", [])
        if let reason = MarkupNames.refusal(ofAttribute: name) { throw refuse(reason) }
    }

    private mutating func value(_ byte: UInt8) throws(Mistake) {
        let ends = stand.quote != 0 ? byte == stand.quote : byte == 0x3E || Source.isBlank(byte)
        guard ends else {
            if stand.isStyle { try style.take(byte) }
            if stand.isEquivalent, equivalent.count < Self.nameMax { equivalent.append(Self.isLetter(byte) ? byte | 0x20 : byte) }
            if !isLed { try lead(byte) }
            return
        }
        let (isStyle, isEquivalent) = (stand.isStyle, stand.isEquivalent)
        let isOpen = stand.isAddress && !isLed
        let isClosing = stand.quote == 0 && byte == 0x3E
        endValue()
        if isClosing { close() }
        if isOpen { try ended() }
        // So that a rule that ends with the attribute is looked at.
        if isStyle { try style.take(0x3B) }
        if isEquivalent, !MarkupNames.equivalents.contains(String(decoding: equivalent, as: UTF8.self)) {
            throw refuse("`http-equiv` may lead the reader away; it is one of \(MarkupNames.equivalents.sorted().joined(separator: ", ")).")
        }
    }

    private mutating func endValue() {
        stand = Stand()
        stand.place = .inside
        isLed = true
    }

    private mutating func finishName() { name = [] }

    private mutating func close() {
        stand = Stand()
        isTorn = false
        stand.isTitle = element == Array("title".utf8)
        guard element == Array("style".utf8) else { return }
        (name, style) = ([], StyleScan(isAttribute: false))
        stand.place = .style
    }

    // MARK: Addresses

    /// One octet more of an address of which it is not yet known where it leads. Browsers leave out what stands before it, and line ends and tabs within it.
    private mutating func lead(_ byte: UInt8) throws(Mistake) {
        if byte <= 0x20, address.isEmpty { return }
        address.append(byte)
        do throws(Mistake) {
            isLed = try leads()
        } catch {
            isLed = true
            throw error
        }
    }

    /// Whether it is known now.
    private func leads() throws(Mistake) -> Bool {
        guard let byte = address.last else { return false }
        if byte <= 0x20 || byte == 0x7F || byte == 0x26 || byte == 0x5C {
            throw misled("up to its host an address is written without blanks, `&` and `\\`")
        }
        guard address.count <= Self.hostMax else { throw misled("up to the end of its host it has more than \(Self.hostMax) octets") }
        if address[0] == 0x2F { return address.count == 1 ? false : address[1] == 0x2F ? try hasHost(from: 2) : true }
        guard let colon = address.firstIndex(of: 0x3A) else {
            // A part of the bank's own address, or of this page: no scheme can follow.
            return !Self.isLetter(address[0]) || !Self.isScheme(byte)
        }
        let scheme = String(decoding: address[..<colon], as: UTF8.self).lowercased()
        if refused.contains(scheme) {
            throw misled("`\(scheme):` runs or reads something on the device, or is open to everybody on the way")
        }
        guard Self.webSchemes.contains(scheme) else { return true }
        let slashes = address[(colon + 1)...].prefix(2)
        guard slashes.allSatisfy({ $0 == 0x2F }) else { throw misled("behind `\(scheme):` stand `//` and the host's name") }
        return slashes.count == 2 ? try hasHost(from: colon + 3) : false
    }

    private func hasHost(from start: Int) throws(Mistake) -> Bool {
        guard let byte = address.last, address.count > start else { return false }
        if byte == 0x40 { throw misled("a name before `@` is no host") }
        guard byte == 0x2F || byte == 0x3F || byte == 0x23 else { return false }
        guard address.count > start + 1 else { throw misled("it names no host") }
        try judge(address[start...].dropLast())
        return true
    }

    /// Whether what is loaded may come from there.
    private func judge(_ host: ArraySlice<UInt8>) throws(Mistake) {
        guard let hosts, isLoaded else { return }
        let name = String(decoding: host.prefix { $0 != 0x3A }, as: UTF8.self).lowercased()
        guard !hosts.contains(name) else { return }
        throw Mistake(
            code: .unsafeAddress,
            reason:
                "It would be loaded from another host than the bank's, whose owner sees who opens the message: upload the picture, or name one "
                + "of the bank's hosts (images.hosts).")
    }

    /// The attribute ended before it was known; what is written out whole leads somewhere.
    private func ended() throws(Mistake) {
        if let last = address.last, address.count > 1, last == 0x2F || last == 0x3A { throw misled("it names no host") }
        if address.starts(with: Array("//".utf8)) { return try judge(address[2...]) }
        guard let colon = address.firstIndex(of: 0x3A), address[(colon + 1)...].starts(with: Array("//".utf8)) else { return }
        let scheme = String(decoding: address[..<colon], as: UTF8.self).lowercased()
        if Self.webSchemes.contains(scheme) { try judge(address[(colon + 3)...]) }
    }

    private static let webSchemes: Set<String> = ["https", "http", "ws", "wss", "ftp"]

    private var titled: Mistake { refuse("A title has no elements in it; `<` is written `&lt;`.") }

    private var undecided: Mistake {
        Mistake(
            code: .unsafeAddress,
            reason: "Where an address leads is written out, scheme and host, before anything of it changes: `https://bank.example/...`.")
    }

    private func misled(_ why: String) -> Mistake { Mistake(code: .unsafeAddress, reason: "Customers are not sent there: \(why).") }

    private func refuse(_ reason: String) -> Mistake { Mistake(code: .unsafePlace, reason: reason) }

    private static func isLetter(_ byte: UInt8) -> Bool { byte < 0x80 && (0x61...0x7A).contains(byte | 0x20) }

    private static func isScheme(_ byte: UInt8) -> Bool {
        isLetter(byte) || (0x30...0x39).contains(byte) || byte == 0x2B || byte == 0x2D || byte == 0x2E
    }
}
