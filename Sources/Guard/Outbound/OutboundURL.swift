import FoundationEssentials

/// A place that Martlet may be told to speak to, read so strictly that no two readers can see two hosts in it: no user names, no
/// fragments, no escapes in the host, no short or odd forms of addresses, no other schemes than `https` and `http`.
public struct OutboundURL: Hashable, Sendable {
    public enum Host: Hashable, Sendable {
        /// In lower case.
        case name(String)
        case address(OutboundAddress)
    }

    public let isPlaintext: Bool
    public let host: Host
    public let port: Int
    /// With its query: from `/` on.
    let target: String

    /// Longest URL, in bytes.
    public static let maximumBytes = 2048

    /// - Throws: `.malformedURL` with the reason, which holds nothing of the text.
    public init(_ text: String) throws(OutboundFault) {
        func refuse(_ reason: String) -> OutboundFault { .malformedURL(reason: reason) }
        guard text.utf8.count <= OutboundURL.maximumBytes else { throw refuse("it is longer than \(OutboundURL.maximumBytes) bytes") }
        guard text.utf8.allSatisfy(OutboundURL.isPlain) else {
            throw refuse("it holds a space, a control character, a backslash, or a character that is not ASCII; write escapes and punycode")
        }
        var rest: Substring
        if text.hasPrefix("https://") {
            isPlaintext = false
            rest = text.dropFirst(8)
        } else if text.hasPrefix("http://") {
            isPlaintext = true
            rest = text.dropFirst(7)
        } else {
            throw refuse("it begins with neither https:// nor http://")
        }
        guard !rest.utf8.contains(UInt8(ascii: "#")) else { throw refuse("it has a fragment") }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let authority = rest[..<end]
        guard !authority.utf8.contains(UInt8(ascii: "@")) else { throw refuse("it holds a user name or password") }
        rest = rest[end...]
        (host, port) = try OutboundURL.place(authority, defaultPort: isPlaintext ? 80 : 443)
        target = rest.hasPrefix("/") ? String(rest) : "/" + rest
        guard OutboundURL.hasWholeEscapes(target) else { throw refuse("a % is not followed by two hexadecimal digits") }
        // The client below reads the text once more: it must find the same host and port.
        guard let again = URL(string: self.text), let seen = again.host, OutboundURL.bare(seen) == OutboundURL.bare(hostText),
            (again.port ?? (isPlaintext ? 80 : 443)) == port
        else { throw refuse("it can be read in two ways") }
    }

    private static func place(_ authority: Substring, defaultPort: Int) throws(OutboundFault) -> (Host, Int) {
        var name = authority
        var port = defaultPort
        let bracket = authority.lastIndex(of: "]")
        if let colon = authority.lastIndex(of: ":"), bracket.map({ $0 < colon }) ?? true {
            let digits = authority[authority.index(after: colon)...]
            guard (1...5).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), digits.first != "0",
                let number = Int(digits), number <= 65_535
            else { throw .malformedURL(reason: "its port is not a number from 1 to 65535") }
            port = number
            name = authority[..<colon]
        }
        if name.hasPrefix("["), name.hasSuffix("]") {
            guard name.utf8.contains(0x3A), let address = OutboundAddress(name.dropFirst().dropLast()) else {
                throw .malformedURL(reason: "what stands in brackets is no IPv6 address")
            }
            return (.address(address), port)
        }
        if let address = OutboundAddress(name), address.family == .v4 { return (.address(address), port) }
        guard let host = OutboundURL.hostName(name) else {
            throw .malformedURL(reason: "its host is neither a name nor an address in its usual form")
        }
        return (.name(host), port)
    }

    /// A host name in lower case: labels of 1 to 63 letters, digits and inner hyphens (RFC 1123, 2.1), 253 bytes in all. Nil when it is
    /// none, or when its last label begins with a digit: readers may take that for an address.
    static func hostName(_ text: some StringProtocol) -> String? {
        guard (1...253).contains(text.utf8.count) else { return nil }
        let labels = Array(text.utf8).split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        for label in labels {
            guard (1...63).contains(label.count), label.first != 0x2D, label.last != 0x2D else { return nil }
            for byte in label {
                let isLetter = (0x41...0x5A).contains(byte & 0xDF)
                guard isLetter || (0x30...0x39).contains(byte) || byte == 0x2D else { return nil }
            }
        }
        guard let first = labels.last?.first, !(0x30...0x39).contains(first) else { return nil }
        return text.lowercased()
    }

    /// Printable ASCII without what readers disagree about.
    private static func isPlain(_ byte: UInt8) -> Bool {
        guard (0x21...0x7E).contains(byte) else { return false }
        switch byte {
        case UInt8(ascii: "\\"), UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "^"), UInt8(ascii: "`"),
            UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
            return false
        default: return true
        }
    }

    private static func hasWholeEscapes(_ text: String) -> Bool {
        func isHex(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte & 0xDF) }
        let bytes = Array(text.utf8)
        for place in bytes.indices where bytes[place] == UInt8(ascii: "%") {
            guard place + 2 < bytes.count, isHex(bytes[place + 1]), isHex(bytes[place + 2]) else { return false }
        }
        return true
    }

    private static func bare(_ host: String) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()).lowercased() : host.lowercased()
    }

    var hostText: String {
        switch host {
        case .name(let name): name
        case .address(let address): address.family == .v6 ? "[\(address)]" : "\(address)"
        }
    }

    /// Host and port, for settings and logs: the path may hold what is nobody's business.
    public var place: String { "\(hostText):\(port)" }

    /// Written from its parts, so that what is sent is what was judged.
    var text: String {
        let scheme = isPlaintext ? "http" : "https"
        return port == (isPlaintext ? 80 : 443) ? "\(scheme)://\(hostText)\(target)" : "\(scheme)://\(hostText):\(port)\(target)"
    }
}
