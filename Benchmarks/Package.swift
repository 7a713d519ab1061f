// swift-tools-version: 6.2
import PackageDescription

// The measuring programs, apart from the product so that neither can lean on the other. No dependency at all.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

let package = Package(
    name: "martlet-benchmarks",
    products: [
        .library(name: "Measure", targets: ["Measure"]),
        .executable(name: "load", targets: ["load"]),
        .executable(name: "batch", targets: ["batch"]),
        .executable(name: "esme", targets: ["esme"]),
        .executable(name: "floor", targets: ["floor"]),
        .executable(name: "keys", targets: ["keys"]),
    ],
    targets: [
        .systemLibrary(name: "CEpoll", path: "cepoll"),
        .target(name: "Measure", path: "measure", swiftSettings: house),
        .executableTarget(name: "load", dependencies: ["Measure", "CEpoll"], path: "load", swiftSettings: house),
        .executableTarget(name: "batch", dependencies: ["Measure"], path: "batch", swiftSettings: house),
        .executableTarget(name: "esme", dependencies: ["Measure"], path: "esme", swiftSettings: house),
        .executableTarget(name: "floor", dependencies: ["Measure"], path: "floor", swiftSettings: house),
        .executableTarget(name: "keys", dependencies: ["Measure"], path: "keys", swiftSettings: house),
    ]
)
