// swift-tools-version: 6.2
import PackageDescription

// The readers of foreign octets under libFuzzer. Their sources are reached by links, not as a dependency on the package above: so each is
// compiled with the fuzzer's counters, nothing else is, and no target that pulls in TLS or an HTTP server has to be built for them.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
let counted: [SwiftSetting] = house + [.unsafeFlags(["-sanitize=fuzzer"])]
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")

let package = Package(
    name: "martlet-fuzz",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "fuzz", targets: ["fuzz"])],
    dependencies: [.package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2")],
    targets: [
        .target(name: "SMPP", dependencies: [nioCore], path: "SMPP", swiftSettings: counted),
        .target(name: "SMSText", path: "SMSText", swiftSettings: counted),
        .target(name: "Templates", path: "Templates", swiftSettings: counted),
        .systemLibrary(name: "CZlib", path: "CZlib"),
        .target(name: "Zip", dependencies: ["CZlib"], path: "Zip", swiftSettings: counted),
        .target(name: "MartletModel", path: "MartletModel", swiftSettings: counted),
        .target(name: "Doors", dependencies: ["MartletModel"], path: "Doors", sources: ["JSON", "Events"], swiftSettings: counted),
        .executableTarget(
            name: "fuzz", dependencies: ["SMPP", "SMSText", "Templates", "MartletModel", "Doors", "Zip", nioCore], path: "fuzz",
            swiftSettings: counted,
            // The linker that is used otherwise (gold) stumbles over the fuzzer's own debug information.
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer", "-use-ld=lld"])]),
    ]
)
