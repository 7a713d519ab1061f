/// Where Martlet may open connections by HTTP: the administrator's list. Empty: nowhere.
public struct OutboundRules: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        public enum Place: Sendable, Equatable {
            case name(String)
            case network(OutboundNetwork)
        }
        public var place: Place
        public var ports: [Int]
        /// Why plaintext may be spoken there; nil: it may not, but on loopback.
        public var plaintextReason: String?

        /// - Parameter place: a host name, an address, or a block of addresses. Nil when it is none of these.
        public init?(_ place: String, ports: [Int] = [443], plaintextReason: String? = nil) {
            if let network = OutboundNetwork(place) {
                self.place = .network(network)
            } else if let name = OutboundURL.hostName(place) {
                self.place = .name(name)
            } else {
                return nil
            }
            self.ports = ports
            self.plaintextReason = plaintextReason
        }
    }

    public var entries: [Entry]

    public init(_ entries: [Entry] = []) { self.entries = entries }

    /// Whether the list could ever allow this place: for settings, before anything is resolved.
    public func mayAllow(_ url: OutboundURL) -> Bool {
        switch url.host {
        case .address(let address): return allows(address, of: url)
        case .name(let name):
            return entries.contains { entry in
                guard entry.ports.contains(url.port) else { return false }
                // A name may lead into a block; whether it does is seen when it is resolved.
                if case .name(let own) = entry.place { return own == name && allowsScheme(entry, url) }
                return true
            }
        }
    }

    /// What of the addresses that a host led to may be connected to: all of them or, with a fault, none. One forbidden address among
    /// several refuses the name, since it is its owner's choice which one is taken.
    public func judge(_ url: OutboundURL, _ addresses: [OutboundAddress]) throws(OutboundFault) -> [OutboundAddress] {
        guard !addresses.isEmpty else { throw .unresolved }
        for address in addresses where !allows(address, of: url) { throw .notAllowed }
        return addresses
    }

    private func allows(_ address: OutboundAddress, of url: OutboundURL) -> Bool {
        let real = address.unwrapped
        return entries.contains { entry in
            guard entry.ports.contains(url.port), !url.isPlaintext || entry.plaintextReason != nil || real.isLoopback else { return false }
            switch entry.place {
            // To allow, an address counts as it is; that one within it is allowed says nothing of where its packets go.
            case .network(let network): return network.contains(address.mapped) && (!real.isSpecial || network.contains(real))
            case .name(let name): return url.host == .name(name) && !real.isSpecial
            }
        }
    }

    private func allowsScheme(_ entry: Entry, _ url: OutboundURL) -> Bool { !url.isPlaintext || entry.plaintextReason != nil }
}

/// Why nothing came of a request. None holds anything of the URL, the headers or the body.
public enum OutboundFault: Error, Equatable, Sendable, CustomStringConvertible {
    case malformedURL(reason: String)
    /// The list does not allow the place, or plaintext there, or the address that its name leads to.
    case notAllowed
    /// Its name leads to no address, or nobody said to which in time.
    case unresolved
    case noConnection
    /// Its certificate is not trusted, or not that of the host.
    case tls
    case timedOut
    /// The connection ended, or what came is no HTTP.
    case broken
    case stopped

    public var description: String {
        switch self {
        case .malformedURL(let reason): "the URL cannot be used: \(reason)"
        case .notAllowed: "outbound.allow does not allow this host, its address, its port or plaintext there"
        case .unresolved: "the host name leads to no address, or to none in time"
        case .noConnection: "no connection could be made"
        case .tls: "TLS failed: the certificate is not trusted or not the host's"
        case .timedOut: "there was no whole answer in time"
        case .broken: "the connection ended without an answer"
        case .stopped: "the server is stopping"
        }
    }

    /// Word of a metric's label.
    public var word: String {
        switch self {
        case .malformedURL: "url"
        case .notAllowed: "not_allowed"
        case .unresolved: "unresolved"
        case .noConnection: "connect"
        case .tls: "tls"
        case .timedOut: "timeout"
        case .broken: "broken"
        case .stopped: "stopped"
        }
    }
}
