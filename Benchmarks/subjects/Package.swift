// swift-tools-version: 6.2
import PackageDescription

// Figures of the keys of subjects, of the audit chain and of the tags of rows. The product's own files, by links, so that no other module is
// built; apart from the other measuring programs because these have no dependency at all.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

let package = Package(
    name: "martlet-subject-benchmarks",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "subjects", targets: ["subjects"])],
    dependencies: [
        .package(name: "martlet-benchmarks", path: ".."),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
    ],
    targets: [
        .executableTarget(
            name: "subjects",
            dependencies: [
                .product(name: "Measure", package: "martlet-benchmarks"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "subjects", swiftSettings: house)
    ]
)
