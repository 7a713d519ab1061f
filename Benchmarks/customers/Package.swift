// swift-tools-version: 6.2
import PackageDescription

// Figures of the local copy of customers, and customers for a node to be measured with. Apart from the other measuring programs because these
// have no dependency; the product's own sources, by links, for the modules are no products.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

let measure: Target.Dependency = .product(name: "Measure", package: "martlet-benchmarks")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")

let package = Package(
    name: "martlet-customers-benchmarks",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "customers", targets: ["customers"]), .executable(name: "fill", targets: ["fill"]),
        .executable(name: "persons", targets: ["persons"]),
    ],
    dependencies: [
        .package(name: "martlet-benchmarks", path: ".."),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
    ],
    targets: [
        .target(name: "CJournal", path: "CJournal"),
        .systemLibrary(name: "CThreads", path: "CThreads"),
        .target(name: "Threads", dependencies: ["CThreads"], path: "Threads", swiftSettings: house),
        .target(name: "Journal", dependencies: ["CJournal", "Threads"], path: "Journal", swiftSettings: house),
        .target(name: "MartletModel", path: "MartletModel", swiftSettings: house),
        // Keys and hashes; not what opens connections.
        .target(name: "Guard", dependencies: [crypto], path: "Guard", exclude: ["Outbound"], swiftSettings: house),
        .target(name: "Local", dependencies: ["MartletModel", "Journal", "Guard"], path: "Local", swiftSettings: house),
        .executableTarget(
            name: "customers", dependencies: ["Local", "MartletModel", measure, crypto], path: "bench", swiftSettings: house),
        .executableTarget(name: "fill", dependencies: ["Local", "MartletModel", "Guard", measure], path: "fill", swiftSettings: house),
        .executableTarget(name: "persons", dependencies: ["Local", "MartletModel", "Guard", measure], path: "persons", swiftSettings: house),
    ]
)
