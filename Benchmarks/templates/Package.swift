// swift-tools-version: 6.2
import PackageDescription

// Rendering beside swift-mustache. The product's own files, by a link, so that no other module is built; apart from the other measuring
// programs because these have no dependency at all.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

let package = Package(
    name: "martlet-templates-benchmarks",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "templates", targets: ["templates"])],
    dependencies: [
        .package(name: "martlet-benchmarks", path: ".."),
        .package(url: "https://github.com/hummingbird-project/swift-mustache.git", from: "2.1.1"),
    ],
    targets: [
        .target(name: "Templates", path: "Templates", swiftSettings: house),
        .executableTarget(
            name: "templates",
            dependencies: [
                "Templates", .product(name: "Measure", package: "martlet-benchmarks"), .product(name: "Mustache", package: "swift-mustache"),
            ],
            path: "bench", swiftSettings: house),
    ]
)
