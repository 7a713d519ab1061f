import Glibc
import NIOCore
import NIOPosix

/// Where the addresses of a host name come from. Tests give one that changes its mind.
public struct OutboundResolver: Sendable {
    /// Empty when there is no answer. May block, as long as it likes: it is called on a thread of its own.
    public var addresses: @Sendable (String) -> [OutboundAddress]

    public init(_ addresses: @escaping @Sendable (String) -> [OutboundAddress]) { self.addresses = addresses }

    /// The system's.
    public static let system = OutboundResolver { name in
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0, let list else { return [] }
        defer { freeaddrinfo(list) }
        var found: [OutboundAddress] = []
        var next: UnsafeMutablePointer<addrinfo>? = list
        while let one = next, found.count < 32 {
            if let address = address(of: one.pointee), !found.contains(address) { found.append(address) }
            next = one.pointee.ai_next
        }
        return found
    }

    private static func address(of one: addrinfo) -> OutboundAddress? {
        guard let socket = one.ai_addr else { return nil }
        let bytes = UnsafeRawBufferPointer(start: socket, count: Int(one.ai_addrlen))
        // The address stands behind family, port and, in IPv6, the flow (4 and 8 bytes; ip(7), ipv6(7)).
        switch one.ai_family {
        case AF_INET where bytes.count >= 8:
            return OutboundAddress(v4: UInt32(truncatingIfNeeded: OutboundAddress.bits(.init(rebasing: bytes[4..<8]))))
        case AF_INET6 where bytes.count >= 24: return OutboundAddress(v6: OutboundAddress.bits(.init(rebasing: bytes[8..<24])))
        default: return nil
        }
    }
}

/// Names resolved a short while ago. A connection goes to an address that was judged, so an old entry is late and never wrong.
struct OutboundNames {
    private struct Entry {
        var addresses: [OutboundAddress]
        var until: NIODeadline
    }
    private var entries: [String: Entry] = [:]
    private static let maximum = 256

    func addresses(of name: String, at now: NIODeadline) -> [OutboundAddress]? {
        entries[name].flatMap { $0.until > now ? $0.addresses : nil }
    }

    mutating func keep(_ addresses: [OutboundAddress], of name: String, until: NIODeadline) {
        if entries[name] == nil, entries.count >= OutboundNames.maximum { entries.removeAll() }
        entries[name] = Entry(addresses: addresses, until: until)
    }

    /// This one answered: it is tried first while the entry lasts.
    mutating func prefer(_ address: OutboundAddress, of name: String) {
        guard var entry = entries[name], entry.addresses.first != address, let place = entry.addresses.firstIndex(of: address) else {
            return
        }
        entry.addresses.swapAt(0, place)
        entries[name] = entry
    }

    /// None of them answered: perhaps they moved.
    mutating func forget(_ name: String) { entries[name] = nil }
}
