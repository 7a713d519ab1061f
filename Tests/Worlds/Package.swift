// swift-tools-version: 6.2
import PackageDescription

// The seeded worlds, optimised: fifty times as many a minute as the debug build that `make check` runs them in. The product's own
// sources and tests, by links, for the core is no product.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-enable-testing", "-cross-module-optimization", "-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

let package = Package(
    name: "martlet-worlds",
    platforms: [.macOS(.v15)],
    targets: [
        .target(name: "MartletModel", path: "MartletModel", swiftSettings: house),
        .target(name: "SMSText", path: "SMSText", swiftSettings: house),
        .target(name: "Calendar", path: "Calendar", swiftSettings: house),
        .target(name: "Templates", path: "Templates", swiftSettings: house),
        .target(
            name: "MartletEngine", dependencies: ["MartletModel", "SMSText", "Calendar", "Templates"], path: "MartletEngine",
            swiftSettings: house),
        .testTarget(
            name: "WorldsTests", dependencies: ["MartletEngine", "MartletModel", "SMSText", "Calendar"], path: "WorldsTests",
            swiftSettings: house),
    ]
)
