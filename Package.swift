// swift-tools-version: 6.2
import PackageDescription

// Every own target: Swift 6 mode, explicit existentials, imports internal unless they appear in a public signature.
// Release: a generic called from another module is 24 times slower without cross-module optimisation.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHTTP: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioHTTP2: Target.Dependency = .product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioHPACK: Target.Dependency = .product(name: "NIOHPACK", package: "swift-nio-http2")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let sqlite: Target.Dependency = .product(name: "GRDBSQLite", package: "GRDB.swift")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdHTTP2: Target.Dependency = .product(name: "HummingbirdHTTP2", package: "hummingbird")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// A library of the house. What it may import is its dependency list here; `Tests/Architecture` holds the same table
/// against the import lines.
func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: house)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)", swiftSettings: house)
}

let package = Package(
    name: "martlet",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "SMPP", targets: ["SMPP"]),
        .library(name: "SMSText", targets: ["SMSText"]),
        .library(name: "Templates", targets: ["Templates"]),
        .library(name: "Journal", targets: ["Journal"]),
        .executable(name: "martlet", targets: ["martlet"]),
        .executable(name: "martlet-sim", targets: ["martlet-sim"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.46.0"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
        // What tests hold templates against; no program has it.
        .package(url: "https://github.com/hummingbird-project/swift-mustache.git", from: "2.1.1"),
    ],
    targets: [
        // Wire, alphabets, templates, disk: no word of Martlet.
        library("SMPP", [nioCore]),
        library("SMSText", []),
        library("Templates", []),
        // Days, zones and hours, without a clock.
        library("Calendar", []),
        .target(name: "CJournal"),
        .systemLibrary(name: "CThreads"),
        library("Threads", ["CThreads"]),
        library("Journal", ["CJournal", "Threads"]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        library("SQL", ["CPostgres", "Threads", grdb, sqlite]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        library("Zip", ["CZlib"]),

        // What security reads.
        library("Guard", [crypto, httpClient, nioCore, nioPosix, nioHTTP, nioSSL]),

        // Words and seams; then the pure core; then its shell.
        library("MartletModel", []),
        library("MartletEngine", ["MartletModel", "SMSText", "Calendar", "Templates"]),
        library("MartletSettings", ["MartletModel", yams]),
        library("MartletStore", ["MartletModel", "SQL", "Guard"]),
        library("MartletLocal", ["MartletModel", "Journal", "Guard"]),
        library("MartletNode", ["MartletModel", "MartletEngine", "MartletLocal", "Journal", "Guard", nioCore, nioPosix, logging]),

        // How things come in, how messages go out.
        library(
            "MartletDoors",
            ["MartletModel", "SMPP", "SMSText", "Guard", nioCore, nioPosix, nioHTTP, nioHTTP2, nioHPACK, nioTLS, nioSSL]),
        library("MartletChannels", ["MartletModel", "SMPP", "SMSText", "Guard", nioCore, nioPosix, nioSSL]),

        // The desk: administration, history, statistics; nothing here sends.
        library(
            "MartletDesk",
            [
                "MartletModel", "MartletEngine", "MartletStore", "MartletLocal", "SQL", "Guard", "Journal", "Threads", hummingbird,
                hummingbirdCore, hummingbirdHTTP2,
                nioCore, nioSSL,
                logging,
            ]),

        // The world outside, simulated.
        library("MartletSimulators", ["SMPP", "SMSText", nioCore, nioPosix, nioHTTP]),

        // Composition roots.
        .executableTarget(
            name: "martlet",
            dependencies: [
                "MartletModel", "MartletEngine", "MartletSettings", "MartletNode", "MartletDoors", "MartletChannels",
                "MartletStore", "MartletDesk", "MartletLocal", "SMPP", "SMSText", "Journal", "SQL", "Guard", "Threads", "Zip", nioCore,
                nioPosix,
                logging,
                arguments,
            ],
            swiftSettings: house),
        .executableTarget(
            name: "martlet-sim", dependencies: ["MartletSimulators", nioCore, nioPosix, yams, arguments], swiftSettings: house),

        // Tests mirror Sources; Architecture reads the sources themselves.
        tests("SMPP", ["SMPP", nioCore]),
        tests("SMSText", ["SMSText"]),
        tests("Templates", ["Templates", mustache]),
        tests("Calendar", ["Calendar"]),
        tests("Threads", ["Threads"]),
        tests("Journal", ["Journal", "CJournal", "Threads"]),
        // A PostgreSQL server of the tests' own, shared by the suites of one run.
        .target(name: "PostgresServer", path: "Tests/PostgresServer", swiftSettings: house),
        tests("SQL", ["SQL", "PostgresServer"]),
        tests("Zip", ["Zip"]),
        tests("MartletStore", ["MartletStore", "MartletModel", "SQL", "Guard", "PostgresServer"]),
        tests(
            "MartletDesk",
            [
                "MartletDesk", "MartletStore", "MartletLocal", "MartletModel", "MartletEngine", "SQL", "Guard", "Journal", "Threads",
                "PostgresServer",
                hummingbird,
                nioCore,
                logging,
            ]),
        tests("Guard", ["Guard", crypto, nioCore, nioPosix, nioHTTP, nioSSL]),
        tests("MartletModel", ["MartletModel"]),
        tests("MartletEngine", ["MartletEngine", "MartletModel", "SMSText", "Calendar", "Templates", mustache]),
        tests("MartletSettings", ["MartletSettings", "MartletModel"]),
        tests("MartletLocal", ["MartletLocal", "MartletModel", "Journal", "Guard"]),
        tests(
            "MartletNode",
            ["MartletNode", "MartletModel", "MartletEngine", "MartletLocal", "SMSText", "Journal", "Guard", nioCore, nioPosix, logging]),
        tests(
            "MartletDoors",
            [
                "MartletDoors", "MartletModel", "SMPP", "SMSText", "Guard", nioCore, nioPosix, nioHTTP, nioHTTP2, nioHPACK, nioEmbedded,
                nioSSL,
            ]),
        tests("MartletChannels", ["MartletChannels", "MartletModel", "SMPP", "SMSText", nioCore, nioPosix, nioEmbedded, nioSSL]),
        tests("MartletSimulators", ["MartletSimulators", "SMPP", "SMSText", nioCore, nioPosix, nioEmbedded]),
        tests(
            "Martlet",
            [
                "martlet", "SMPP", "SMSText", "MartletModel", "MartletSettings", "MartletDoors", "MartletChannels", "MartletNode",
                "MartletEngine", "MartletLocal", "MartletDesk", "MartletSimulators", "MartletStore", "SQL", "Journal", "Guard", "Zip",
                nioCore,
                nioPosix, logging,
                yams,
                arguments,
            ]),
        tests("Architecture", []),
    ]
)
