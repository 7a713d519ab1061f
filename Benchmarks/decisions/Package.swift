// swift-tools-version: 6.2
import PackageDescription

// Figures of deciding and writing. The product's own sources, by links, for the modules are no products.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

let package = Package(
    name: "martlet-decisions-benchmarks",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "decisions", targets: ["decisions"])],
    dependencies: [.package(name: "martlet-benchmarks", path: "..")],
    targets: [
        .target(name: "MartletModel", path: "MartletModel", swiftSettings: house),
        .target(name: "SMSText", path: "SMSText", swiftSettings: house),
        .target(name: "Calendar", path: "Calendar", swiftSettings: house),
        .target(name: "Templates", path: "Templates", swiftSettings: house),
        .target(
            name: "MartletEngine", dependencies: ["MartletModel", "SMSText", "Calendar", "Templates"], path: "MartletEngine",
            swiftSettings: house),
        .executableTarget(
            name: "decisions",
            dependencies: ["MartletEngine", "MartletModel", "SMSText", "Calendar", .product(name: "Measure", package: "martlet-benchmarks")],
            path: "bench", swiftSettings: house),
    ]
)
