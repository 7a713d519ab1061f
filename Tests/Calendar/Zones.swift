import Foundation

@testable import Calendar

/// The zones of the tests: with and without summer time, south and north, half and three-quarter hours, rules that changed, one that
/// skipped a day, one whose summer time is winter's (negative), one with changes of half an hour.
enum Zones {
    static let names = [
        "Europe/Kyiv", "Europe/Warsaw", "Europe/London", "Europe/Dublin", "Europe/Moscow", "Asia/Tbilisi", "Asia/Almaty", "Asia/Kathmandu",
        "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "Asia/Gaza",
    ]

    /// As `scripts/setup` installs them (tzdata).
    static func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/\(name)")))
    }

    static func zone(_ name: String) throws -> Zone { try Zone(tzif: bytes(name)) }
}

/// A generator whose numbers a seed decides.
struct Dice {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
}
