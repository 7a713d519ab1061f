// swift-tools-version: 6.2
import PackageDescription

// Figures of the local copy of customers. Apart from the other measuring programs because these have no dependency; the product's own
// sources, by links, for the module is not a product.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

let package = Package(
    name: "martlet-customers-benchmarks",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "customers", targets: ["customers"])],
    dependencies: [
        .package(name: "martlet-benchmarks", path: ".."),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
    ],
    targets: [
        .target(name: "CJournal", path: "CJournal"),
        .target(name: "Journal", dependencies: ["CJournal"], path: "Journal", swiftSettings: house),
        .target(name: "MartletModel", path: "MartletModel", swiftSettings: house),
        .target(name: "Local", dependencies: ["MartletModel", "Journal"], path: "Local", swiftSettings: house),
        .executableTarget(
            name: "customers",
            dependencies: [
                "Local", "MartletModel", .product(name: "Measure", package: "martlet-benchmarks"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "bench", swiftSettings: house),
    ]
)
