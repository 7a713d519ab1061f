import Testing

/// Who may open a connection to another machine: one client by HTTP, one dialer to operators; and the command line to its own node.
@Suite struct OutboundTests {
    static let words = [
        "ClientBootstrap", "NIOClientTCPBootstrap", "DatagramBootstrap", "HTTPClient(", "HTTPClient.shared", "URLSession", "NWConnection",
        "Glibc.connect(", "import AsyncHTTPClient",
    ]
    /// File or folder, and the words it may use.
    static let allowed: [(place: String, words: Set<String>)] = [
        ("Sources/Guard/Outbound/", ["HTTPClient(", "import AsyncHTTPClient"]),
        ("Sources/MartletChannels/SMS/SMPPDialer.swift", ["ClientBootstrap"]),
        ("Sources/MartletNode/Control/ControlClient.swift", ["Glibc.connect("]),
    ]

    @Test("No code but the outbound client, the SMPP dialer and the control client opens connections")
    func clients() throws {
        var broken: [String] = []
        var used: Set<String> = []
        for file in Repository.files(in: "Sources", ending: ".swift") {
            let lines = try Repository.text(file).split(separator: "\n", omittingEmptySubsequences: false)
            for (index, line) in lines.enumerated() {
                for word in Self.words(in: line) {
                    if let entry = Self.allowed.first(where: { file.hasPrefix($0.place) && $0.words.contains(word) }) {
                        used.insert("\(entry.place) \(word)")
                    } else {
                        broken.append("\(file):\(index + 1): \(word)")
                    }
                }
            }
        }
        #expect(broken.isEmpty, "\(broken.joined(separator: "\n"))")
        // A line of the table that nothing needs any more would let something else in.
        #expect(used.count == Self.allowed.reduce(0) { $0 + $1.words.count }, "\(used.sorted())")
    }

    @Test("No module but Guard may import the HTTP client")
    func imports() {
        for (module, names) in ImportTable.allowed where names.contains("AsyncHTTPClient") { #expect(module == "Guard") }
    }

    @Test("A client is seen in code, by any of its names, and not in a comment")
    func reading() {
        #expect(Self.words(in: "let a = ClientBootstrap(group: loop)") == ["ClientBootstrap"])
        #expect(Self.words(in: "internal import AsyncHTTPClient").count == 1 && Self.words(in: "try URLSession.shared").count == 1)
        #expect(Self.words(in: "// as ClientBootstrap does").isEmpty)
    }

    static func words(in line: some StringProtocol) -> [String] {
        let code = SourceLine.withoutComment(line)
        return words.filter { code.contains($0) }
    }
}
