/// The house: which module may import what, besides the standard library. Exact in both directions: Package.swift says the
/// same, and a test compares them. A new line here is a decision about the architecture, not a fix of a red test.
///
/// What the table keeps true: the core is pure (no clock, disk, socket or Foundation within reach), wire and disk know no word
/// of Martlet, doors and channels do not know each other, and only the programs put parts together.
enum ImportTable {
    /// Module to the packages' products and own modules it may import.
    static let allowed: [String: Set<String>] = [
        // Wire, alphabets, templates, disk: no word of Martlet.
        "SMPP": ["NIOCore"],
        "SMSText": [],
        "Templates": [],
        "Calendar": [],
        "Threads": ["CThreads"],
        "Journal": ["CJournal", "Threads"],
        "SQL": ["CPostgres", "Threads", "GRDB", "GRDBSQLite"],
        "Zip": ["CZlib"],
        // What security reads.
        "Guard": ["Crypto", "AsyncHTTPClient", "NIOCore", "NIOPosix", "NIOHTTP1", "NIOSSL"],
        // Words and seams, the pure core, its shell.
        "MartletModel": [],
        "MartletEngine": ["MartletModel", "SMSText", "Calendar", "Templates"],
        "MartletSettings": ["MartletModel", "Yams"],
        // Customers as files that the desk writes and the node maps.
        "MartletLocal": ["MartletModel", "Journal", "Guard"],
        "MartletNode": ["MartletModel", "MartletEngine", "MartletLocal", "Journal", "Guard", "NIOCore", "NIOPosix", "Logging"],
        // The bank's memory: no part of a node (law of the house: the sending process has no database).
        "MartletStore": ["MartletModel", "SQL", "Guard"],
        // Administration, history, statistics: no part of a node either.
        "MartletDesk": [
            "MartletModel", "MartletEngine", "MartletStore", "MartletLocal", "SQL", "Guard", "Journal", "Threads", "Hummingbird",
            "HummingbirdCore", "HummingbirdHTTP2", "NIOCore", "NIOSSL",
            "Logging",
        ],
        // In and out.
        "MartletDoors": [
            "MartletModel", "SMPP", "SMSText", "Guard", "NIOCore", "NIOPosix", "NIOHTTP1", "NIOHTTP2", "NIOHPACK", "NIOTLS", "NIOSSL",
        ],
        "MartletChannels": ["MartletModel", "SMPP", "SMSText", "Guard", "NIOCore", "NIOPosix", "NIOSSL"],
        // The world outside.
        "MartletSimulators": ["SMPP", "SMSText", "NIOCore", "NIOPosix", "NIOHTTP1"],
        // Where parts meet.
        "martlet": [
            "MartletModel", "MartletEngine", "MartletSettings", "MartletNode", "MartletDoors", "MartletChannels",
            "MartletStore", "MartletDesk", "MartletLocal", "SMPP", "SMSText", "Journal", "SQL", "Guard", "Threads", "Zip", "NIOCore",
            "NIOPosix",
            "Logging",
            "ArgumentParser",
        ],
        "martlet-sim": ["MartletSimulators", "NIOCore", "NIOPosix", "Yams", "ArgumentParser"],
    ]

    /// The C library, Dispatch (signals, work in the background) and Foundation, which Package.swift does not name. The pure
    /// modules have none of them: what they could ask a
    /// clock or a generator for is an argument.
    static let system: [String: Set<String>] = [
        "SMPP": ["Glibc"],
        "Threads": ["Glibc"],
        "Journal": ["Glibc"],
        "SQL": ["Glibc"],
        "Guard": ["Glibc", "FoundationEssentials"],
        "MartletSettings": ["Glibc", "FoundationEssentials"],
        "MartletLocal": ["Glibc"],
        "MartletNode": ["Glibc", "Dispatch", "FoundationEssentials"],
        "MartletDoors": ["Glibc", "FoundationEssentials"],
        "MartletChannels": ["Glibc", "FoundationEssentials"],
        "MartletSimulators": ["Glibc", "FoundationEssentials"],
        "MartletDesk": ["Glibc", "Dispatch", "FoundationEssentials"],
        "martlet": ["Glibc", "Dispatch", "FoundationEssentials"],
        "martlet-sim": ["Glibc", "Dispatch", "FoundationEssentials"],
    ]

    /// The C library under the names it has elsewhere, for `#if canImport`.
    static let otherNamesOfGlibc: Set<String> = ["Musl", "Darwin"]

    /// Comes with the compiler; open to all.
    static let standardLibrary: Set<String> = ["Swift", "Synchronization"]

    /// Everything `module` may import.
    static func all(of module: String) -> Set<String> {
        var modules = (allowed[module] ?? []).union(system[module] ?? []).union(standardLibrary)
        if modules.contains("Glibc") { modules.formUnion(otherNamesOfGlibc) }
        return modules
    }

    /// Folders that are stricter than their module: what they may import besides the standard library.
    static let folders: [String: Set<String>] = [
        "MartletDoors/JSON": []
    ]

    /// C targets, without Swift sources.
    static let cTargets: Set<String> = ["CJournal", "CPostgres", "CThreads", "CZlib"]

    /// Names of Package.swift for products of other packages.
    static let packageNames: [String: String] = [
        "nioCore": "NIOCore", "nioPosix": "NIOPosix", "nioHTTP": "NIOHTTP1", "nioHTTP2": "NIOHTTP2", "nioHPACK": "NIOHPACK",
        "nioTLS": "NIOTLS", "httpClient": "AsyncHTTPClient", "nioEmbedded": "NIOEmbedded", "nioSSL": "NIOSSL",
        "crypto": "Crypto", "logging": "Logging", "yams": "Yams", "grdb": "GRDB", "sqlite": "GRDBSQLite", "arguments": "ArgumentParser",
        "hummingbird": "Hummingbird", "hummingbirdCore": "HummingbirdCore", "hummingbirdHTTP2": "HummingbirdHTTP2",
        "mustache": "Mustache",
    ]
}
