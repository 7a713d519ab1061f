// swift-tools-version: 6.2
import PackageDescription

// Figures of the SMPP library by itself. Apart from the other measuring programs because these have no dependency at all.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

let package = Package(
    name: "martlet-library-benchmarks",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "pairs", targets: ["pairs"])],
    dependencies: [
        .package(name: "martlet", path: "../.."),
        .package(name: "martlet-benchmarks", path: ".."),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
    ],
    targets: [
        .executableTarget(
            name: "pairs",
            dependencies: [
                .product(name: "SMPP", package: "martlet"),
                .product(name: "Measure", package: "martlet-benchmarks"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "pairs", swiftSettings: house)
    ]
)
