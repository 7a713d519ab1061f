import Glibc

/// An address of the internet protocol, as a number and never as text, so that two spellings of one place cannot differ.
public struct OutboundAddress: Hashable, Sendable, CustomStringConvertible {
    public enum Family: Hashable, Sendable { case v4, v6 }
    public let family: Family
    /// Of IPv4 the low 32 bits.
    let bits: UInt128

    init(v4: UInt32) {
        family = .v4
        bits = UInt128(v4)
    }

    init(v6: UInt128) {
        family = .v6
        bits = v6
    }

    /// Four decimal numbers without leading zeros, or IPv6 as RFC 4291 (2.2) writes it, without zone. Nil for everything else: short,
    /// octal, hexadecimal and whole-number forms are refused, since readers differ about them.
    public init?(_ text: some StringProtocol) {
        if text.utf8.contains(0x3A) {
            guard !text.utf8.contains(UInt8(ascii: "%")), let bits = OutboundAddress.v6(String(text)) else { return nil }
            self.init(v6: bits)
        } else {
            guard let bits = OutboundAddress.v4(text) else { return nil }
            self.init(v4: bits)
        }
    }

    private static func v4(_ text: some StringProtocol) -> UInt32? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != 0x30 else { return nil }
            var value: UInt32 = 0
            for digit in part {
                guard (0x30...0x39).contains(digit) else { return nil }
                value = value * 10 + UInt32(digit - 0x30)
            }
            guard value < 256 else { return nil }
            bits = bits << 8 | value
        }
        return bits
    }

    private static func v6(_ text: String) -> UInt128? {
        var address = in6_addr()
        guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        return withUnsafeBytes(of: &address) { bits($0) }
    }

    /// Sixteen bytes in network order.
    static func bits(_ bytes: UnsafeRawBufferPointer) -> UInt128 { bytes.reduce(0) { $0 << 8 | UInt128($1) } }

    /// As sockets read it: `10.1.2.3`, `2001:db8::1`.
    public var description: String {
        switch family {
        case .v4: [24, 16, 8, 0].map { String(UInt8(truncatingIfNeeded: bits >> UInt128($0))) }.joined(separator: ".")
        case .v6:
            {
                var address = in6_addr()
                withUnsafeMutableBytes(of: &address) { bytes in
                    for place in 0..<16 { bytes[place] = UInt8(truncatingIfNeeded: bits >> UInt128(120 - 8 * place)) }
                }
                var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
                inet_ntop(AF_INET6, &address, &text, socklen_t(INET6_ADDRSTRLEN))
                return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }()
        }
    }

    /// The IPv4 address that an IPv6 one stands for, itself otherwise: mapped and compatible (RFC 4291, 2.5.5), NAT64 (RFC 6052),
    /// 6to4 (RFC 3056), ISATAP (RFC 5214). What a packet reaches is judged, not how it was written.
    public var unwrapped: OutboundAddress {
        guard family == .v6 else { return self }
        func v4(_ shift: UInt128) -> OutboundAddress { OutboundAddress(v4: UInt32(truncatingIfNeeded: bits >> shift)) }
        if bits >> 32 == 0xFFFF { return v4(0) }
        if bits >> 32 == 0, bits > 1 { return v4(0) }
        if bits >> 32 == 0x0064_FF9B_0000_0000_0000_0000 { return v4(0) }
        if bits >> 112 == 0x2002 { return v4(80) }
        let interface = UInt32(truncatingIfNeeded: bits >> 32)
        if interface == 0x0000_5EFE || interface == 0x0200_5EFE { return v4(0) }
        return self
    }

    /// IPv4 for an address that is only written as IPv6 (`::ffff:a.b.c.d`, RFC 4291, 2.5.5.2): the same packets to the same place.
    public var mapped: OutboundAddress {
        family == .v6 && bits >> 32 == 0xFFFF ? OutboundAddress(v4: UInt32(truncatingIfNeeded: bits)) : self
    }

    /// Loopback of this host, which an allow-list must name by its address.
    public var isLoopback: Bool { Self.loopback.contains { $0.contains(unwrapped) } }

    /// An address that no name may lead to by itself: this host, the link, a group, a cloud's metadata service, nothing at all.
    public var isSpecial: Bool { Self.special.contains { $0.contains(unwrapped) } }

    private static let loopback = networks(["127.0.0.0/8", "::1/128"])
    private static let special = networks([
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "192.0.0.0/24", "100.100.100.200/32", "168.63.129.16/32", "224.0.0.0/4",
        "240.0.0.0/4", "::/128", "::1/128", "fe80::/10", "fec0::/10", "ff00::/8", "64:ff9b:1::/48", "2001::/32", "100::/64",
        "fd00:ec2::254/128", "fd20:ce::254/128",
    ])

    private static func networks(_ texts: [String]) -> [OutboundNetwork] { texts.compactMap { OutboundNetwork($0) } }
}

/// A block of addresses: `10.20.0.0/16`, `2001:db8::/32`, or one address.
public struct OutboundNetwork: Hashable, Sendable, CustomStringConvertible {
    public let address: OutboundAddress
    public let prefix: Int

    /// Nil when it is no address, its length is out of range, or bits behind the length are set, which is a mistyped block.
    public init?(_ text: String) {
        let halves = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let address = OutboundAddress(halves[0]) else { return nil }
        let width = address.family == .v4 ? 32 : 128
        var prefix = width
        if halves.count == 2 {
            let digits = halves[1]
            guard (1...3).contains(digits.utf8.count), digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(digits),
                length <= width
            else { return nil }
            prefix = length
        }
        guard OutboundNetwork.head(address.bits, width, prefix) << UInt128(width - prefix) == address.bits else { return nil }
        self.address = address
        self.prefix = prefix
    }

    public func contains(_ other: OutboundAddress) -> Bool {
        guard other.family == address.family else { return false }
        let width = address.family == .v4 ? 32 : 128
        return OutboundNetwork.head(other.bits, width, prefix) == OutboundNetwork.head(address.bits, width, prefix)
    }

    /// The first `prefix` of `width` bits; a shift by the whole width is zero, as it should be.
    private static func head(_ bits: UInt128, _ width: Int, _ prefix: Int) -> UInt128 { bits >> UInt128(width - prefix) }

    public var description: String { "\(address)/\(prefix)" }
}
